#pragma once

#include <linux/filter.h>

#include <vector>

namespace leanhost::worker {

/// A filter of system calls (seccomp) that keeps a process from starting others. Built beforehand,
/// installed by the process itself; it stays over exec, and children inherit it.
class ProcessFilter {
public:
    enum class Allow : bool {
        threads,          ///< fork, vfork and clone without CLONE_THREAD fail with EPERM
        threads_and_fork, ///< for a template: a plain fork is allowed as well
    };
    explicit ProcessFilter(Allow allow);
    ProcessFilter(const ProcessFilter&) = delete;
    ProcessFilter& operator=(const ProcessFilter&) = delete;

    const ::sock_fprog& program() const noexcept { return program_; }

private:
    std::vector<::sock_filter> instructions_;
    ::sock_fprog program_;
};

/// Installs it for the calling thread and all that it starts from then on. A signal handler may
/// call it.
bool install_filter(const ::sock_fprog& program) noexcept;

} // namespace leanhost::worker
