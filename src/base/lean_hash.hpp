#pragma once

#include <cstdint>
#include <string_view>

/// The hash functions that Lean computes names and terms with, since February 2023. Every cached
/// hash in a module made since then is a composition of these; older modules used others
/// (docs/olean-format.md).
namespace leanhost {

/// Hash of the anonymous name. Lean: `Name.hash`.
inline constexpr std::uint64_t anonymous_name_hash = 1723;

/// Lean: `mixHash`. Not MurmurHash's own mixing step: the middle one is an exclusive or, not a
/// product.
constexpr std::uint64_t mix_hash(std::uint64_t h, std::uint64_t k) noexcept {
    constexpr std::uint64_t m = 0xc6a4a7935bd1e995U;
    k *= m;
    k ^= k >> 47U;
    k ^= m;
    h ^= k;
    return h * m;
}

/// Lean: `String.hash`, MurmurHash64A with seed 11.
std::uint64_t string_hash(std::string_view text) noexcept;

/// One step of a name's hash, from the hash of what stands before the last component.
inline std::uint64_t name_hash_str(std::uint64_t prefix, std::string_view component) noexcept {
    return mix_hash(prefix, string_hash(component));
}
/// A number of 2^64 and above hashes as 17.
constexpr std::uint64_t name_hash_num(std::uint64_t prefix, std::uint64_t component) noexcept {
    return mix_hash(prefix, component);
}

} // namespace leanhost
