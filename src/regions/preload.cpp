// The symbols that a program sees: the C library's five, and the counters.
#include "regions/linux_system.hpp"
#include "regions/log_line.hpp"
#include "regions/report_page.hpp"

#include <cstdarg>
#include <cstdlib>

namespace leanhost::regions {
namespace {

LeanhostRegionsMode mode_from_environment() noexcept {
    const char* const value = ::secure_getenv("LEANHOST_REGIONS");
    const std::string_view text = value == nullptr ? "on" : value;
    if (text == "off")
        return LEANHOST_REGIONS_OFF;
    if (text == "log")
        return LEANHOST_REGIONS_LOG;
    if (text == "private")
        return LEANHOST_REGIONS_PRIVATE;
    if (text != "on" && !text.empty())
        write_log_line("LEANHOST_REGIONS=%.40s is none of on, off, log, private; taken as on",
                       value);
    return LEANHOST_REGIONS_ON;
}

// Everything that the library holds. Made before any constructor runs and never destroyed: mmap is
// called before the one and after the other.
LinuxSystem linux_system;
constinit AddressFilter filter;
struct Library {
    RegionTable<LinuxSystem> table{linux_system, filter};
    LeanhostRegionsStats own_stats{};            // where no report page is to be had
    const LeanhostRegionsStats* stats = nullptr; // where the table counts; null before `start`
    LeanhostRegionsPage* page = nullptr;
    const char* report_folder = nullptr;
};
template <class T>
union NeverDestroyed {
    T value;
    constexpr NeverDestroyed() : value() {}
    ~NeverDestroyed() {} // NOLINT: the point of it
};
constinit NeverDestroyed<Library> never_destroyed;
Library& library = never_destroyed.value;

// Once, with one thread: from the library's constructor. Calls before it go to the kernel.
void start() noexcept {
    const LeanhostRegionsMode mode = mode_from_environment();
    library.report_folder = ::secure_getenv("LEANHOST_REGIONS_REPORT");
    if (library.report_folder != nullptr && *library.report_folder != '\0')
        library.page = make_report_page(library.report_folder, mode);
    LeanhostRegionsStats& stats = library.page == nullptr ? library.own_stats : library.page->stats;
    library.table.count_into(stats);
    library.stats = &stats;
    library.table.set_mode(mode);
}

void start_in_child() noexcept {
    LeanhostRegionsPage* const parents = library.page;
    library.page = parents == nullptr
                       ? nullptr
                       : make_report_page(library.report_folder, library.table.mode());
    LeanhostRegionsStats& stats = library.page == nullptr ? library.own_stats : library.page->stats;
    library.table.after_fork_in_child(stats);
    library.stats = &stats;
    drop_report_page(parents);
}

[[gnu::constructor]] void on_load() {
    start();
    ::pthread_atfork([] { library.table.before_fork(); }, [] { library.table.after_fork(); },
                     start_in_child);
}

[[gnu::destructor]] void on_exit() {
    const LeanhostRegionsStats stats = leanhost_regions_stats();
    std::uint64_t refused = 0;
    for (const std::uint64_t count : stats.refused)
        refused += count;
    if (library.table.mode() != LEANHOST_REGIONS_LOG || stats.maps + refused == 0)
        return;
    constexpr double mib = 1024 * 1024;
    write_log_line(
        "at exit: %llu mapped (%.1f MiB), %llu shared (%.1f MiB), %llu not shared",
        static_cast<unsigned long long>(stats.maps), static_cast<double>(stats.mapped_bytes) / mib,
        static_cast<unsigned long long>(stats.shares),
        static_cast<double>(stats.shared_bytes) / mib, static_cast<unsigned long long>(refused));
    for (int i = 0; i < LEANHOST_REGIONS_REFUSALS; ++i) {
        if (stats.refused[i] > 0)
            write_log_line("at exit: not shared, %s: %llu", refusal_text(i),
                           static_cast<unsigned long long>(stats.refused[i]));
    }
}

[[gnu::noinline, gnu::cold]] std::intptr_t fail_with(std::intptr_t error) noexcept {
    errno = static_cast<int>(-error);
    return -1;
}

// As the C library reports it: -1 and errno.
std::intptr_t to_c(std::intptr_t result) noexcept {
    return is_error(result) ? fail_with(result) : result;
}

std::uintptr_t address_of(const void* address) noexcept {
    return reinterpret_cast<std::uintptr_t>(address);
}

void* map(void* address, std::size_t length, int protection, int flags, int fd, off_t offset) {
    return reinterpret_cast<void*>(to_c(library.table.map({.address = address_of(address),
                                                           .length = length,
                                                           .protection = protection,
                                                           .flags = flags,
                                                           .fd = fd,
                                                           .offset = offset})));
}

} // namespace
} // namespace leanhost::regions

using leanhost::regions::address_of;
using leanhost::regions::library;
using leanhost::regions::to_c;

#define LEANHOST_EXPORT extern "C" [[gnu::visibility("default")]]

LEANHOST_EXPORT void*
mmap(void* address, size_t length, int protection, int flags, int fd, off_t offset) noexcept {
    return leanhost::regions::map(address, length, protection, flags, fd, offset);
}

LEANHOST_EXPORT void*
mmap64(void* address, size_t length, int protection, int flags, int fd, off64_t offset) noexcept {
    return leanhost::regions::map(address, length, protection, flags, fd, offset);
}

LEANHOST_EXPORT int munmap(void* address, size_t length) noexcept {
    return static_cast<int>(to_c(library.table.unmap(address_of(address), length)));
}

LEANHOST_EXPORT int mprotect(void* address, size_t length, int protection) noexcept {
    return static_cast<int>(to_c(library.table.protect(address_of(address), length, protection)));
}

LEANHOST_EXPORT void*
mremap(void* address, size_t length, size_t new_length, int flags, ...) noexcept {
    va_list arguments;
    va_start(arguments, flags);
    const void* const new_address =
        (flags & MREMAP_FIXED) != 0 ? va_arg(arguments, void*) : nullptr;
    va_end(arguments);
    return reinterpret_cast<void*>(to_c(library.table.remap(address_of(address), length, new_length,
                                                            flags, address_of(new_address))));
}

LEANHOST_EXPORT LeanhostRegionsStats leanhost_regions_stats() {
    LeanhostRegionsStats result{};
    const LeanhostRegionsStats* const source = library.stats;
    if (source == nullptr)
        return result;
    static_assert(sizeof result % sizeof(std::uint64_t) == 0);
    const auto* const from = reinterpret_cast<const std::uint64_t*>(source);
    auto* const to = reinterpret_cast<std::uint64_t*>(&result);
    for (std::size_t i = 0; i < sizeof result / sizeof *to; ++i)
        to[i] = __atomic_load_n(from + i, __ATOMIC_RELAXED);
    return result;
}
