#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

// What the tests that watch the real process share.

namespace leanhost::memory::test {

inline constexpr std::uint64_t mebibyte = 1U << 20U;

/// Writes one byte to every page, so that the kernel must provide it.
inline void touch_pages(std::span<std::byte> bytes) {
    for (std::size_t i = 0; i < bytes.size(); i += 4096)
        static_cast<volatile std::byte*>(bytes.data())[i] = std::byte{1};
}

/// Reads one byte of every page.
inline void read_pages(std::span<const std::byte> bytes) {
    for (std::size_t i = 0; i < bytes.size(); i += 4096)
        static_cast<void>(static_cast<const volatile std::byte*>(bytes.data())[i]);
}

/// What `after` has more than `before`, which both must be known. A double, as EXPECT_NEAR
/// compares.
inline double growth(std::optional<std::uint64_t> before, std::optional<std::uint64_t> after) {
    EXPECT_TRUE(before.has_value());
    EXPECT_TRUE(after.has_value());
    return static_cast<double>(after.value_or(0)) - static_cast<double>(before.value_or(0));
}

} // namespace leanhost::memory::test

#ifdef LEANHOST_SANITIZED
#define LEANHOST_SKIP_WHEN_SANITIZED(reason) GTEST_SKIP() << (reason)
#else
#define LEANHOST_SKIP_WHEN_SANITIZED(reason) static_cast<void>(0)
#endif

/// For thresholds on the whole process's memory.
#define LEANHOST_NEEDS_TRUE_SIZES()                                                                \
    LEANHOST_SKIP_WHEN_SANITIZED("the sanitizer's shadow memory grows with what a test touches")
