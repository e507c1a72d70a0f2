#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace leanhost::regions {

/// Bytes from a file's start in which every known version states its base address.
inline constexpr std::size_t olean_header_bytes = 96;

/// Whether `header`, the first `size` bytes of a file, is that of a Lean module with this base
/// address. Where it stands depends on the version (16, 48, 80 so far: docs/olean-format.md); any
/// aligned place will do, because sharing rests on the file's identity. This only keeps
/// what is not Lean's out of the table.
inline bool
is_olean_header(const unsigned char* header, std::size_t size, std::uint64_t base_address) {
    constexpr char magic[] = {'o', 'l', 'e', 'a', 'n'};
    if (base_address == 0 || size < sizeof magic || std::memcmp(header, magic, sizeof magic) != 0) {
        return false;
    }
    for (std::size_t at = 2 * sizeof base_address; at + sizeof base_address <= size;
         at += sizeof base_address) {
        if (std::memcmp(header + at, &base_address, sizeof base_address) == 0)
            return true;
    }
    return false;
}

} // namespace leanhost::regions
