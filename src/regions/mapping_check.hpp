#pragma once

#include "regions/region_tree.hpp"

#include <cstdint>

namespace leanhost::regions {

/// One line of what the kernel says about the address space.
struct Mapping {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    std::uint64_t offset = 0;
    std::uint64_t device = 0;
    std::uint64_t inode = 0; ///< 0: no file
    std::uint64_t path_hash = 0;
    bool is_read_only = false; ///< readable, and neither writable nor executable
    bool is_shared = false;
};

enum class MappingAnswer : std::uint8_t { found, nothing_there, cannot_say };

/// Asks the kernel whether a region is still what lies at its address: calls that we do not see
/// (raw system calls, the C library's own) may have changed it.
///
/// Not thread-safe.
template <class System>
class MappingCheck {
public:
    constexpr explicit MappingCheck(System& system) noexcept : system_(system) {}

    /// Regions are anonymous copies instead of mapped files; those that could not be copied are
    /// files all the same.
    void expect_copies() noexcept { expects_copies_ = true; }

    /// To be called for a region that was mapped just now: it is known to lie there.
    void note_mapped(Region& region) const noexcept { region.verified_listing = listing_; }

    bool is_still_there(Region& region, RegionTree<System>& all) noexcept {
        Mapping mapping;
        switch (system_.mapping_at(region.begin, mapping)) {
        case MappingAnswer::found:
            return is_mapping_of(mapping, region);
        case MappingAnswer::nothing_there:
            return false;
        case MappingAnswer::cannot_say:
            return is_in_listing(region, all);
        }
        return false;
    }

    /// Nothing that was listed before counts any more.
    void forget_listing() noexcept { listing_ms_ = -listing_holds_ms; }

private:
    static constexpr std::int64_t listing_holds_ms = 1000;

    // Kernels before 6.11 only list everything, which is slow, so one listing serves all regions
    // for a second.
    bool is_in_listing(const Region& region, RegionTree<System>& all) noexcept {
        const std::int64_t now_ms = system_.now_ms();
        if (now_ms - listing_ms_ >= listing_holds_ms) {
            ++listing_;
            listing_ms_ = now_ms;
            system_.list_mappings([&](const Mapping& mapping) {
                Region* const listed = all.first_in(mapping.begin, mapping.end);
                if (listed != nullptr && is_mapping_of(mapping, *listed))
                    listed->verified_listing = listing_;
            });
        }
        return region.verified_listing == listing_;
    }

    // The path answers only where mappings show another device than fstat (overlayfs before Linux
    // 6.8, btrfs). On the same device another inode is another file, whatever its path.
    bool is_mapping_of(const Mapping& mapping, const Region& region) const noexcept {
        if (!mapping.is_read_only || mapping.is_shared)
            return false;
        if (expects_copies_ && mapping.inode == 0)
            return mapping.begin <= region.begin && mapping.end >= region.end;
        const bool is_file = mapping.device == region.file.device
                                 ? mapping.inode == region.file.inode
                                 : region.path_hash != 0 && mapping.path_hash == region.path_hash;
        return is_file && mapping.offset == 0 && mapping.begin == region.begin &&
               mapping.end == region.end;
    }

    System& system_;
    bool expects_copies_ = false;
    std::uint64_t listing_ = 0;
    std::int64_t listing_ms_ = -listing_holds_ms;
};

} // namespace leanhost::regions
