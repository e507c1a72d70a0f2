#include "object/old_lean_hash.hpp"

#include <cstring>

namespace leanhost::object {
namespace {

// Rounds of 12 bytes. Lean before 2023: src/runtime/hash.cpp.
class JenkinsState {
public:
    void add(std::uint32_t a, std::uint32_t b, std::uint32_t c) noexcept {
        a_ += a;
        b_ += b;
        c_ += c;
        scramble();
    }
    std::uint32_t result() const noexcept { return c_; }

private:
    void scramble() noexcept {
        a_ = (a_ - b_ - c_) ^ (c_ >> 13U);
        b_ = (b_ - c_ - a_) ^ (a_ << 8U);
        c_ = (c_ - a_ - b_) ^ (b_ >> 13U);
        a_ = (a_ - b_ - c_) ^ (c_ >> 12U);
        b_ = (b_ - c_ - a_) ^ (a_ << 16U);
        c_ = (c_ - a_ - b_) ^ (b_ >> 5U);
        a_ = (a_ - b_ - c_) ^ (c_ >> 3U);
        b_ = (b_ - c_ - a_) ^ (a_ << 10U);
        c_ = (c_ - a_ - b_) ^ (b_ >> 15U);
    }
    std::uint32_t a_ = 0x9e3779b9U;
    std::uint32_t b_ = 0x9e3779b9U;
    std::uint32_t c_ = 11;
};

std::uint32_t word32_at(const char* at) noexcept {
    std::uint32_t word;
    std::memcpy(&word, at, sizeof(word));
    return word;
}

} // namespace

std::uint64_t old_string_hash(std::string_view text) noexcept {
    JenkinsState state;
    const auto length = static_cast<std::uint32_t>(text.size());
    for (; text.size() >= 12; text.remove_prefix(12)) {
        state.add(word32_at(text.data()), word32_at(text.data() + 4), word32_at(text.data() + 8));
    }
    char tail[12] = {};
    text.copy(tail, text.size());
    // The low byte of the third word is the length's: bytes 8 to 10 stand one place higher.
    state.add(word32_at(tail), word32_at(tail + 4), (word32_at(tail + 8) << 8U) + length);
    return state.result();
}

std::uint64_t old_mix_hash(std::uint64_t h, std::uint64_t k) noexcept {
    k -= h;
    k ^= h << 16U;
    h -= k;
    k ^= h << 32U;
    k -= h;
    k ^= h << 20U;
    return k;
}

} // namespace leanhost::object
