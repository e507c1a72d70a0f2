#pragma once

#include "base/unique_fd.hpp"

#include <leanhost/worker_facts.hpp>

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace leanhost::worker {

/// What a worker process starts with.
struct SpawnOptions {
    std::filesystem::path executable;
    std::vector<std::string> arguments = {};   ///< after `--socket 3`
    std::vector<std::string> environment = {}; ///< NAME=value; replaces the parent's of that name
    std::uint64_t data_limit_bytes = 0;        ///< RLIMIT_DATA; 0: as the parent's
    bool may_fork = false;                     ///< a template forks children of its own
    /// A cgroup's list of processes, open for writing, to which the worker adds itself; -1: none.
    int cgroup_processes = -1;
    /// The strongest to try; weaker ones follow when it cannot be had.
    Confinement strongest = Confinement::pid_namespace;
};

/// A process that was started, and our ends of what connects us to it.
struct SpawnedProcess {
    ::pid_t pid = -1;
    UniqueFd pidfd;
    UniqueFd socket;
    UniqueFd output;
    UniqueFd errors;
    Confinement confinement = Confinement::none;
    /// Why it is not in the cgroup that it was to be in; empty when it is, or was to be in none.
    std::string outside_cgroup = {};
};

/// Our ends and a child's of socket, stdout and stderr. Ours do not block.
struct ChildChannels {
    UniqueFd socket, output, errors;
    UniqueFd child_socket, child_output, child_errors;
};
/// Throws Failure `resource_exhausted`.
ChildChannels open_child_channels();

/// Starts a worker. It is the leader of a session of its own, dies when the calling thread does
/// (call it on a thread that lives on), writes no core dump, inherits no descriptor but its own,
/// and is the first to go when the machine runs out of memory.
/// Cost: about a millisecond, whatever the calling process holds: memory is not copied.
/// Throws Failure `resource_exhausted`, `not_found` (no such program), `io`.
SpawnedProcess spawn(const SpawnOptions& options);

/// What `spawn` would give a worker on this machine. Tries it once.
Confinement probe_confinement();

/// `leanhost-worker`: what LEANHOST_WORKER names, else beside this program, else on PATH.
/// Throws Failure `not_found` that says where it looked.
std::filesystem::path find_worker_executable();

} // namespace leanhost::worker
