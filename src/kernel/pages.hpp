#pragma once

#include "base/failure.hpp"

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>

namespace leanhost::kernel {

/// Takes the pages of [from, to) at once; where the system cannot, they come as they are touched.
inline void populate_pages(void* from, void* to) noexcept {
    constexpr std::uintptr_t page = 4096;
    const auto first = reinterpret_cast<std::uintptr_t>(from) / page * page;
    const auto last = (reinterpret_cast<std::uintptr_t>(to) + page - 1) / page * page;
    constexpr int populate_write = 23; // MADV_POPULATE_WRITE, Linux 5.14
    if (last > first)
        madvise(reinterpret_cast<void*>(first), last - first, populate_write); // NOLINT
}

/// Makes the reserved pages of [from, to) writable, and takes them. Throws Failure
/// resource_exhausted where a limit on memory forbids it.
inline void open_pages(void* from, void* to) {
    constexpr std::uintptr_t page = 4096;
    const auto first = reinterpret_cast<std::uintptr_t>(from) / page * page;
    const auto last = (reinterpret_cast<std::uintptr_t>(to) + page - 1) / page * page;
    if (mprotect(reinterpret_cast<void*>(first), last - first, // NOLINT
                 PROT_READ | PROT_WRITE) != 0)
        fail(ErrorCode::resource_exhausted, "no memory for the kernel's arrays");
    populate_pages(from, to);
}

/// What is looked at all over and is as large as that stands in pages of this size: a virtual
/// machine may take 5 us at the first look at each page, of whatever size.
inline constexpr std::size_t huge_page_bytes = std::size_t{2} << 20;

/// Where the first of them may begin, from `at` on.
inline char* first_huge_page(void* at) noexcept {
    const auto address = reinterpret_cast<std::uintptr_t>(at) + huge_page_bytes - 1;
    return reinterpret_cast<char*>(address / huge_page_bytes * huge_page_bytes); // NOLINT
}

/// Address space, or null; `protection` as for mmap. What is large begins, in Linux 6.7 and later,
/// where a huge page may begin.
inline char* map_range(std::size_t size, int protection) noexcept {
    void* const mapped =
        mmap(nullptr, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return mapped == MAP_FAILED ? nullptr : static_cast<char*>(mapped);
}

/// The same, where a huge page may begin on every Linux.
inline char* map_huge_pages(std::size_t size, int protection) noexcept {
    char* const first = map_range(size + huge_page_bytes, protection);
    if (first == nullptr)
        return nullptr;
    char* const at = first_huge_page(first);
    const auto before = static_cast<std::size_t>(at - first);
    if (before != 0)
        munmap(first, before);
    munmap(at + size, huge_page_bytes - before);
    return at;
}

} // namespace leanhost::kernel
