#include "base/lean_hash.hpp"

#include <cstring>

namespace leanhost {

std::uint64_t string_hash(std::string_view text) noexcept {
    constexpr std::uint64_t m = 0xc6a4a7935bd1e995U;
    constexpr std::uint64_t seed = 11;
    std::uint64_t h = seed ^ (text.size() * m);
    const char* at = text.data();
    const char* const blocks_end = at + (text.size() & ~std::size_t{7});
    for (; at != blocks_end; at += 8) {
        std::uint64_t k;
        std::memcpy(&k, at, 8);
        k *= m;
        k ^= k >> 47U;
        k *= m;
        h ^= k;
        h *= m;
    }
    if (const std::size_t rest = text.size() & 7U; rest != 0) {
        std::uint64_t tail = 0;
        std::memcpy(&tail, at, rest); // little-endian, as Lean's own on every platform it runs on
        h ^= tail;
        h *= m;
    }
    h ^= h >> 47U;
    h *= m;
    h ^= h >> 47U;
    return h;
}

} // namespace leanhost
