#include "module/region.hpp"

#include "module/object_walk.hpp"

#include <fmt/format.h>

#include <cstring>
#include <numeric>

namespace leanhost::module {

std::uint64_t Region::size_bytes() const noexcept {
    return std::accumulate(parts_.begin(), parts_.end(), std::uint64_t{0},
                           [](std::uint64_t sum, const Part& p) { return sum + p.bytes.size(); });
}

object::ObjectRef Region::root(std::size_t part) const noexcept {
    const Part& p = parts_[part];
    std::uint64_t word;
    std::memcpy(&word, p.bytes.data() + PartImage{p.bytes, &p.header}.root_offset(), sizeof(word));
    return object::ObjectRef(word);
}

std::optional<Region::Place> Region::find(std::uint64_t address) const noexcept {
    for (const Part& part : parts_) {
        const std::uint64_t offset = address - reinterpret_cast<std::uint64_t>(part.bytes.data());
        if (offset < part.bytes.size())
            return Place{&part, offset};
    }
    return std::nullopt;
}

void fail_malformed(const Region& region,
                    std::string_view what,
                    const object::MalformedObject& malformed) {
    const std::string message = fmt::format("{}: {}", what, malformed.error().message());
    const auto place = region.find(malformed.word());
    // A scalar where an object should be has no place of its own; the file is known all the same.
    if (place)
        fail_in_file(place->part->path, place->offset, message);
    const std::filesystem::path& path = region.parts().back().path;
    fail(ErrorCode::invalid_input, fmt::format("{}: {}", path.string(), message),
         {{"file", path.string()}});
}

} // namespace leanhost::module
