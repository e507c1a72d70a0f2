#include "module/part_validator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace leanhost::module {
namespace {

std::uint64_t word_at(const std::byte* at) noexcept {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof(word));
    return word;
}

bool is_start_in_earlier(std::uint64_t word, std::span<const EarlierPart> earlier) noexcept {
    return std::any_of(earlier.begin(), earlier.end(), [&](const EarlierPart& part) {
        const std::uint64_t offset = word - part.base;
        return offset < part.file_bytes && offset % 8 == 0 && part.starts->test(offset);
    });
}

[[noreturn]] void
bad_pointer(std::uint64_t word, std::size_t at, std::size_t limit, const PartImage& part) {
    const std::uint64_t offset = word - part.base();
    const char* why = offset >= part.file.size() ? "outside this part and the earlier ones"
                      : offset >= limit          ? "not earlier in the file"
                                                 : "not the start of an object";
    throw BadPart(
        at, fmt::format("pointer {:#x} is {}; expected a scalar or an object before offset {}",
                        word, why, limit));
}

// Words behind the value of a thunk or a task would be code or a running task.
void require_settled(const PartImage& part,
                     std::size_t offset,
                     const object::ObjectHeader& header) {
    using object::ObjectTag;
    if (header.tag != ObjectTag::thunk && header.tag != ObjectTag::task)
        return;
    const std::size_t at = offset + offsetof(object::ThunkObject, closure);
    if (word_at(part.file.data() + at) != 0) {
        throw BadPart(at, "thunk or task that is not settled: expected a null pointer");
    }
}

void require_shape(const PartImage& part) {
    const std::size_t least = part.header->version->header_bytes + part.trailer_bytes() +
                              (part.header->version->root_is_last ? 0 : 8);
    if (part.file.size() < least) {
        throw BadPart(
            part.file.size(),
            fmt::format("cut short: {} bytes, expected at least {} for header and root pointer",
                        part.file.size(), least));
    }
    if (part.file.size() % 8 != 0) {
        throw BadPart(part.file.size() & ~std::size_t{7},
                      fmt::format("{} bytes: expected a multiple of 8", part.file.size()));
    }
}

// The file of 2020 ends with the header of an object that is none, and the root pointer. A file cut
// short ends with something else.
void require_terminator(const PartImage& part) {
    constexpr std::uint64_t terminator = 0xff00030000000010;
    if (part.trailer_bytes() == 0)
        return;
    const std::uint64_t found = word_at(part.file.data() + part.objects_end());
    if (found != terminator) {
        throw BadPart(
            part.objects_end(),
            fmt::format("expected the terminator {:#x} before the root pointer, found {:#x}",
                        terminator, found));
    }
}

} // namespace

StartBitmap validate_part(const PartImage& part, std::span<const EarlierPart> earlier) {
    require_shape(part);
    require_terminator(part);
    StartBitmap starts(part.file.size());
    const std::byte* const bytes = part.file.data();
    const std::uint64_t base = part.base();
    const auto check_pointer = [&](std::size_t at, std::size_t limit) {
        const std::uint64_t word = word_at(bytes + at);
        if ((word & 1U) != 0)
            return;
        const std::uint64_t offset = word - base;
        if (offset < limit && offset % 8 == 0 && starts.test(offset))
            return;
        if (!is_start_in_earlier(word, earlier))
            bad_pointer(word, at, limit, part);
    };
    for_each_object(part, [&](std::size_t offset, std::size_t) {
        object::ObjectHeader header;
        std::memcpy(&header, bytes + offset, sizeof(header));
        const PointerWords pointers = pointer_words(header, bytes + offset);
        for (std::size_t i = 0; i < pointers.count; ++i) {
            check_pointer(offset + pointers.first_offset + 8 * i, offset);
        }
        require_settled(part, offset, header);
        starts.set(offset);
    });
    const std::size_t root = part.root_offset();
    if ((word_at(bytes + root) & 1U) != 0) {
        throw BadPart(root, "root pointer is a scalar; expected the module's data");
    }
    check_pointer(root, part.objects_end());
    return starts;
}

StartBitmap object_starts(const PartImage& part) {
    require_shape(part);
    StartBitmap starts(part.file.size());
    for_each_object(part, [&](std::size_t offset, std::size_t) { starts.set(offset); });
    return starts;
}

} // namespace leanhost::module
