#pragma once

#include <leanhost/expected.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace leanhost::module {

/// A container format of `.olean` files. docs/version-matrix.md has the same rows; a test compares
/// them.
struct OleanVersion {
    std::string_view id;            ///< "v0", "v0b", "v1", "v2"
    std::string_view first_release; ///< first Lean release seen with it
    std::string_view last_release;  ///< last one seen with it
    std::size_t header_bytes;       ///< what precedes the payload
    bool has_base_address;          ///< else pointers are offsets from the end of the header
    bool root_is_last; ///< the root pointer is the file's last word, else the payload's first
    bool has_flags;    ///< the header states flags and the Lean version
};
std::span<const OleanVersion> olean_versions() noexcept;

/// The address space that a module may be meant for: above the first 64 KiB, below Lean's own
/// bound.
inline constexpr std::uint64_t min_base_address = std::uint64_t{1} << 16U;
inline constexpr std::uint64_t max_base_address = 0x7f0000000000;
/// Every base address is a multiple of this, and a later part of a module starts at the next
/// multiple behind the part before it.
inline constexpr std::uint64_t base_address_alignment = std::uint64_t{1} << 16U;

/// What a file's first bytes say. Owned; nothing in it has been checked against the payload.
struct OleanHeader {
    const OleanVersion* version; ///< never null, static lifetime
    bool gmp_encoding = true; ///< big naturals as GMP keeps them (v2 states it; before, all seen)
    std::string lean_version; ///< v2: such as "4.28.0"; else empty
    std::string githash;      ///< v1, v2; may hold a version instead, or nothing
    /// Where the file's first byte belongs; pointers in the payload are meant for it. A file
    /// without one (v0) has the address that makes its offsets right: 2^64 minus its header's
    /// bytes.
    std::uint64_t base_address = 0;
};

/// Reads the header at the start of `file`.
/// Errors: invalid_input (no module file, cut short, a base address that cannot be);
/// unsupported_version (container version or flags found, those known). Offsets are in the facts.
/// The caller adds the path.
Expected<OleanHeader> read_olean_header(std::span<const std::byte> file);

/// The address that Lean derives from a module's name and that its writer puts into the header.
std::uint64_t base_address_of(std::uint64_t module_name_hash) noexcept;

} // namespace leanhost::module
