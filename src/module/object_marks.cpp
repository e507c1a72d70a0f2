#include "module/object_marks.hpp"

#include "base/require.hpp"

#include <fmt/format.h>

namespace leanhost::module {

ObjectMarks::ObjectMarks(const Region& region, std::size_t num_parts) {
    for (const Region::Part& part : region.parts().first(num_parts)) {
        parts_.push_back({reinterpret_cast<std::uint64_t>(part.bytes.data()), part.bytes.size(),
                          std::vector<std::uint64_t>(part.bytes.size() / 512 + 1)});
    }
}

bool ObjectMarks::add(object::ObjectRef object) {
    for (Part& part : parts_) {
        const std::uint64_t offset = object.word() - part.address;
        if (offset >= part.bytes)
            continue;
        std::uint64_t& word = part.bits[offset >> 9U];
        const std::uint64_t bit = std::uint64_t{1} << ((offset >> 3U) & 63U);
        const bool is_new = (word & bit) == 0;
        word |= bit;
        return is_new;
    }
    // Every pointer of a validated part leads into it or into an earlier one.
    requirement_failed("object lies in its region", __FILE_NAME__, __LINE__);
}

std::uint64_t ObjectMarks::size() const noexcept {
    std::uint64_t count = 0;
    for (const Part& part : parts_) {
        for (const std::uint64_t word : part.bits) {
            count += static_cast<std::uint64_t>(std::popcount(word));
        }
    }
    return count;
}

void fail_malformed_inside(const Region& region,
                           object::ObjectRef container,
                           std::string_view what,
                           const object::MalformedObject& malformed) {
    const bool has_place = (malformed.word() & 1U) == 0;
    const auto place = region.find(has_place ? malformed.word() : container.word());
    if (!place)
        fail_malformed(region, what, malformed);
    fail_in_file(place->part->path, place->offset,
                 fmt::format("{}: {}", what, malformed.error().message()));
}

} // namespace leanhost::module
