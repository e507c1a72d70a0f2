#include "regions/linux_system.hpp"

#include "regions/log_line.hpp"
#include "regions/maps_text.hpp"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace leanhost::regions {
namespace {

// linux/fs.h of Linux 6.11, which older headers do not have.
struct ProcmapQuery {
    std::uint64_t size;
    std::uint64_t query_flags;
    std::uint64_t query_addr;
    std::uint64_t vma_start;
    std::uint64_t vma_end;
    std::uint64_t vma_flags;
    std::uint64_t vma_page_size;
    std::uint64_t vma_offset;
    std::uint64_t inode;
    std::uint32_t dev_major;
    std::uint32_t dev_minor;
    std::uint32_t vma_name_size;
    std::uint32_t build_id_size;
    std::uint64_t vma_name_addr;
    std::uint64_t build_id_addr;
};
static_assert(sizeof(ProcmapQuery) == 104);
constexpr unsigned long procmap_query = _IOWR('f', 17, ProcmapQuery);
constexpr std::uint64_t vma_readable = 1;
constexpr std::uint64_t vma_writable = 2;
constexpr std::uint64_t vma_executable = 4;
constexpr std::uint64_t vma_shared = 8;

constexpr std::size_t path_bytes = 4096;

constexpr const char* refusal_texts[LEANHOST_REGIONS_REFUSALS] = {
    "not a module", "address taken",  "other file lies there",
    "other length", "region altered", "cannot be verified",
    "no memory",    "not moved",      "writable or fixed"};

bool is_logged(LeanhostRegionsMode mode) noexcept {
    return mode == LEANHOST_REGIONS_LOG;
}

// A descriptor for the moment of one question: one that stayed open would be seen by the program.
class OpenFile {
public:
    explicit OpenFile(const char* path) noexcept
        : fd_(static_cast<int>(system_call(SYS_openat,
                                           static_cast<std::uintptr_t>(AT_FDCWD),
                                           reinterpret_cast<std::uintptr_t>(path),
                                           O_RDONLY | O_CLOEXEC))) {}
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;
    ~OpenFile() {
        if (fd_ >= 0)
            system_call(SYS_close, static_cast<std::uintptr_t>(fd_));
    }
    int fd() const noexcept { return fd_; }
    bool is_open() const noexcept { return fd_ >= 0; }

private:
    const int fd_;
};

class SavedErrno {
public:
    SavedErrno() noexcept : value_(errno) {}
    SavedErrno(const SavedErrno&) = delete;
    SavedErrno& operator=(const SavedErrno&) = delete;
    ~SavedErrno() { errno = value_; }

private:
    const int value_;
};

Mapping mapping_of(const ProcmapQuery& query, std::string_view name) noexcept {
    Mapping mapping;
    mapping.begin = query.vma_start;
    mapping.end = query.vma_end;
    mapping.offset = query.vma_offset;
    mapping.device = ::makedev(query.dev_major, query.dev_minor);
    mapping.inode = query.inode;
    mapping.path_hash = path_hash_of_name(name);
    mapping.is_read_only =
        (query.vma_flags & (vma_readable | vma_writable | vma_executable)) == vma_readable;
    mapping.is_shared = (query.vma_flags & vma_shared) != 0;
    return mapping;
}

} // namespace

const char* refusal_text(int refusal) noexcept {
    return refusal_texts[refusal];
}

bool LinuxSystem::identify(int fd, FileIdentity& identity) const noexcept {
    struct stat facts {};
    // By number, because fstat as a symbol would need glibc 2.33; the structures are the same.
    if (call(SYS_fstat, fd, &facts) != 0 || !S_ISREG(facts.st_mode))
        return false;
    identity.device = facts.st_dev;
    identity.inode = facts.st_ino;
    identity.size = static_cast<std::uint64_t>(facts.st_size);
    identity.mtime_s = facts.st_mtim.tv_sec;
    identity.mtime_ns = facts.st_mtim.tv_nsec;
    identity.ctime_s = facts.st_ctim.tv_sec;
    identity.ctime_ns = facts.st_ctim.tv_nsec;
    return true;
}

std::size_t
LinuxSystem::read_at(int fd, void* to, std::size_t size, std::int64_t offset) const noexcept {
    std::size_t done = 0;
    while (done < size) {
        const std::intptr_t n = call(SYS_pread64, fd, static_cast<char*>(to) + done, size - done,
                                     offset + static_cast<std::int64_t>(done));
        if (n == -EINTR)
            continue;
        if (n <= 0)
            break;
        done += static_cast<std::size_t>(n);
    }
    return done;
}

std::uint64_t LinuxSystem::path_hash(int fd) const noexcept {
    const SavedErrno saved;
    char link[40];
    ::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    char path[path_bytes];
    const std::intptr_t size = call(SYS_readlinkat, AT_FDCWD, link, path, sizeof path);
    if (size <= 0 || size >= static_cast<std::intptr_t>(sizeof path))
        return 0;
    return path_hash_of_name({path, static_cast<std::size_t>(size)});
}

MappingAnswer LinuxSystem::mapping_at(std::uintptr_t address, Mapping& mapping) const noexcept {
    const OpenFile maps("/proc/self/maps");
    if (!maps.is_open())
        return MappingAnswer::cannot_say;
    char name[path_bytes];
    ProcmapQuery query{};
    query.size = sizeof query;
    query.query_addr = address;
    query.vma_name_addr = reinterpret_cast<std::uintptr_t>(name);
    query.vma_name_size = sizeof name;
    const std::intptr_t error = call(SYS_ioctl, maps.fd(), procmap_query, &query);
    if (error != 0)
        return error == -ENOENT ? MappingAnswer::nothing_there : MappingAnswer::cannot_say;
    // The size counts the final zero.
    mapping = mapping_of(query, {name, query.vma_name_size > 0 ? query.vma_name_size - 1 : 0});
    return MappingAnswer::found;
}

void LinuxSystem::list_mappings(void (*visit)(void*, const Mapping&),
                                void* context) const noexcept {
    const OpenFile maps("/proc/self/maps");
    char text[2 * path_bytes];
    std::size_t held = 0;
    while (maps.is_open()) {
        const std::intptr_t n = call(SYS_read, maps.fd(), text + held, sizeof text - held);
        if (n == -EINTR)
            continue;
        if (n <= 0)
            return;
        held += static_cast<std::size_t>(n);
        std::string_view rest(text, held);
        for (std::size_t end = 0; (end = rest.find('\n')) != rest.npos;) {
            Mapping mapping;
            if (parse_maps_line(rest.substr(0, end), mapping))
                visit(context, mapping);
            rest.remove_prefix(end + 1);
        }
        // A line that fills the buffer cannot be one of ours.
        held = rest.size() == sizeof text ? 0 : rest.size();
        ::memmove(text, rest.data(), held);
    }
}

void* LinuxSystem::storage(std::size_t bytes) const noexcept {
    const std::intptr_t at = map({.length = bytes,
                                  .protection = PROT_READ | PROT_WRITE,
                                  .flags = MAP_PRIVATE | MAP_ANONYMOUS});
    return is_error(at) ? nullptr : reinterpret_cast<void*>(at);
}

void LinuxSystem::give_back(void* storage, std::size_t bytes) const noexcept {
    unmap(reinterpret_cast<std::uintptr_t>(storage), bytes);
}

std::int64_t LinuxSystem::now_ms() const noexcept {
    const SavedErrno saved;
    struct timespec now {};
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return now.tv_sec * std::int64_t{1000} + now.tv_nsec / 1000000;
}

LinuxSystem::SignalSet LinuxSystem::block_signals() const noexcept {
    const SignalSet all = ~SignalSet{0};
    SignalSet before = 0;
    call(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof all);
    return before;
}

void LinuxSystem::restore_signals(SignalSet signals) const noexcept {
    call(SYS_rt_sigprocmask, SIG_SETMASK, &signals, 0, sizeof signals);
}

void LinuxSystem::log_event(LeanhostRegionsMode mode,
                            const char* what,
                            const Region& region) const noexcept {
    if (is_logged(mode)) {
        write_log_line("%s 0x%zx, %.1f MiB, %u user%s", what, region.begin,
                       static_cast<double>(region.size()) / (1024 * 1024), region.users,
                       region.users == 1 ? "" : "s");
    }
}

void LinuxSystem::log_refusal(LeanhostRegionsMode mode,
                              int refusal,
                              std::uintptr_t address) const noexcept {
    if (is_logged(mode))
        write_log_line("not shared 0x%zx: %s", address, refusal_text(refusal));
}

} // namespace leanhost::regions
