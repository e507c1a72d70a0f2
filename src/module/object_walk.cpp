#include "module/object_walk.hpp"

#include "object/nat_ref.hpp"

#include <fmt/format.h>

#include <cstring>

namespace leanhost::module {
namespace {

using object::ObjectHeader;
using object::ObjectTag;

constexpr std::size_t word_bytes = 8;

// In the format of 2020 the low half of the header's first eight bytes holds a small object's size,
// where there is a reference count (0) today, and byte 5 holds the memory kind 3, "region".
constexpr std::uint16_t v0_region_kind = 0x0300;

bool is_v0(const PartImage& part) {
    return !part.header->version->has_base_address;
}

template <class T>
T load(const PartImage& part, std::size_t offset) {
    T value;
    std::memcpy(&value, part.file.data() + offset, sizeof(T));
    return value;
}

[[noreturn]] void bad(std::size_t offset, const std::string& message) {
    throw BadPart(offset, message);
}

std::size_t round_up(std::size_t bytes) {
    return (bytes + word_bytes - 1) & ~(word_bytes - 1);
}

// `count` elements of `element_bytes` behind `fixed` bytes, if they fit into `room`.
std::size_t sized_bytes(std::size_t offset,
                        std::size_t fixed,
                        std::uint64_t count,
                        std::uint64_t element_bytes,
                        std::size_t room) {
    if (count > (room - fixed) / element_bytes) {
        bad(offset, fmt::format("object of {} elements of {} bytes, but {} bytes are left for it",
                                count, element_bytes, room - fixed));
    }
    return round_up(fixed + count * element_bytes);
}

void require_room(std::size_t offset, std::size_t needed, std::size_t room) {
    if (room < needed) {
        bad(offset, fmt::format("object cut short: {} bytes expected, {} left", needed, room));
    }
}

void require_capacity(const PartImage& part, std::size_t offset, std::uint64_t size) {
    const auto capacity =
        load<std::uint64_t>(part, offset + offsetof(object::ArrayObject, capacity));
    if (capacity != size) {
        bad(offset,
            fmt::format("capacity {} differs from size {}; equal in a region", capacity, size));
    }
}

std::size_t
constructor_bytes(const PartImage& part, std::size_t offset, const ObjectHeader& header) {
    const std::size_t bytes =
        is_v0(part) ? static_cast<std::uint32_t>(header.rc) : std::size_t{header.cs_sz};
    const std::size_t fields_end = sizeof(ObjectHeader) + word_bytes * header.other;
    if (bytes < fields_end || bytes % word_bytes != 0 || bytes > UINT16_MAX) {
        bad(offset,
            fmt::format("constructor with {} object fields and {} bytes: expected a multiple "
                        "of 8, at least {}",
                        header.other, bytes, fields_end));
    }
    return bytes;
}

std::size_t array_bytes(const PartImage& part, std::size_t offset, std::size_t room) {
    require_room(offset, sizeof(object::ArrayObject), room);
    const auto size = load<std::uint64_t>(part, offset + offsetof(object::ArrayObject, size));
    require_capacity(part, offset, size);
    return sized_bytes(offset, sizeof(object::ArrayObject), size, word_bytes, room);
}

std::size_t scalar_array_bytes(const PartImage& part,
                               std::size_t offset,
                               const ObjectHeader& header,
                               std::size_t room) {
    require_room(offset, sizeof(object::ScalarArrayObject), room);
    if (header.other == 0 || header.other > word_bytes) {
        bad(offset, fmt::format("scalar array with elements of {} bytes", header.other));
    }
    const auto size = load<std::uint64_t>(part, offset + offsetof(object::ScalarArrayObject, size));
    require_capacity(part, offset, size);
    return sized_bytes(offset, sizeof(object::ScalarArrayObject), size, header.other, room);
}

std::size_t string_bytes(const PartImage& part, std::size_t offset, std::size_t room) {
    require_room(offset, sizeof(object::StringObject), room);
    const auto size = load<std::uint64_t>(part, offset + offsetof(object::StringObject, size));
    require_capacity(part, offset, size);
    const std::size_t bytes = sized_bytes(offset, sizeof(object::StringObject), size, 1, room);
    if (size == 0 || part.file[offset + sizeof(object::StringObject) + size - 1] != std::byte{0}) {
        bad(offset, "string without its final NUL");
    }
    return bytes;
}

std::size_t gmp_bytes(const PartImage& part, std::size_t offset, std::size_t room) {
    require_room(offset, sizeof(object::GmpObject), room);
    const auto big = load<object::GmpObject>(part, offset);
    const std::uint64_t limbs =
        static_cast<std::uint64_t>(std::abs(std::int64_t{big.signed_limbs}));
    const std::uint64_t own_limbs = part.base() + offset + sizeof(object::GmpObject);
    if (big.limbs != own_limbs) {
        bad(offset,
            fmt::format("big number whose limbs are at {:#x}; expected right behind it, at {:#x}",
                        big.limbs, own_limbs));
    }
    return sized_bytes(offset, sizeof(object::GmpObject), limbs, 8, room);
}

std::size_t lean_native_bytes(const PartImage& part, std::size_t offset, std::size_t room) {
    require_room(offset, sizeof(object::LeanNativeBigObject), room);
    const auto big = load<object::LeanNativeBigObject>(part, offset);
    const std::uint64_t own_digits = part.base() + offset + sizeof(object::LeanNativeBigObject);
    // A size that could be taken for GMP's limb pointer would be read as the other encoding.
    if (big.digits != own_digits || big.size >= min_base_address) {
        bad(offset,
            fmt::format("big number of {} digits at {:#x}; expected right behind it, at {:#x}",
                        big.size, big.digits, own_digits));
    }
    return sized_bytes(offset, sizeof(object::LeanNativeBigObject), big.size, 4, room);
}

std::size_t big_bytes(const PartImage& part, std::size_t offset, std::size_t room) {
    if (is_v0(part)) {
        bad(offset, "big number in a file of 2020: its encoding (decimal text) is not supported");
    }
    return part.header->gmp_encoding ? gmp_bytes(part, offset, room)
                                     : lean_native_bytes(part, offset, room);
}

} // namespace

std::size_t PartImage::objects_begin() const noexcept {
    return header->version->header_bytes + (header->version->root_is_last ? 0 : word_bytes);
}

std::size_t PartImage::objects_end() const noexcept {
    return file.size() - trailer_bytes();
}

std::size_t PartImage::root_offset() const noexcept {
    return header->version->root_is_last ? file.size() - word_bytes : header->version->header_bytes;
}

std::size_t checked_object_bytes(const PartImage& part, std::size_t offset) {
    const std::size_t room = part.objects_end() - offset;
    require_room(offset, sizeof(ObjectHeader), room);
    const auto header = load<ObjectHeader>(part, offset);
    if (is_v0(part) ? header.cs_sz != v0_region_kind : header.rc != 0) {
        bad(offset, fmt::format("object header {:#x}: not one of a compacted object",
                                load<std::uint64_t>(part, offset)));
    }
    std::size_t bytes = 0;
    if (header.tag <= ObjectTag::max_constructor) {
        bytes = constructor_bytes(part, offset, header);
    } else {
        switch (header.tag) {
        case ObjectTag::array:
            bytes = array_bytes(part, offset, room);
            break;
        case ObjectTag::scalar_array:
            bytes = scalar_array_bytes(part, offset, header, room);
            break;
        case ObjectTag::string:
            bytes = string_bytes(part, offset, room);
            break;
        case ObjectTag::mpz:
            bytes = big_bytes(part, offset, room);
            break;
        case ObjectTag::thunk:
            bytes = sizeof(object::ThunkObject);
            break;
        case ObjectTag::task:
            bytes = sizeof(object::TaskObject);
            break;
        case ObjectTag::ref:
            bytes = sizeof(object::RefObject);
            break;
        default:
            bad(offset,
                fmt::format("object of tag {}: no such object is ever compacted (expected a "
                            "constructor up to {}, array, scalar array, string, big number, "
                            "thunk, task or reference)",
                            header.tag, ObjectTag::max_constructor));
        }
    }
    require_room(offset, bytes, room);
    return bytes;
}

PointerWords pointer_words(const ObjectHeader& header, const std::byte* object) noexcept {
    if (header.tag <= ObjectTag::max_constructor)
        return {sizeof(ObjectHeader), header.other};
    switch (header.tag) {
    case ObjectTag::array: {
        std::uint64_t size;
        std::memcpy(&size, object + offsetof(object::ArrayObject, size), sizeof(size));
        return {sizeof(object::ArrayObject), size};
    }
    // The word behind a thunk's or a task's value leads to code; in a region it is null.
    case ObjectTag::thunk:
    case ObjectTag::task:
    case ObjectTag::ref:
        return {sizeof(ObjectHeader), 1};
    default:
        return {0, 0};
    }
}

} // namespace leanhost::module
