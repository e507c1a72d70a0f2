#include "module/relocated_copy.hpp"

#include "module/parts_validator.hpp"
#include "module/relocation.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace leanhost::module {
namespace {

void read_whole(const PartFile& part, std::span<std::byte> to) {
    std::size_t done = 0;
    while (done < to.size()) {
        const ssize_t n =
            ::pread(part.fd.get(), to.data() + done, to.size() - done, static_cast<off_t>(done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            fail(n == 0 ? ErrorCode::file_changed : ErrorCode::io,
                 fmt::format("{}: cannot read at offset {}: {}", part.path.string(), done,
                             n == 0 ? "the file became shorter" : std::strerror(errno)),
                 {{"file", part.path.string()}, {"offset", std::uint64_t{done}}});
        }
        done += static_cast<std::size_t>(n);
    }
}

std::size_t span_bytes(std::span<const PartFile> parts) {
    return parts.back().header.base_address - parts.front().header.base_address +
           parts.back().identity.size_bytes;
}

} // namespace

RelocatedCopy::RelocatedCopy(std::span<const PartFile> parts, Validate validate)
    : mapping_(span_bytes(parts), MappingClass::relocated_copies) {
    const std::uint64_t base = parts.front().header.base_address;
    std::vector<std::span<std::byte>> places;
    PartsValidator validator;
    for (const PartFile& part : parts) {
        places.push_back(
            mapping_.bytes().subspan(part.header.base_address - base, part.identity.size_bytes));
        read_whole(part, places.back());
        if (validate == Validate::yes) {
            validator.validate(part, places.back());
        } else {
            require_unchanged(part);
        }
    }
    const std::uint64_t delta = reinterpret_cast<std::uint64_t>(mapping_.data()) - base;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        relocate_part(places[i], parts[i].header, delta);
    }
    mapping_.seal_read_only();
    part_bytes_.assign(places.begin(), places.end());
}

std::vector<Region::Part> region_parts(std::vector<PartFile>& parts, const PartBytes& bytes) {
    std::vector<Region::Part> result;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        result.push_back({std::move(parts[i].path), parts[i].kind, parts[i].identity,
                          std::move(parts[i].header), bytes[i]});
    }
    return result;
}

} // namespace leanhost::module
