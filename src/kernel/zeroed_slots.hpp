#pragma once

#include "kernel/pages.hpp"
#include "kernel/spare_ranges.hpp"

#include <cstdlib>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

namespace leanhost::kernel {

/// Zeroed plain elements, as a table needs them: pages of its own when there are many.
template <class T>
class ZeroedSlots {
    static_assert(std::is_trivially_copyable_v<T>);

public:
    explicit ZeroedSlots(std::size_t count) : count_(count) {
        data_ = static_cast<T*>(is_mapped() ? open_range() : std::calloc(count, sizeof(T)));
        if (data_ == nullptr)
            throw std::bad_alloc();
    }
    ZeroedSlots(ZeroedSlots&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), count_(std::exchange(other.count_, 0)) {}
    ZeroedSlots(const ZeroedSlots&) = delete;
    ZeroedSlots& operator=(const ZeroedSlots&) = delete;
    ~ZeroedSlots() {
        if (is_mapped())
            leave_range();
        else
            std::free(data_);
    }
    void swap(ZeroedSlots& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(count_, other.count_);
    }
    void zero() noexcept { std::memset(static_cast<void*>(data_), 0, bytes()); }

    std::size_t size() const noexcept { return count_; }
    std::size_t bytes() const noexcept { return count_ * sizeof(T); }
    T& operator[](std::size_t i) noexcept { return data_[i]; }
    const T& operator[](std::size_t i) const noexcept { return data_[i]; }
    T* begin() noexcept { return data_; }
    const T* begin() const noexcept { return data_; }
    T* end() noexcept { return data_ + count_; }

private:
    static constexpr std::size_t least_mapped_bytes = std::size_t{64} << 10;
    bool is_mapped() const noexcept { return bytes() >= least_mapped_bytes; }

    void* open_range() const noexcept {
        if (SpareRanges* const spare = SpareRanges::used_here()) {
            if (const auto range = spare->take(bytes(), bytes()))
                return range->at;
        }
        const bool is_huge = bytes() % huge_page_bytes == 0;
        constexpr int protection = PROT_READ | PROT_WRITE;
        char* const at =
            is_huge ? map_huge_pages(bytes(), protection) : map_range(bytes(), protection);
        if (at != nullptr) {
            madvise(at, bytes(), is_huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
            populate_pages(at, at + bytes());
        }
        return at;
    }
    void leave_range() noexcept {
        if (SpareRanges* const spare = SpareRanges::used_here()) {
            zero();
            if (spare->keep({reinterpret_cast<char*>(data_), bytes(), bytes()}))
                return;
        }
        munmap(data_, bytes());
    }

    T* data_ = nullptr;
    std::size_t count_;
};

} // namespace leanhost::kernel
