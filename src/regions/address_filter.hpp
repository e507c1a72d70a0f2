#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace leanhost::regions {

/// Says of most address ranges, without a lock, that no region was ever in them: what keeps
/// unrelated `munmap` calls as cheap as they were. One bit for each 64 MiB of the address space,
/// set and never cleared; 256 KiB, of which pages that nobody looks at cost nothing.
///
/// Thread-safe. A bit is set before the region's address is handed out, so whoever has the address
/// sees it.
class AddressFilter {
public:
    void add(std::uintptr_t begin, std::uintptr_t end) noexcept {
        for (std::uintptr_t granule = begin >> granule_bits; granule <= (end - 1) >> granule_bits;
             ++granule) {
            if (granule < granules) {
                words_[granule / word_bits].fetch_or(std::uint64_t{1} << (granule % word_bits),
                                                     std::memory_order_release);
            }
        }
    }

    bool may_hold(std::uintptr_t begin, std::uintptr_t end) const noexcept {
        const std::uintptr_t last = (end - 1) >> granule_bits;
        const std::uintptr_t first = begin >> granule_bits;
        if (first == last && last < granules) [[likely]]
            return end > begin && is_set(first);
        return end > begin && may_hold_granules(first, last);
    }

private:
    bool is_set(std::uintptr_t granule) const noexcept {
        const std::uint64_t word = words_[granule / word_bits].load(std::memory_order_acquire);
        return (word >> (granule % word_bits) & 1) != 0;
    }
    [[gnu::noinline]] bool may_hold_granules(std::uintptr_t granule,
                                             std::uintptr_t last) const noexcept {
        if (last >= granules || last - granule > max_looked_at)
            return true;
        for (; granule <= last; ++granule) {
            if (is_set(granule))
                return true;
        }
        return false;
    }

    static constexpr unsigned granule_bits = 26;
    static constexpr std::uintptr_t granules = std::uintptr_t{1} << (47 - granule_bits);
    static constexpr unsigned word_bits = 64;
    static constexpr std::uintptr_t max_looked_at = 64;

    std::atomic<std::uint64_t> words_[granules / word_bits] = {};
};

} // namespace leanhost::regions
