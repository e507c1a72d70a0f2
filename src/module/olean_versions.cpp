#include "module/olean_versions.hpp"

#include "base/failure.hpp"
#include "base/guard.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace leanhost::module {
namespace {

// clang-format off
constexpr std::array versions = {
    //            id     first seen in               last seen in            header  base  root last  flags
    OleanVersion{"v0",  "4.0.0-pre-2020-10-31",     "4.0.0-pre-2020-11-03", 16, false, true,  false},
    OleanVersion{"v0b", "4.0.0-nightly-2022-04-28", "4.3.0",                24, true,  false, false},
    OleanVersion{"v1",  "4.4.0-rc1",                "4.13.0-rc3",           56, true,  false, false},
    OleanVersion{"v2",  "4.14.0-rc2",               "4.34.0-rc1",           88, true,  false, true},
};
// clang-format on
constexpr const OleanVersion* v0 = &versions[0];
constexpr const OleanVersion* v0b = &versions[1];
constexpr const OleanVersion* v1 = &versions[2];
constexpr const OleanVersion* v2 = &versions[3];

constexpr std::string_view old_magic = "oleanfile!!!!!!!";
constexpr std::string_view magic = "olean";
constexpr std::uint8_t gmp_flag = 1;
// What Lean reduced a module's hash by in April 2022; the bound of today came with the hash of
// 2023.
constexpr std::uint64_t max_base_address_of_2022 = std::uint64_t{1} << 47U;

struct HeaderV0b {
    char magic[16];
    std::uint64_t base_address;
};
static_assert(sizeof(HeaderV0b) == 24);

struct HeaderV1 {
    char magic[5];
    std::uint8_t version;
    char githash[42];
    std::uint64_t base_address;
};
static_assert(sizeof(HeaderV1) == 56 && offsetof(HeaderV1, base_address) == 48);

struct HeaderV2 {
    char magic[5];
    std::uint8_t version;
    std::uint8_t flags;
    char lean_version[33];
    char githash[40];
    std::uint64_t base_address;
};
static_assert(sizeof(HeaderV2) == 88 && offsetof(HeaderV2, base_address) == 80);

template <class Header>
Header header_at_start(std::span<const std::byte> file) {
    if (file.size() < sizeof(Header)) {
        fail(ErrorCode::invalid_input,
             fmt::format("cut short inside its header: {} bytes, at least {} expected", file.size(),
                         sizeof(Header)),
             {{"offset", std::uint64_t{file.size()}}});
    }
    Header header;
    std::memcpy(&header, file.data(), sizeof(Header));
    return header;
}

// Text in a fixed field, padded with NUL on the right and not necessarily ended by one.
template <std::size_t N>
std::string fixed_text(const char (&field)[N]) {
    return std::string(field, std::find(field, field + N, '\0'));
}

void require_base_address(std::uint64_t base,
                          std::size_t offset,
                          std::uint64_t bound = max_base_address) {
    if (base % base_address_alignment != 0 || base < min_base_address || base >= bound) {
        fail(
            ErrorCode::invalid_input,
            fmt::format("base address {:#x} at offset {}: expected a multiple of 64 KiB from {:#x} "
                        "to {:#x}",
                        base, offset, min_base_address, bound),
            {{"offset", std::uint64_t{offset}}});
    }
}

// The two formats with the old magic differ in what follows it: a base address, which is a multiple
// of 64 KiB, or the first object of 2020, whose header has 0 and the memory kind 3 in bytes 4
// and 5.
bool is_object_header_of_2020(std::uint64_t word) {
    return word % base_address_alignment != 0 && (word >> 32U & 0xffffU) == 0x0300;
}

OleanHeader read_old(std::span<const std::byte> file) {
    const auto header = header_at_start<HeaderV0b>(file);
    OleanHeader result;
    if (is_object_header_of_2020(header.base_address)) {
        result.version = v0;
        result.base_address = std::uint64_t{0} - v0->header_bytes;
        return result;
    }
    require_base_address(header.base_address, offsetof(HeaderV0b, base_address),
                         max_base_address_of_2022);
    result.version = v0b;
    result.base_address = header.base_address;
    return result;
}

OleanHeader read_v1(std::span<const std::byte> file) {
    const auto header = header_at_start<HeaderV1>(file);
    require_base_address(header.base_address, offsetof(HeaderV1, base_address));
    return {v1, true, {}, fixed_text(header.githash), header.base_address};
}

OleanHeader read_v2(std::span<const std::byte> file) {
    const auto header = header_at_start<HeaderV2>(file);
    if ((header.flags & ~gmp_flag) != 0) {
        fail(ErrorCode::unsupported_version,
             fmt::format("unknown header flags {:#x} at offset {}; known: bit 0 (big naturals in "
                         "GMP's encoding)",
                         header.flags, offsetof(HeaderV2, flags)),
             {{"offset", std::uint64_t{offsetof(HeaderV2, flags)}},
              {"found_flags", std::uint64_t{header.flags}}});
    }
    require_base_address(header.base_address, offsetof(HeaderV2, base_address));
    return {v2, (header.flags & gmp_flag) != 0, fixed_text(header.lean_version),
            fixed_text(header.githash), header.base_address};
}

} // namespace

std::span<const OleanVersion> olean_versions() noexcept {
    return versions;
}

Expected<OleanHeader> read_olean_header(std::span<const std::byte> file) {
    return guarded("read_olean_header", [&]() -> OleanHeader {
        const std::string_view text{reinterpret_cast<const char*>(file.data()), file.size()};
        const bool is_cut_old_magic = text.size() > magic.size() && old_magic.starts_with(text);
        if (text.starts_with(old_magic) || is_cut_old_magic)
            return read_old(file);
        if (!text.starts_with(magic)) {
            fail(ErrorCode::invalid_input, "not a module file: expected 'olean' at offset 0",
                 {{"offset", std::uint64_t{0}}});
        }
        if (text.size() <= magic.size())
            static_cast<void>(header_at_start<HeaderV2>(file));
        switch (const auto version = static_cast<std::uint8_t>(text[magic.size()])) {
        case 1:
            return read_v1(file);
        case 2:
            return read_v2(file);
        default:
            fail(ErrorCode::unsupported_version,
                 fmt::format("container version {} at offset {}; known: the one of 2020 to 4.3.0 "
                             "(marked 'oleanfile!'), 1 and 2",
                             version, magic.size()),
                 {{"offset", std::uint64_t{magic.size()}},
                  {"found_version", std::uint64_t{version}}});
        }
    });
}

std::uint64_t base_address_of(std::uint64_t module_name_hash) noexcept {
    const std::uint64_t address =
        module_name_hash % max_base_address & ~(base_address_alignment - 1);
    // Lean's formula may give the first 64 KiB, where nothing can be mapped and readers refuse.
    return std::max(address, min_base_address);
}

} // namespace leanhost::module
