#include "cli/run/launched_command.hpp"

#include "base/failure.hpp"
#include "cli/child_process.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

namespace leanhost::cli {
namespace {

using Clock = std::chrono::steady_clock;

// SIGUSR1 asks for the report, SIGCHLD is ours; the others go on to the command.
constexpr int handled_signals[] = {SIGCHLD, SIGUSR1, SIGUSR2, SIGTERM,
                                   SIGINT,  SIGQUIT, SIGHUP,  SIGCONT};

sigset_t handled_signal_set() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : handled_signals)
        sigaddset(&set, signal);
    return set;
}

::pid_t spawn(const std::vector<std::string>& command,
              const std::vector<std::string>& environment,
              const sigset_t& mask) {
    std::vector<char*> argv;
    for (const std::string& argument : command)
        argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &mask);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    ::pid_t pid = -1;
    const int error = ::posix_spawnp(&pid, argv[0], nullptr, &attributes, argv.data(),
                                     environment_with(environment).data());
    posix_spawnattr_destroy(&attributes);
    if (error != 0) {
        fail(error == ENOENT ? ErrorCode::not_found : ErrorCode::io,
             fmt::format("cannot run {}: {}", command[0], std::strerror(error)),
             {{"command", command[0]}});
    }
    return pid;
}

} // namespace

LaunchedCommand::LaunchedCommand(const std::vector<std::string>& command,
                                 const std::vector<std::string>& environment) {
    const sigset_t handled = handled_signal_set();
    sigset_t before;
    sigprocmask(SIG_BLOCK, &handled, &before);
    signals_ = UniqueFd(::signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!signals_)
        fail(ErrorCode::io, fmt::format("cannot wait for signals: {}", std::strerror(errno)));
    // Ignored by whoever started us, it would never come, and nobody could be waited for.
    ::signal(SIGCHLD, SIG_DFL); // NOLINT(cert-err33-c): it can always be set
    // A command's orphans stay in sight. Ignored on purpose: without it they just leave the tree.
    static_cast<void>(::prctl(PR_SET_CHILD_SUBREAPER, 1));
    pid_ = spawn(command, environment, before);
}

int LaunchedCommand::wait(int interval_ms,
                          const std::function<void()>& tick,
                          const std::function<void()>& on_demand) {
    auto next = Clock::now();
    while (!status_) {
        const auto now = Clock::now();
        if (now >= next) {
            tick();
            // Where looking takes long, look less often: it may take a twentieth of the time.
            const auto cost = Clock::now() - now;
            next = Clock::now() +
                   std::max<Clock::duration>(std::chrono::milliseconds(interval_ms), 19 * cost);
        }
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now());
        pollfd ready{signals_.get(), POLLIN, 0};
        if (::poll(&ready, 1, static_cast<int>(std::max<std::int64_t>(0, left.count()))) > 0)
            handle_signal(on_demand);
    }
    return *status_;
}

void LaunchedCommand::handle_signal(const std::function<void()>& on_demand) {
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
        const int signal = static_cast<int>(info.ssi_signo);
        if (signal == SIGCHLD) {
            reap();
        } else if (signal == SIGUSR1) {
            on_demand();
        } else if (info.ssi_code != SI_KERNEL && !status_) {
            // From the terminal (SI_KERNEL) the whole foreground group has it already.
            ::kill(pid_, signal);
        }
    }
}

void LaunchedCommand::reap() {
    for (;;) {
        int status = 0;
        const ::pid_t ended = ::waitpid(-1, &status, WNOHANG);
        if (ended <= 0)
            return;
        if (ended == pid_)
            status_ = status;
    }
}

int end_as(int wait_status) {
    if (WIFEXITED(wait_status))
        return WEXITSTATUS(wait_status);
    const int signal = WTERMSIG(wait_status);
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    ::signal(signal, SIG_DFL); // NOLINT(cert-err33-c): SIGKILL cannot be set and needs not
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, signal);
    ::raise(signal);
    sigprocmask(SIG_UNBLOCK, &only, nullptr);
    return 128 + signal; // a signal that does not end a process, as a shell would tell it
}

} // namespace leanhost::cli
