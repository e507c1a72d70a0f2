#pragma once

#include <cstdint>
#include <string_view>

namespace leanhost::object {

// The hash functions of Lean before 2023, for the words cached in modules of that time. Today's are
// in base/lean_hash.hpp.

/// Bob Jenkins' hash of 1996, seed 11, 32 bits wide; bytes count as unsigned.
std::uint64_t old_string_hash(std::string_view text) noexcept;

std::uint64_t old_mix_hash(std::uint64_t h, std::uint64_t k) noexcept;

} // namespace leanhost::object
