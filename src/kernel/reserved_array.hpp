#pragma once

#include "kernel/pages.hpp"
#include "kernel/spare_ranges.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace leanhost::kernel {

/// An append-only array at a fixed address: address space is reserved once, pages are taken as it
/// grows, so elements never move and a reader of another thread may look at what was published.
/// One thread appends. Elements are plain bytes. Full: Failure `resource_exhausted`.
///
/// What is only reserved cannot be written to, and so does not count against a limit on data
/// (RLIMIT_DATA), which a worker has.
template <class T>
class ReservedArray {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

public:
    explicit ReservedArray(std::size_t capacity) {
        // A limit on address space (ulimit -v) may forbid the first wish.
        for (capacity_ = capacity; capacity_ >= smallest_capacity; capacity_ /= 4) {
            if (open_range()) {
                most_ = capacity_;
                return;
            }
        }
        fail(ErrorCode::resource_exhausted, "no address space for the kernel's arrays");
    }
    ReservedArray(const ReservedArray&) = delete;
    ReservedArray& operator=(const ReservedArray&) = delete;
    ~ReservedArray() {
        if (!leave_range())
            munmap(data_, reserved_bytes());
    }

    /// About how many elements there will be.
    void expect(std::size_t count) noexcept { expected_ = count; }

    std::uint32_t size() const noexcept { return size_; }
    /// Elements below it may be read before they are written: they are zero then.
    std::size_t capacity() const noexcept { return capacity_; }
    T* data() noexcept { return data_; }
    const T* data() const noexcept { return data_; }
    T& operator[](std::uint32_t i) noexcept { return data_[i]; }
    const T& operator[](std::uint32_t i) const noexcept { return data_[i]; }
    std::size_t bytes() const noexcept { return std::size_t{size_} * sizeof(T); }

    std::uint32_t push(const T& value) {
        if (size_ >= populated_)
            populate(1);
        data_[size_] = value;
        return size_++;
    }
    /// Room for `count` elements in a row; returns the first's index.
    std::uint32_t extend(std::size_t count) {
        if (count > populated_ - size_)
            populate(count);
        const std::uint32_t first = size_;
        size_ += static_cast<std::uint32_t>(count);
        return first;
    }

    /// About how large it may become, as long as that is not changed; what it has stays.
    void set_max_bytes(std::size_t max_bytes) noexcept {
        most_ = std::min(capacity_, max_bytes / sizeof(T));
    }

    /// Cuts back to `size` elements and gives back the pages beyond `keep_bytes`.
    void shrink(std::uint32_t size, std::size_t keep_bytes) noexcept {
        peak_ = std::max(peak_, size_);
        constexpr std::size_t page = 4096;
        const std::size_t keep =
            (std::max(std::size_t{size} * sizeof(T), keep_bytes) + page - 1) / page * page;
        const std::size_t end = (populated_ * sizeof(T) + page - 1) / page * page;
        if (end > keep) {
            char* const from = reinterpret_cast<char*>(data_) + keep;
            madvise(from, end - keep, MADV_DONTNEED);
            mprotect(from, end - keep, PROT_READ);
            populated_ = keep / sizeof(T);
        }
        size_ = size;
    }

private:
    static constexpr std::size_t smallest_capacity = std::size_t{1} << 16;

    std::size_t reserved_bytes() const noexcept { return capacity_ * sizeof(T); }

    bool open_range() noexcept {
        if (SpareRanges* const spare = SpareRanges::used_here()) {
            if (const auto range = spare->take(reserved_bytes(), 0)) {
                data_ = reinterpret_cast<T*>(range->at);
                populated_ = range->open_bytes / sizeof(T);
                return true;
            }
        }
        char* const at = map_range(reserved_bytes(), PROT_READ);
        if (at == nullptr)
            return false;
        madvise(at, reserved_bytes(), MADV_NOHUGEPAGE);
        data_ = reinterpret_cast<T*>(at);
        return true;
    }
    bool leave_range() noexcept {
        SpareRanges* const spare = SpareRanges::used_here();
        const std::size_t open_bytes = populated_ * sizeof(T);
        if (spare == nullptr || open_bytes > huge_page_bytes)
            return false;
        // What was written and still has pages; those that were given back are empty.
        constexpr std::size_t page = 4096;
        const std::size_t page_end = (open_bytes + page - 1) / page * page;
        const std::size_t written_bytes = std::size_t{std::max(peak_, size_)} * sizeof(T);
        std::memset(static_cast<void*>(data_), 0, std::min(written_bytes, page_end));
        return spare->keep({reinterpret_cast<char*>(data_), reserved_bytes(), open_bytes});
    }

    // Takes pages for `count` elements more, and some beyond: many at once cost a tenth of what
    // they cost one by one as they are touched.
    void populate(std::size_t count) {
        constexpr std::size_t least_bytes = std::size_t{4} << 10;
        constexpr std::size_t most_bytes = std::size_t{256} << 10;
        const std::size_t end = std::size_t{size_} + count;
        if (count > capacity_ || end > most_)
            fail(ErrorCode::resource_exhausted, "no more memory is allowed for the kernel's terms");
        const std::size_t more = std::clamp(end * sizeof(T) / 4, least_bytes, most_bytes);
        std::size_t wanted = std::min(most_, end + more / sizeof(T));
        if (fills_huge_pages(end)) {
            char* const from = first_huge_page(data_ + populated_);
            char* const to = first_huge_page(data_ + end);
            if (to > from && to <= reinterpret_cast<char*>(data_ + capacity_)) {
                madvise(from, static_cast<std::size_t>(to - from), MADV_HUGEPAGE);
                wanted = static_cast<std::size_t>(to - reinterpret_cast<char*>(data_)) / sizeof(T);
            }
        }
        open_pages(data_ + populated_, data_ + wanted);
        populated_ = wanted;
    }

    // Whether huge pages are opened up to the one that element `end` stands in: not where most of
    // the last would stay empty, nor under a limit.
    bool fills_huge_pages(std::size_t end) const noexcept {
        const std::size_t end_bytes = end * sizeof(T);
        const std::size_t last_page = end_bytes / huge_page_bytes * huge_page_bytes;
        return most_ == capacity_ && (last_page >= 2 * huge_page_bytes ||
                                      expected_ * sizeof(T) >= last_page + huge_page_bytes / 2);
    }

    T* data_ = nullptr;
    std::size_t capacity_ = 0;
    std::size_t most_ = 0;      ///< elements allowed
    std::size_t populated_ = 0; ///< elements with pages behind them
    std::size_t expected_ = 0;
    std::uint32_t size_ = 0;
    std::uint32_t peak_ = 0; ///< of size_, before the last time it shrank
};

} // namespace leanhost::kernel
