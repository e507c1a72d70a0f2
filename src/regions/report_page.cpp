#include "regions/report_page.hpp"

#include "regions/linux_system.hpp"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

namespace leanhost::regions {
namespace {

constexpr std::size_t page_bytes = 4096;
static_assert(sizeof(LeanhostRegionsPage) <= page_bytes);

// Growing a file beyond RLIMIT_FSIZE would kill the program with SIGXFSZ.
bool may_make_a_page() noexcept {
    struct rlimit limit {};
    return ::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur >= page_bytes;
}

int open_report_file(const char* folder, long long started_ns) noexcept {
    char path[512];
    const int size = ::snprintf(path, sizeof path, "%s/%d-%lld", folder,
                                static_cast<int>(::getpid()), started_ns);
    if (size < 0 || size >= static_cast<int>(sizeof path))
        return -1;
    return static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path,
                                      O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
}

// "pid:[4026531836]"
std::uint64_t pid_namespace() noexcept {
    char link[64] = {};
    const long size =
        ::syscall(SYS_readlinkat, AT_FDCWD, "/proc/self/ns/pid", link, sizeof link - 1);
    unsigned long long number = 0;
    return size > 0 && ::sscanf(link, "pid:[%llu]", &number) == 1 ? number : 0;
}

} // namespace

LeanhostRegionsPage* make_report_page(const char* folder, LeanhostRegionsMode mode) noexcept {
    const int saved = errno;
    struct timespec now {};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const long long started_ns = now.tv_sec * 1000000000LL + now.tv_nsec;
    LeanhostRegionsPage* page = nullptr;
    const int fd = may_make_a_page() ? open_report_file(folder, started_ns) : -1;
    if (fd >= 0 && ::syscall(SYS_ftruncate, fd, page_bytes) == 0) {
        const std::intptr_t at = LinuxSystem().map({.length = page_bytes,
                                                    .protection = PROT_READ | PROT_WRITE,
                                                    .flags = MAP_SHARED,
                                                    .fd = fd});
        page = is_error(at) ? nullptr : reinterpret_cast<LeanhostRegionsPage*>(at);
    }
    if (fd >= 0)
        ::syscall(SYS_close, fd);
    if (page != nullptr) {
        page->version = LEANHOST_REGIONS_VERSION;
        page->mode = mode;
        page->pid = ::getpid();
        page->parent_pid = ::getppid();
        page->pid_namespace = pid_namespace();
        page->started_ns = started_ns;
        ::snprintf(page->program, sizeof page->program, "%s", program_invocation_name);
        // Last: with the magic number the page is complete.
        std::atomic_ref(page->magic).store(LEANHOST_REGIONS_MAGIC, std::memory_order_release);
    }
    errno = saved;
    return page;
}

void drop_report_page(LeanhostRegionsPage* page) noexcept {
    if (page != nullptr)
        LinuxSystem().unmap(reinterpret_cast<std::uintptr_t>(page), page_bytes);
}

} // namespace leanhost::regions
