#pragma once

#include "base/unique_fd.hpp"

#include <cstdint>
#include <optional>

namespace leanhost::memory {

/// Bytes of a range of addresses by the state of its pages.
struct PageStateBytes {
    std::uint64_t anonymous = 0; ///< in memory, no file behind it; the shared zero page included
    std::uint64_t file = 0;      ///< in memory, of a file or of shared memory
    std::uint64_t swapped = 0;
};

/// Says what a part of a mapping holds, where the kernel gives sums for the whole one.
class PageCounter {
public:
    virtual ~PageCounter() = default;
    /// nullopt when it cannot be had. `begin` and `end` are widened to whole pages.
    virtual std::optional<PageStateBytes> count(std::uintptr_t begin,
                                                std::uintptr_t end) noexcept = 0;
};

/// Counts pages of this process in /proc/self/pagemap, opened at the first question.
/// Cost: eight bytes read for each page asked about. No allocation. Not thread-safe.
class PagemapCounter final : public PageCounter {
public:
    std::optional<PageStateBytes> count(std::uintptr_t begin, std::uintptr_t end) noexcept override;

private:
    bool ensure_open() noexcept;
    UniqueFd fd_;
};

} // namespace leanhost::memory
