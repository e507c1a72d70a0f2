#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace leanhost::kernel {

/// Reserved address space of an array. Its first `open_bytes` have pages, which are zero and can be
/// written to.
struct AddressRange {
    char* at = nullptr;
    std::size_t reserved_bytes = 0;
    std::size_t open_bytes = 0;
};

/// Ranges that arrays have left behind, for those that come next. Where arrays are made and dropped
/// again and again, taking their pages anew costs more than what is done with them: 1 us each, and
/// 6 on a virtual machine that keeps page tables of its own.
///
/// Owned by who makes and drops the arrays; used by one thread at a time.
class SpareRanges {
public:
    /// Keeps ranges with at most `max_bytes` of pages.
    explicit SpareRanges(std::size_t max_bytes) : max_bytes_(max_bytes) {
        ranges_.reserve(max_ranges);
    }
    ~SpareRanges() { clear(); }
    SpareRanges(const SpareRanges&) = delete;
    SpareRanges& operator=(const SpareRanges&) = delete;

    /// One of exactly that size with so many bytes open, if there is any.
    std::optional<AddressRange> take(std::size_t reserved_bytes,
                                     std::size_t least_open_bytes) noexcept;
    /// False: there is no room, the range stays the caller's.
    bool keep(const AddressRange& range) noexcept;
    /// Gives all back to the system.
    void clear() noexcept;

    std::size_t bytes() const noexcept { return bytes_; }

    /// While it lives, arrays that this thread makes take their ranges from `spare`, and those that
    /// it ends leave theirs.
    class Use {
    public:
        explicit Use(SpareRanges& spare) noexcept;
        ~Use();
        Use(const Use&) = delete;
        Use& operator=(const Use&) = delete;

    private:
        SpareRanges* const before_;
    };
    /// What this thread uses, or null.
    static SpareRanges* used_here() noexcept;

private:
    static constexpr std::size_t max_ranges = 64;

    const std::size_t max_bytes_;
    std::size_t bytes_ = 0; ///< open
    std::vector<AddressRange> ranges_;
};

} // namespace leanhost::kernel
