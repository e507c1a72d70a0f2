#include "memory/page_counter.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>

namespace leanhost::memory {
namespace {

// Documentation/admin-guide/mm/pagemap.rst
constexpr std::uint64_t present_bit = 1ULL << 63;
constexpr std::uint64_t swapped_bit = 1ULL << 62;
constexpr std::uint64_t file_or_shared_bit = 1ULL << 61;

std::uint64_t page_bytes() noexcept {
    return static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

void count_page(PageStateBytes& bytes, std::uint64_t entry, std::uint64_t one_page) noexcept {
    if ((entry & swapped_bit) != 0)
        bytes.swapped += one_page;
    else if ((entry & present_bit) != 0)
        ((entry & file_or_shared_bit) != 0 ? bytes.file : bytes.anonymous) += one_page;
}

// The entries read; empty after an error or at the end of the address space.
std::span<const std::uint64_t>
read_entries(int fd, std::uint64_t first_page, std::span<std::uint64_t> into) noexcept {
    ::ssize_t count = -1;
    do
        count = ::pread(fd, into.data(), into.size_bytes(),
                        static_cast<::off_t>(first_page * sizeof(std::uint64_t)));
    while (count < 0 && errno == EINTR);
    const std::size_t bytes = count < 0 ? 0 : static_cast<std::size_t>(count);
    return into.first(bytes / sizeof(std::uint64_t));
}

} // namespace

bool PagemapCounter::ensure_open() noexcept {
    if (!fd_)
        fd_ = UniqueFd(::open("/proc/thread-self/pagemap", O_RDONLY | O_CLOEXEC));
    return static_cast<bool>(fd_);
}

std::optional<PageStateBytes> PagemapCounter::count(std::uintptr_t begin,
                                                    std::uintptr_t end) noexcept {
    if (!ensure_open())
        return std::nullopt;
    const std::uint64_t one_page = page_bytes();
    const std::uint64_t end_page = (end + one_page - 1) / one_page;
    std::array<std::uint64_t, 512> buffer; // one page of entries
    PageStateBytes bytes;
    for (std::uint64_t page = begin / one_page; page < end_page;) {
        const auto wanted = std::min<std::uint64_t>(end_page - page, buffer.size());
        const auto entries = read_entries(fd_.get(), page, std::span(buffer).first(wanted));
        if (entries.empty())
            return std::nullopt;
        for (const std::uint64_t entry : entries)
            count_page(bytes, entry, one_page);
        page += entries.size();
    }
    return bytes;
}

} // namespace leanhost::memory
