#pragma once

#include "base/unique_fd.hpp"

#include <sys/types.h>

#include <csignal>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace leanhost::cli {

/// The user's command as a child of this process: same terminal, process group, descriptors and
/// working folder. Signals that are sent to this process go on to it; those that the terminal sends
/// it gets by itself. One at a time in a process; not thread-safe.
class LaunchedCommand {
public:
    /// Blocks the signals that are passed on, adopts orphans below this process, and starts the
    /// command, found as a shell would. Throws Failure: not_found; io.
    LaunchedCommand(const std::vector<std::string>& command,
                    const std::vector<std::string>& environment);
    LaunchedCommand(const LaunchedCommand&) = delete;
    LaunchedCommand& operator=(const LaunchedCommand&) = delete;

    /// Waits until the command has ended, calling `tick` every `interval_ms`, and `on_demand` when
    /// somebody sends SIGUSR1. Reaps adopted orphans. Returns the wait status.
    int wait(int interval_ms,
             const std::function<void()>& tick,
             const std::function<void()>& on_demand);

    ::pid_t pid() const noexcept { return pid_; }

private:
    void handle_signal(const std::function<void()>& on_demand);
    void reap();

    ::pid_t pid_ = -1;
    std::optional<int> status_;
    UniqueFd signals_;
};

/// The exit status to end with, so that the caller sees what the command did. A command that a
/// signal ended makes this process end by the same one, without a core file of its own.
int end_as(int wait_status);

} // namespace leanhost::cli
