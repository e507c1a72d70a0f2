#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

namespace leanhost::regions {

/// What makes two openings the same file. A file that was rebuilt, or written to, differs.
struct FileIdentity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t size = 0;
    std::int64_t mtime_s = 0;
    std::int64_t mtime_ns = 0;
    std::int64_t ctime_s = 0;
    std::int64_t ctime_ns = 0;

    bool operator==(const FileIdentity&) const = default;
};

/// A run of pages of a module's mapping that all have the same number of users.
struct Region {
    std::uintptr_t begin = 0; ///< whole pages
    std::uintptr_t end = 0;
    FileIdentity file;
    std::uint64_t path_hash = 0; ///< of the path that the file was opened by; 0: unknown
    std::uint64_t verified_listing = 0;
    std::uint32_t users = 1;
    bool is_intact = true; ///< all of the module, as it was mapped: may be given to one more

    std::size_t size() const noexcept { return end - begin; }
};

/// Regions by address, none overlapping another: a treap over an array, so that links are indices
/// and survive the array's moves.
///
/// `System::storage` gives and `System::give_back` takes the array's memory, in pages: nothing here
/// calls malloc. Not thread-safe. Pointers to regions hold until the next `insert`, `erase` or
/// `reserve`. Cost: O(log n) expected.
template <class System>
class RegionTree {
public:
    constexpr explicit RegionTree(System& system) noexcept : system_(system) {}
    RegionTree(const RegionTree&) = delete;
    RegionTree& operator=(const RegionTree&) = delete;
    ~RegionTree() {
        if (nodes_ != nullptr)
            system_.give_back(nodes_, capacity_ * sizeof(Node));
    }

    /// Makes room for `count` more, so that as many inserts cannot fail. False without memory.
    bool reserve(std::size_t count) noexcept {
        if (free_count_ + (capacity_ - used_) >= count)
            return true;
        const std::size_t wanted = capacity_ == 0 ? first_capacity : capacity_ * 2;
        auto* const grown = static_cast<Node*>(system_.storage(wanted * sizeof(Node)));
        if (grown == nullptr)
            return false;
        if (nodes_ != nullptr) {
            std::memcpy(static_cast<void*>(grown), nodes_, used_ * sizeof(Node));
            system_.give_back(nodes_, capacity_ * sizeof(Node));
        }
        nodes_ = grown;
        capacity_ = wanted;
        return true;
    }

    /// Needs room by `reserve`. `region` overlaps none that is here.
    void insert(const Region& region) noexcept {
        const Index node = take_node();
        nodes_[node] = Node{region, next_priority(), nil, nil};
        Index left = nil;
        Index right = nil;
        split(root_, region.begin, left, right);
        root_ = merge(merge(left, node), right);
        ++size_;
    }

    void erase(std::uintptr_t begin) noexcept {
        Index left = nil;
        Index rest = nil;
        Index node = nil;
        Index right = nil;
        split(root_, begin, left, rest);
        split(rest, begin + 1, node, right);
        root_ = merge(left, right);
        if (node == nil)
            return;
        nodes_[node].left = free_;
        free_ = node;
        ++free_count_;
        --size_;
    }

    /// The lowest region that has bytes at or above `address` and begins below `limit`, or null.
    Region* first_in(std::uintptr_t address, std::uintptr_t limit) noexcept {
        Region* best = nullptr;
        for (Index at = root_; at != nil;) {
            Region& region = nodes_[at].region;
            const bool reaches = region.end > address;
            if (reaches)
                best = &region;
            at = reaches ? nodes_[at].left : nodes_[at].right;
        }
        return best != nullptr && best->begin < limit ? best : nullptr;
    }

    std::size_t size() const noexcept { return size_; }
    std::size_t storage_bytes() const noexcept { return capacity_ * sizeof(Node); }

private:
    using Index = std::uint32_t;
    static constexpr Index nil = std::numeric_limits<Index>::max();
    static constexpr std::size_t first_capacity = 256;

    struct Node {
        Region region;
        std::uint32_t priority;
        Index left;
        Index right;
    };

    Index take_node() noexcept {
        if (free_ == nil)
            return static_cast<Index>(used_++);
        const Index node = free_;
        free_ = nodes_[node].left;
        --free_count_;
        return node;
    }

    // Marsaglia's xorshift: the shape must not follow the addresses' order, nothing more.
    std::uint32_t next_priority() noexcept {
        random_ ^= random_ << 13;
        random_ ^= random_ >> 17;
        random_ ^= random_ << 5;
        return random_;
    }

    // Regions that begin below `key` to `left`, the others to `right`.
    void split(Index at, std::uintptr_t key, Index& left, Index& right) noexcept {
        if (at == nil) {
            left = right = nil;
        } else if (nodes_[at].region.begin < key) {
            left = at;
            split(nodes_[at].right, key, nodes_[at].right, right);
        } else {
            right = at;
            split(nodes_[at].left, key, left, nodes_[at].left);
        }
    }

    // Everything in `left` lies below everything in `right`.
    Index merge(Index left, Index right) noexcept {
        if (left == nil || right == nil)
            return left == nil ? right : left;
        if (nodes_[left].priority > nodes_[right].priority) {
            nodes_[left].right = merge(nodes_[left].right, right);
            return left;
        }
        nodes_[right].left = merge(left, nodes_[right].left);
        return right;
    }

    System& system_;
    Node* nodes_ = nullptr;
    std::size_t capacity_ = 0;
    std::size_t used_ = 0; // nodes ever taken; those given back are in the free list
    std::size_t free_count_ = 0;
    Index free_ = nil; // linked by `left`
    Index root_ = nil;
    std::size_t size_ = 0;
    std::uint32_t random_ = 0x9e3779b9;
};

} // namespace leanhost::regions
