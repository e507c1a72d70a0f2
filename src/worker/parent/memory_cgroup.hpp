#pragma once

#include "base/unique_fd.hpp"

#include <leanhost/worker_facts.hpp>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace leanhost::worker {

/// What cgroups are asked of. Tests put folders of their own in its place.
struct CgroupSystem {
    std::filesystem::path mounts = "/proc/self/mountinfo";
    std::filesystem::path membership = "/proc/self/cgroup";
    /// As mkdir(2) and rmdir(2): 0, or -1 with errno set.
    std::function<int(const char*)> make_folder = {};
    std::function<int(const char*)> remove_folder = {};
};

/// Where a cgroup that bounds memory may be made.
struct CgroupPlace {
    std::filesystem::path folder; ///< of the cgroup that is to be its parent
    bool is_v2 = false;

    bool operator==(const CgroupPlace&) const = default;
};

/// The cgroup that holds this program, in the hierarchy whose memory controller can be used: that
/// of version 1 if the controller is mounted there, else version 2's.
/// Throws Failure `not_found` (none is mounted, or it lies outside what is mounted here).
CgroupPlace find_own_cgroup(const CgroupSystem& system = {});

/// A cgroup for worker processes with a limit of memory, made for its owner and removed with it.
/// Its folder is locked meanwhile: one that a killed program has left is taken away by the next
/// that makes one beside it. Not thread-safe; `status` and `processes` are.
class MemoryCgroup {
public:
    /// Makes `leanhost-PID-NUMBER` in `parent`, this program's own cgroup when it is empty, and
    /// bounds what is in it: memory, page cache included, and swap where the kernel counts it.
    /// Throws Failure `not_found`, `unsupported` (no memory controller in `parent`), `io`.
    MemoryCgroup(std::uint64_t limit_bytes,
                 const std::filesystem::path& parent,
                 CgroupSystem system = {});
    MemoryCgroup(const MemoryCgroup&) = delete;
    MemoryCgroup& operator=(const MemoryCgroup&) = delete;
    /// Removes it, when nothing lives in it. A process that ends is in it for a moment after its
    /// end is told, so this may take some milliseconds, and gives up after 200 ms.
    ~MemoryCgroup();

    const std::filesystem::path& folder() const noexcept { return folder_; }
    /// A process that writes "0" to it moves itself into the cgroup.
    int processes() const noexcept { return processes_.get(); }
    /// As the kernel tells now.
    CgroupStatus status() const;

private:
    void make_folder(const std::filesystem::path& parent);
    void set_limits(std::uint64_t limit_bytes);
    std::optional<std::uint64_t> count_kills() const;

    const CgroupSystem system_;
    const bool is_v2_;
    std::uint64_t limit_bytes_ = 0;
    std::filesystem::path folder_;
    UniqueFd lock_;
    UniqueFd processes_;
};

/// What a pool that asks for a cgroup would get in this program. Makes one and removes it.
CgroupStatus probe_memory_cgroup();

} // namespace leanhost::worker
