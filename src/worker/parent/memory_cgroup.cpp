#include "worker/parent/memory_cgroup.hpp"

#include "base/failure.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <system_error>
#include <thread>
#include <vector>

namespace leanhost::worker {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr const char* name_prefix = "leanhost-";
constexpr milliseconds removal_patience{200};

std::string message_of(int error) {
    return std::generic_category().message(error);
}

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    while (true) {
        const std::size_t end = text.find(separator);
        parts.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos)
            return parts;
        text.remove_prefix(end + 1);
    }
}

bool contains(const std::vector<std::string>& words, std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

std::vector<std::string> words_of(const fs::path& file) {
    std::ifstream in(file);
    std::vector<std::string> words;
    for (std::string word; in >> word;)
        words.push_back(std::move(word));
    return words;
}

std::optional<std::uint64_t> number_in(const fs::path& file) {
    std::ifstream in(file);
    std::uint64_t number = 0;
    return in >> number ? std::optional(number) : std::nullopt;
}

// A hierarchy of cgroups, as mounted here.
struct Mount {
    fs::path point;
    std::string root; // the cgroup that is seen at `point`
};

// The kernel writes a blank in a path as \040, and other such bytes alike.
std::string unescaped(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto is_octal = [&](std::size_t at) {
            return at < text.size() && text[at] >= '0' && text[at] <= '7';
        };
        if (text[i] == '\\' && is_octal(i + 1) && is_octal(i + 2) && is_octal(i + 3)) {
            plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                       (text[i + 3] - '0'));
            i += 3;
        } else {
            plain += text[i];
        }
    }
    return plain;
}

// Of the memory controller of version 1, or of version 2. See proc(5), mountinfo.
std::optional<Mount> find_mount(const CgroupSystem& system, bool is_v2) {
    std::ifstream in(system.mounts);
    for (std::string line; std::getline(in, line);) {
        const std::size_t dash = line.find(" - ");
        if (dash == std::string::npos)
            continue;
        const std::vector<std::string> mount = split(line.substr(0, dash), ' ');
        const std::vector<std::string> type = split(line.substr(dash + 3), ' ');
        if (mount.size() < 5 || type.size() < 3)
            continue;
        const bool is_ours = is_v2 ? type[0] == "cgroup2"
                                   : type[0] == "cgroup" && contains(split(type[2], ','), "memory");
        if (is_ours)
            return Mount{unescaped(mount[4]), unescaped(mount[3])};
    }
    return std::nullopt;
}

// The cgroup of this program in that hierarchy, as the kernel names it. See cgroups(7).
std::optional<std::string> find_membership(const CgroupSystem& system, bool is_v2) {
    std::ifstream in(system.membership);
    for (std::string line; std::getline(in, line);) {
        const std::size_t first = line.find(':');
        const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
        if (second == std::string::npos)
            continue;
        const std::string controllers = line.substr(first + 1, second - first - 1);
        const bool is_ours =
            is_v2 ? line.starts_with("0::") : contains(split(controllers, ','), "memory");
        if (is_ours)
            return line.substr(second + 1);
    }
    return std::nullopt;
}

std::optional<fs::path> find_folder(const CgroupSystem& system, bool is_v2) {
    const std::optional<Mount> mount = find_mount(system, is_v2);
    std::optional<std::string> name = find_membership(system, is_v2);
    if (!mount || !name)
        return std::nullopt;
    // A container may see only a part of the hierarchy.
    if (mount->root != "/") {
        if (!name->starts_with(mount->root))
            return std::nullopt;
        name->erase(0, mount->root.size());
    }
    if (name->find("/..") != std::string::npos)
        return std::nullopt;
    return mount->point / fs::path(*name).relative_path();
}

void write_or_fail(const fs::path& file, std::string_view text) {
    const UniqueFd open(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
    if (!open || ::write(open.get(), text.data(), text.size()) < 0)
        fail(ErrorCode::io, fmt::format("{}: {}", file.string(), message_of(errno)));
}

bool try_write(const fs::path& file, std::string_view text) {
    const UniqueFd open(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
    return open && ::write(open.get(), text.data(), text.size()) >= 0;
}

bool is_v2_folder(const fs::path& folder) {
    std::error_code ignored;
    return fs::exists(folder / "cgroup.controllers", ignored);
}

// Version 2 hands a controller down only where no process is beside the cgroups that it goes to.
void enable_memory(const fs::path& parent) {
    if (contains(words_of(parent / "cgroup.subtree_control"), "memory"))
        return;
    if (!contains(words_of(parent / "cgroup.controllers"), "memory")) {
        fail(ErrorCode::unsupported, fmt::format("{} has no memory controller", parent.string()));
    }
    if (try_write(parent / "cgroup.subtree_control", "+memory"))
        return;
    const int error = errno;
    fail(ErrorCode::io,
         fmt::format("{}: {}{}", (parent / "cgroup.subtree_control").string(), message_of(error),
                     error == EBUSY ? " (it holds processes itself; name a cgroup that holds none)"
                                    : ""));
}

void ensure_cgroup(const fs::path& folder) {
    std::error_code ignored;
    if (!fs::exists(folder / "cgroup.procs", ignored))
        fail(ErrorCode::not_found, fmt::format("{} is no cgroup", folder.string()));
}

UniqueFd lock_folder(const fs::path& folder) {
    UniqueFd open(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (open && ::flock(open.get(), LOCK_EX | LOCK_NB) != 0)
        open.reset();
    return open;
}

CgroupSystem with_calls(CgroupSystem system) {
    if (!system.make_folder)
        system.make_folder = [](const char* path) { return ::mkdir(path, 0755); };
    if (!system.remove_folder)
        system.remove_folder = [](const char* path) { return ::rmdir(path); };
    return system;
}

// What killed programs have left. Only what nobody has locked, and rmdir takes only what is empty.
void remove_leftovers(const fs::path& parent, const CgroupSystem& system) {
    std::error_code ignored;
    for (const fs::directory_entry& entry : fs::directory_iterator(parent, ignored)) {
        if (!entry.path().filename().string().starts_with(name_prefix))
            continue;
        const UniqueFd lock = lock_folder(entry.path());
        // Ignored on purpose: what still lives in it is looked at again the next time.
        if (lock)
            static_cast<void>(system.remove_folder(entry.path().c_str()));
    }
}

fs::path parent_or_own(const fs::path& parent, const CgroupSystem& system) {
    return parent.empty() ? find_own_cgroup(system).folder : parent;
}

} // namespace

CgroupPlace find_own_cgroup(const CgroupSystem& system) {
    for (const bool is_v2 : {false, true}) {
        if (const auto folder = find_folder(system, is_v2))
            return {*folder, is_v2};
    }
    fail(ErrorCode::not_found, "no cgroup of this program with a memory controller is mounted");
}

MemoryCgroup::MemoryCgroup(std::uint64_t limit_bytes, const fs::path& parent, CgroupSystem system)
    : system_(with_calls(std::move(system))), is_v2_(is_v2_folder(parent_or_own(parent, system_))) {
    const fs::path place = parent_or_own(parent, system_);
    ensure_cgroup(place);
    if (is_v2_)
        enable_memory(place);
    remove_leftovers(place, system_);
    make_folder(place);
    try {
        set_limits(limit_bytes);
    } catch (...) {
        static_cast<void>(system_.remove_folder(folder_.c_str()));
        throw;
    }
}

MemoryCgroup::~MemoryCgroup() {
    processes_.reset();
    const auto until = std::chrono::steady_clock::now() + removal_patience;
    while (system_.remove_folder(folder_.c_str()) != 0 && errno == EBUSY &&
           std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(milliseconds(2));
}

// Locked before anything is put into it. Between both another program may take it for a leftover
// and remove it: then the next name is tried.
void MemoryCgroup::make_folder(const fs::path& parent) {
    static std::atomic<std::uint64_t> last_number{0};
    constexpr int attempts = 16;
    for (int i = 0; i < attempts; ++i) {
        folder_ = parent / fmt::format("{}{}-{}", name_prefix, ::getpid(), ++last_number);
        if (system_.make_folder(folder_.c_str()) != 0) {
            if (errno == EEXIST)
                continue; // of another pid namespace
            fail(ErrorCode::io, fmt::format("{}: {}", folder_.string(), message_of(errno)));
        }
        lock_ = lock_folder(folder_);
        if (!lock_)
            continue;
        processes_ = UniqueFd(::openat(lock_.get(), "cgroup.procs", O_WRONLY | O_CLOEXEC));
        if (processes_)
            return;
        static_cast<void>(system_.remove_folder(folder_.c_str()));
    }
    fail(ErrorCode::io, fmt::format("{}: no cgroup.procs can be written there", parent.string()));
}

void MemoryCgroup::set_limits(std::uint64_t limit_bytes) {
    const std::string limit = std::to_string(limit_bytes);
    write_or_fail(folder_ / (is_v2_ ? "memory.max" : "memory.limit_in_bytes"), limit);
    // Ignored on purpose: a kernel that does not count swap has no such file. Where it does, what
    // is over the limit must not go on in swap.
    static_cast<void>(is_v2_ ? try_write(folder_ / "memory.swap.max", "0")
                             : try_write(folder_ / "memory.memsw.limit_in_bytes", limit));
    limit_bytes_ = limit_bytes;
}

CgroupStatus MemoryCgroup::status() const {
    CgroupStatus status{.path = folder_.string(), .limit_bytes = limit_bytes_};
    status.used_bytes = number_in(folder_ / (is_v2_ ? "memory.current" : "memory.usage_in_bytes"));
    status.kills = count_kills();
    const auto limit = number_in(folder_ / (is_v2_ ? "memory.max" : "memory.limit_in_bytes"));
    // The kernel counts whole pages, and rounds down.
    status.holds = limit && *limit <= limit_bytes_;
    if (!limit)
        status.why_not = fmt::format("{} is gone or cannot be read", folder_.string());
    else if (!status.holds)
        status.why_not = fmt::format("its limit is {} bytes now", *limit);
    return status;
}

// By the kernel, for want of memory in this cgroup.
std::optional<std::uint64_t> MemoryCgroup::count_kills() const {
    std::ifstream in(folder_ / (is_v2_ ? "memory.events" : "memory.oom_control"));
    std::string key;
    std::uint64_t value = 0;
    while (in >> key >> value) {
        if (key == "oom_kill")
            return value;
    }
    return std::nullopt;
}

CgroupStatus probe_memory_cgroup() {
    constexpr std::uint64_t any_limit = std::uint64_t{64} << 20;
    try {
        return MemoryCgroup(any_limit, {}).status();
    } catch (const Failure& failure) {
        return {.why_not = failure.error().message()};
    }
}

} // namespace leanhost::worker
