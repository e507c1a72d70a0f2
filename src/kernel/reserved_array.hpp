#pragma once

#include "base/failure.hpp"
#include "base/require.hpp"

#include <sys/mman.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace leanhost::kernel {

/// An append-only array at a fixed address: address space is reserved once, pages are taken as it
/// grows, so elements never move and a reader of another thread may look at what was published.
/// One thread appends. Elements are plain bytes. Full: Failure `resource_exhausted`.
template <class T>
class ReservedArray {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

public:
    explicit ReservedArray(std::size_t capacity) {
        // A limit on address space (ulimit -v) may forbid the first wish.
        for (capacity_ = capacity; capacity_ >= smallest_capacity; capacity_ /= 4) {
            void* const at = mmap(nullptr, capacity_ * sizeof(T), PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
            if (at != MAP_FAILED) {
                // A page of 2 MiB would round every array up to one.
                madvise(at, capacity_ * sizeof(T), MADV_NOHUGEPAGE);
                data_ = static_cast<T*>(at);
                return;
            }
        }
        fail(ErrorCode::resource_exhausted, "no address space for the kernel's arrays");
    }
    ReservedArray(const ReservedArray&) = delete;
    ReservedArray& operator=(const ReservedArray&) = delete;
    ~ReservedArray() { munmap(data_, capacity_ * sizeof(T)); }

    std::uint32_t size() const noexcept { return size_; }
    T* data() noexcept { return data_; }
    const T* data() const noexcept { return data_; }
    T& operator[](std::uint32_t i) noexcept { return data_[i]; }
    const T& operator[](std::uint32_t i) const noexcept { return data_[i]; }
    std::size_t bytes() const noexcept { return std::size_t{size_} * sizeof(T); }

    std::uint32_t push(const T& value) {
        if (size_ >= capacity_)
            fail_full();
        data_[size_] = value;
        return size_++;
    }
    /// Room for `count` elements in a row; returns the first's index.
    std::uint32_t extend(std::size_t count) {
        if (count > capacity_ - size_)
            fail_full();
        const std::uint32_t first = size_;
        size_ += static_cast<std::uint32_t>(count);
        return first;
    }

    /// Cuts back to `size` elements and gives back the pages beyond `keep_bytes`.
    void shrink(std::uint32_t size, std::size_t keep_bytes) noexcept {
        constexpr std::size_t page = 4096;
        const std::size_t used = std::size_t{size_} * sizeof(T);
        const std::size_t keep =
            (std::max(std::size_t{size} * sizeof(T), keep_bytes) + page - 1) / page * page;
        if (used > keep)
            madvise(reinterpret_cast<char*>(data_) + keep, used - keep, MADV_DONTNEED);
        size_ = size;
    }

private:
    static constexpr std::size_t smallest_capacity = std::size_t{1} << 16;

    [[noreturn]] static void fail_full() {
        fail(ErrorCode::resource_exhausted, "an array of the kernel is full");
    }

    T* data_ = nullptr;
    std::size_t capacity_ = 0;
    std::uint32_t size_ = 0;
};

} // namespace leanhost::kernel
