#pragma once

#include "regions/address_filter.hpp"
#include "regions/mapping_check.hpp"
#include "regions/olean_header.hpp"
#include "regions/region_tree.hpp"

#include <leanhost/regions.h>

#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <utility>

namespace leanhost::regions {

/// What was asked of mmap.
struct MapRequest {
    std::uintptr_t address = 0;
    std::size_t length = 0;
    int protection = 0;
    int flags = 0;
    int fd = -1;
    std::int64_t offset = 0;
};

/// Which compacted regions lie where, and how many users each has: the whole policy of the library.
///
/// Results are those of system calls: an address or 0, else a negative errno. Every call that has
/// nothing to do with a region goes to the system as it came.
///
/// Invariants:
/// 1. A region's pages are mapped, by `users` callers who each believe that the mapping is theirs.
///    They go back to the system when the last one unmaps them.
/// 2. Only an intact region gets one more user: all pages of one file from offset 0, read-only,
///    private, never split, protected or mapped over since, and the system still says so.
/// 3. With one user a region is as the system has it. So whatever unusual befalls it then, it is
///    forgotten, and the system's own rules apply.
///
/// Thread-safe; a signal handler may call everything, because signals are blocked while the lock is
/// held. `System` is LinuxSystem, or a fake one in the tests.
template <class System>
class RegionTable {
public:
    /// `filter` starts empty and belongs to this table; apart, so that its zeros need no place in a
    /// library's file.
    constexpr RegionTable(System& system, AddressFilter& filter) noexcept
        : system_(system), filter_(filter), tree_(system), check_(system) {}

    /// Before the first call of `map`; off until then.
    void set_mode(LeanhostRegionsMode mode) noexcept {
        mode_ = mode;
        if (mode == LEANHOST_REGIONS_PRIVATE)
            check_.expect_copies();
    }
    LeanhostRegionsMode mode() const noexcept { return mode_; }

    /// Counts into `stats` from now on, from where it counted before. It must stay.
    void count_into(LeanhostRegionsStats& stats) noexcept {
        const Lock lock(*this);
        stats = *stats_;
        stats_ = &stats;
    }

    std::intptr_t map(const MapRequest& request) noexcept {
        if (request.fd >= 0 && mode_ != LEANHOST_REGIONS_OFF && may_be_region(request))
            return map_region(request);
        if ((request.flags & MAP_FIXED) != 0) [[unlikely]]
            return map_over(request);
        const std::intptr_t result = system_.map(request);
        // Rare: a place that a region had, and that the system has given away unseen by us.
        if (is_address(result) && filter_.may_hold(address_of(result), end_of(result, request)))
            [[unlikely]]
            forget_under_lock(address_of(result), end_of(result, request));
        return result;
    }

    int unmap(std::uintptr_t address, std::size_t length) noexcept {
        if (filter_.may_hold(address, page_end(address, length))) [[unlikely]]
            return unmap_near_regions(address, length);
        return system_.unmap(address, length);
    }

    int protect(std::uintptr_t address, std::size_t length, int protection) noexcept {
        const std::uintptr_t end = page_end(address, length);
        if (protection != PROT_READ && filter_.may_hold(address, end)) {
            const Lock lock(*this);
            for_each_in(address, end, [&](Region& region) { alter(region); });
        }
        return system_.protect(address, length, protection);
    }

    /// A region with several users cannot be moved or grown for one of them: ENOMEM, which a caller
    /// of mremap must expect anyway. Cutting its end off works.
    std::intptr_t remap(std::uintptr_t address,
                        std::size_t length,
                        std::size_t new_length,
                        int flags,
                        std::uintptr_t new_address) noexcept {
        const std::uintptr_t end = page_end(address, std::max(length, new_length));
        const bool is_fixed = (flags & MREMAP_FIXED) != 0;
        const bool touches =
            filter_.may_hold(address, end) ||
            (is_fixed && filter_.may_hold(new_address, page_end(new_address, new_length)));
        if (!touches)
            return remap_unrelated(address, length, new_length, flags, new_address);
        const Lock lock(*this);
        if (has_several_users(address, page_end(address, length)))
            return remap_shared(address, length, new_length, is_fixed);
        for_each_in(address, page_end(address, length), [&](Region& region) { alter(region); });
        const std::intptr_t result = system_.remap(address, length, new_length, flags, new_address);
        if (is_address(result))
            mapped_over(address_of(result), page_end(address_of(result), new_length), is_fixed);
        return result;
    }

    /// Around fork, in this order: `before_fork`; then `after_fork` in the parent, and
    /// `after_fork_in_child` in the child, whose counters begin anew in `stats`.
    void before_fork() noexcept {
        const Signals signals = system_.block_signals();
        ::pthread_mutex_lock(&mutex_);
        signals_at_fork_ = signals;
        // Now: the child sees the parent's report page, which goes on changing.
        stats_at_fork_ = *stats_;
    }
    void after_fork() noexcept {
        const Signals signals = signals_at_fork_;
        ::pthread_mutex_unlock(&mutex_);
        system_.restore_signals(signals);
    }
    void after_fork_in_child(LeanhostRegionsStats& stats) noexcept {
        LeanhostRegionsStats inherited{};
        inherited.live_regions = stats_at_fork_.live_regions;
        inherited.live_bytes = stats_at_fork_.live_bytes;
        inherited.live_shared_bytes = stats_at_fork_.live_shared_bytes;
        inherited.table_bytes = stats_at_fork_.table_bytes;
        stats = inherited; // which may be the parent's place
        stats_ = &stats;
        // MADV_DONTFORK may have kept a region from coming along.
        check_.forget_listing();
        after_fork();
    }

private:
    using Signals = decltype(std::declval<System&>().block_signals());

    // Signals first: a handler that came while this thread holds the lock would wait for itself.
    class Lock {
    public:
        explicit Lock(RegionTable& table) noexcept
            : table_(table), signals_(table.system_.block_signals()) {
            ::pthread_mutex_lock(&table_.mutex_);
        }
        Lock(const Lock&) = delete;
        Lock& operator=(const Lock&) = delete;
        ~Lock() {
            ::pthread_mutex_unlock(&table_.mutex_);
            table_.system_.restore_signals(signals_);
        }

    private:
        RegionTable& table_;
        const Signals signals_;
    };

    static constexpr std::size_t page_bytes = 4096;
    static constexpr std::uintptr_t user_space_end = std::uintptr_t{1} << 47;

    static bool is_address(std::intptr_t result) noexcept {
        constexpr std::intptr_t last_error = -4095;
        return static_cast<std::uintptr_t>(result) < static_cast<std::uintptr_t>(last_error);
    }
    static std::uintptr_t address_of(std::intptr_t result) noexcept {
        return static_cast<std::uintptr_t>(result);
    }
    static bool is_whole_pages(std::uintptr_t address) noexcept {
        return address % page_bytes == 0;
    }
    static std::uintptr_t page_end(std::uintptr_t address, std::size_t length) noexcept {
        return (address + length + page_bytes - 1) & ~(page_bytes - 1);
    }
    static std::uintptr_t end_of(std::intptr_t result, const MapRequest& request) noexcept {
        return page_end(address_of(result), request.length);
    }

    // Whole files at an address that the caller prefers. All that Lean maps, and little else.
    static bool may_be_region(const MapRequest& request) noexcept {
        return request.address != 0 && request.offset == 0 && request.length != 0 &&
               is_whole_pages(request.address) &&
               (request.flags & (MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS)) == MAP_PRIVATE;
    }

    // Only what nobody can write to may have several users.
    static bool may_be_shared(const MapRequest& request) noexcept {
        constexpr int harmless = MAP_NORESERVE | MAP_POPULATE;
        return request.protection == PROT_READ && (request.flags & ~harmless) == MAP_PRIVATE;
    }

    [[gnu::noinline]] std::intptr_t map_region(const MapRequest& request) noexcept {
        Region wanted;
        wanted.begin = request.address;
        wanted.end = page_end(request.address, request.length);
        unsigned char header[olean_header_bytes];
        const std::size_t size = system_.read_at(request.fd, header, sizeof header, 0);
        const bool is_module = wanted.end > wanted.begin &&
                               is_olean_header(header, size, request.address) &&
                               system_.identify(request.fd, wanted.file);
        if (is_module)
            wanted.path_hash = system_.path_hash(request.fd);
        const Lock lock(*this);
        if (!is_module)
            return refuse(LEANHOST_REGIONS_NOT_A_MODULE, request);
        if (!may_be_shared(request))
            return refuse(LEANHOST_REGIONS_WRITABLE, request);
        Region* const there = tree_.first_in(wanted.begin, wanted.end);
        const int refusal =
            there == nullptr ? LEANHOST_REGIONS_ADDRESS_TAKEN : why_not_shared(*there, wanted);
        return refusal == none ? share(*there) : map_first(request, wanted, refusal);
    }

    static constexpr int none = -1; // nothing speaks against it

    int why_not_shared(Region& there, const Region& wanted) noexcept {
        if (there.begin != wanted.begin || there.file != wanted.file)
            return LEANHOST_REGIONS_OTHER_FILE;
        if (!there.is_intact)
            return LEANHOST_REGIONS_ALTERED;
        if (there.end != wanted.end)
            return LEANHOST_REGIONS_OTHER_LENGTH;
        return check_.is_still_there(there, tree_) ? none : LEANHOST_REGIONS_UNVERIFIED;
    }

    std::intptr_t share(Region& region) noexcept {
        ++region.users;
        count(stats_->shares);
        count(stats_->shared_bytes, region.size());
        count(stats_->live_shared_bytes, region.size());
        log("shared", region);
        return static_cast<std::intptr_t>(region.begin);
    }

    // A mapping that is not remembered. It may have got the place of a region that is gone.
    std::intptr_t refuse(int refusal, const MapRequest& request) noexcept {
        count(stats_->refused[refusal]);
        system_.log_refusal(mode_, refusal, request.address);
        const std::intptr_t result = system_.map(request);
        if (is_address(result))
            forget_in(address_of(result), end_of(result, request));
        return result;
    }

    // `refusal` is what to say when the system gives another address than the one asked for: Lean
    // then unmaps it and reads the file into private memory.
    std::intptr_t map_first(const MapRequest& request, Region& region, int refusal) noexcept {
        if (!tree_.reserve(1))
            return refuse(LEANHOST_REGIONS_NO_MEMORY, request);
        const std::intptr_t result =
            mode_ == LEANHOST_REGIONS_PRIVATE ? map_copy(request, region) : system_.map(request);
        if (!is_address(result))
            return result;
        forget_in(address_of(result), end_of(result, request));
        if (address_of(result) != region.begin) {
            count(stats_->refused[refusal]);
            system_.log_refusal(mode_, refusal, request.address);
            return result;
        }
        remember(region);
        return result;
    }

    void remember(Region& region) noexcept {
        check_.note_mapped(region);
        filter_.add(region.begin, region.end);
        tree_.insert(region);
        const std::uint64_t table_bytes = tree_.storage_bytes() + sizeof *this;
        count(stats_->table_bytes, table_bytes - stats_->table_bytes);
        count(stats_->maps);
        count(stats_->mapped_bytes, region.size());
        count(stats_->live_regions);
        count(stats_->live_bytes, region.size());
        log("mapped", region);
    }

    // The whole file in anonymous pages, so that nothing that befalls the file reaches its users.
    // A file that changes while it is read is mapped as it was asked for.
    std::intptr_t map_copy(const MapRequest& request, const Region& region) noexcept {
        const std::intptr_t at = system_.map({.address = region.begin,
                                              .length = region.size(),
                                              .protection = PROT_READ | PROT_WRITE,
                                              .flags = MAP_PRIVATE | MAP_ANONYMOUS});
        if (!is_address(at))
            return system_.map(request);
        const std::uintptr_t copy = address_of(at);
        const std::size_t bytes = std::min<std::uint64_t>(request.length, region.file.size);
        FileIdentity after;
        const bool is_copied =
            copy == region.begin &&
            system_.read_at(request.fd, reinterpret_cast<void*>(copy), bytes, 0) == bytes &&
            system_.identify(request.fd, after) && after == region.file &&
            system_.protect(copy, region.size(), PROT_READ) == 0;
        if (is_copied)
            return at;
        system_.unmap(copy, region.size());
        return system_.map(request);
    }

    // Gives [begin, end) back for one user. What the system may refuse comes first, so that a call
    // that fails has taken no user from a region.
    int release(std::uintptr_t begin, std::uintptr_t end) noexcept {
        if (!has_several_users(begin, end) || end > user_space_end)
            return unmap_run(begin, end);
        // A region that reaches beyond both ends becomes three.
        if (!tree_.reserve(2))
            return -ENOMEM;
        split_shared_at(begin);
        split_shared_at(end);
        if (const int error = unmap_runs(begin, end); error != 0)
            return error;
        for_each_in(begin, end, [&](Region& region) { drop_user(region); });
        return 0;
    }

    // Everything between the regions that others still use: each run in one call.
    int unmap_runs(std::uintptr_t begin, std::uintptr_t end) noexcept {
        for (std::uintptr_t at = begin; at < end;) {
            const Region* const region = tree_.first_in(at, end);
            if (region != nullptr && region->users > 1 && region->begin <= at) {
                at = region->end;
                continue;
            }
            const std::uintptr_t stop = end_of_run(at, end);
            if (const int error = unmap_run(at, stop); error != 0)
                return error;
            at = stop;
        }
        return 0;
    }

    int unmap_run(std::uintptr_t begin, std::uintptr_t end) noexcept {
        const int error = system_.unmap(begin, end - begin);
        if (error == 0)
            forget_in(begin, end);
        return error;
    }

    std::uintptr_t end_of_run(std::uintptr_t begin, std::uintptr_t end) noexcept {
        for (std::uintptr_t at = begin; at < end;) {
            const Region* const region = tree_.first_in(at, end);
            if (region == nullptr)
                return end;
            if (region->users > 1)
                return region->begin;
            at = region->end;
        }
        return end;
    }

    void drop_user(Region& region) noexcept {
        --region.users;
        count(stats_->releases);
        count(stats_->live_shared_bytes, -region.size());
        log("released", region);
        if (region.users == 1 && !region.is_intact)
            forget(region);
    }

    void split_shared_at(std::uintptr_t address) noexcept {
        Region* const region = tree_.first_in(address, address + 1);
        if (region == nullptr || region->begin == address || region->users == 1)
            return;
        region->is_intact = false;
        Region upper = *region;
        region->end = address;
        upper.begin = address;
        tree_.insert(upper);
        count(stats_->live_regions);
    }

    [[gnu::noinline]] std::intptr_t map_over(const MapRequest& request) noexcept {
        if (!filter_.may_hold(request.address, page_end(request.address, request.length)))
            return system_.map(request);
        const Lock lock(*this);
        const std::intptr_t result = system_.map(request);
        if (is_address(result))
            mapped_over(address_of(result), end_of(result, request), true);
        return result;
    }

    [[gnu::noinline]] void forget_under_lock(std::uintptr_t begin, std::uintptr_t end) noexcept {
        const Lock lock(*this);
        forget_in(begin, end);
    }

    [[gnu::noinline]] int unmap_near_regions(std::uintptr_t address, std::size_t length) noexcept {
        if (!is_whole_pages(address))
            return system_.unmap(address, length);
        const Lock lock(*this);
        return release(address, page_end(address, length));
    }

    // A new mapping lies at [begin, end). With MAP_FIXED one user put it over the region, and the
    // others still will unmap theirs; without, the place was free, so the region was gone.
    void mapped_over(std::uintptr_t begin, std::uintptr_t end, bool is_fixed) noexcept {
        if (is_fixed) {
            for_each_in(begin, end, [&](Region& region) { alter(region); });
        } else {
            forget_in(begin, end);
        }
    }

    // Nobody more gets it. With one user the system's own rules are enough.
    void alter(Region& region) noexcept {
        region.is_intact = false;
        if (region.users == 1)
            forget(region);
    }

    // The visited region may be forgotten by `visit`.
    template <class Visit>
    void for_each_in(std::uintptr_t begin, std::uintptr_t end, const Visit& visit) noexcept {
        for (std::uintptr_t at = begin; at < end;) {
            Region* const region = tree_.first_in(at, end);
            if (region == nullptr)
                return;
            at = region->end;
            visit(*region);
        }
    }

    void forget_in(std::uintptr_t begin, std::uintptr_t end) noexcept {
        for_each_in(begin, end, [&](Region& region) { forget(region); });
    }

    void forget(const Region& region) noexcept {
        count(stats_->unmaps);
        count(stats_->live_regions, std::uint64_t{0} - 1);
        count(stats_->live_bytes, -region.size());
        count(stats_->live_shared_bytes, -(region.size() * (region.users - 1)));
        log("unmapped", region);
        tree_.erase(region.begin);
    }

    bool has_several_users(std::uintptr_t begin, std::uintptr_t end) noexcept {
        bool several = false;
        for_each_in(begin, end, [&](Region& region) { several = several || region.users > 1; });
        return several;
    }

    // It may land on the place of a region that is gone unseen by us.
    std::intptr_t remap_unrelated(std::uintptr_t address,
                                  std::size_t length,
                                  std::size_t new_length,
                                  int flags,
                                  std::uintptr_t new_address) noexcept {
        const std::intptr_t result = system_.remap(address, length, new_length, flags, new_address);
        const std::uintptr_t end = page_end(address_of(result), new_length);
        if (is_address(result) && filter_.may_hold(address_of(result), end))
            forget_under_lock(address_of(result), end);
        return result;
    }

    std::intptr_t remap_shared(std::uintptr_t address,
                               std::size_t length,
                               std::size_t new_length,
                               bool is_fixed) noexcept {
        const std::uintptr_t end = page_end(address, length);
        const std::uintptr_t new_end = page_end(address, new_length);
        if (new_length == 0 || !is_whole_pages(address))
            return -EINVAL;
        if (is_fixed || new_end > end) {
            count(stats_->refused[LEANHOST_REGIONS_NOT_MOVED]);
            return -ENOMEM;
        }
        const int error = new_end < end ? release(new_end, end) : 0;
        return error != 0 ? error : static_cast<std::intptr_t>(address);
    }

    void log(const char* what, const Region& region) noexcept {
        system_.log_event(mode_, what, region);
    }
    // Only under the lock; atomic for those who read meanwhile.
    static void count(std::uint64_t& counter, std::uint64_t by = 1) noexcept {
        std::atomic_ref value(counter);
        value.store(value.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
    }

    System& system_;
    LeanhostRegionsMode mode_ = LEANHOST_REGIONS_OFF;
    AddressFilter& filter_;
    pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
    // guarded by mutex_
    RegionTree<System> tree_;
    MappingCheck<System> check_;
    LeanhostRegionsStats own_stats_{};
    LeanhostRegionsStats* stats_ = &own_stats_;
    Signals signals_at_fork_{};
    LeanhostRegionsStats stats_at_fork_{};
};

} // namespace leanhost::regions
