#include "worker/child/template_loop.hpp"

#include "base/failure.hpp"
#include "worker/child/worker_loop.hpp"
#include "worker/protocol/process_filter.hpp"
#include "worker/protocol/wire_values.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

namespace leanhost::worker {
namespace {

::sigset_t child_signal() noexcept {
    ::sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGCHLD);
    return set;
}

UniqueFd open_child_signals() {
    const ::sigset_t set = child_signal();
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    UniqueFd signals(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!signals)
        fail(ErrorCode::io, fmt::format("signalfd: {}", std::generic_category().message(errno)));
    return signals;
}

UniqueFd open_pidfd(::pid_t pid) noexcept {
    return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

} // namespace

TemplateLoop::TemplateLoop(FrameChannel& channel, RequestHandler& handler)
    : channel_(channel), handler_(handler), child_signals_(open_child_signals()) {}

std::optional<UniqueFd> TemplateLoop::run() {
    while (true) {
        while (const std::optional<std::string_view> frame = channel_.next_frame()) {
            switch (take(*frame)) {
            case Next::go_on:
                break;
            case Next::end:
                return std::nullopt;
            case Next::is_child:
                return std::move(child_socket_);
            }
        }
        if (wait_for_input() && !channel_.receive_some())
            return std::nullopt;
    }
}

// Whether there is input from the parent; children that ended meanwhile are reaped.
bool TemplateLoop::wait_for_input() {
    ::pollfd inputs[] = {{.fd = channel_.descriptor(), .events = POLLIN, .revents = 0},
                         {.fd = child_signals_.get(), .events = POLLIN, .revents = 0}};
    if (::poll(inputs, 2, -1) < 0)
        return false;
    if (inputs[1].revents != 0)
        reap();
    return inputs[0].revents != 0;
}

TemplateLoop::Next TemplateLoop::take(std::string_view frame) {
    wire::ToWorker message;
    if (!message.ParseFromArray(frame.data(), static_cast<int>(frame.size())))
        fail(ErrorCode::protocol_error, "a frame that holds no message");
    switch (message.body_case()) {
    case wire::ToWorker::kShutdown:
        return Next::end;
    case wire::ToWorker::kFork:
        return fork_child(message);
    case wire::ToWorker::kCancel:
    case wire::ToWorker::kCredit:
        return Next::go_on; // what they were for has ended: requests run one after the other
    default:
        break;
    }
    // Nobody can give credit while the only thread runs the request, so rows have all they need.
    RowWriter rows(channel_, message.request_id(), UINT64_MAX, {});
    run_and_answer(channel_, handler_, message, rows, {});
    return Next::go_on;
}

TemplateLoop::Next TemplateLoop::fork_child(const wire::ToWorker& message) {
    UniqueFd socket = channel_.take_descriptor();
    UniqueFd output = channel_.take_descriptor();
    UniqueFd errors = channel_.take_descriptor();
    wire::FromWorker answer;
    answer.set_request_id(message.request_id());
    const ::pid_t pid = ::fork();
    if (pid == 0) {
        become_child(std::move(socket), std::move(output), std::move(errors), message.fork());
        return Next::is_child;
    }
    if (pid < 0) {
        *answer.mutable_failed() =
            to_wire(Error(ErrorCode::resource_exhausted,
                          fmt::format("fork: {}", std::generic_category().message(errno))));
        channel_.write(answer);
        return Next::go_on;
    }
    children_.emplace(pid, message.fork().child());
    // It cannot be reaped before we do it, so this is that child, even if it has ended already.
    const UniqueFd pidfd = open_pidfd(pid);
    if (!pidfd) {
        ::kill(pid, SIGKILL);
        *answer.mutable_failed() =
            to_wire(Error(ErrorCode::resource_exhausted,
                          fmt::format("pidfd_open: {}", std::generic_category().message(errno))));
        channel_.write(answer);
        return Next::go_on;
    }
    answer.mutable_summary()->mutable_fork()->set_child(message.fork().child());
    answer.mutable_summary()->set_checksum(RowChecksum().value());
    const int descriptor = pidfd.get();
    channel_.write(answer, std::span(&descriptor, 1));
    return Next::go_on;
}

// The template's own descriptors go: its socket would keep a connection open that is not ours.
void TemplateLoop::become_child(UniqueFd socket,
                                UniqueFd output,
                                UniqueFd errors,
                                const wire::ForkRequest& request) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(output.get(), STDOUT_FILENO);
    ::dup2(errors.get(), STDERR_FILENO);
    channel_.close();
    child_signals_.reset();
    children_.clear();
    const ::sigset_t set = child_signal();
    ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
    if (const std::uint64_t data_limit = request.data_limit_bytes(); data_limit != 0) {
        const ::rlimit limit{.rlim_cur = data_limit, .rlim_max = data_limit};
        ::setrlimit(RLIMIT_DATA, &limit);
    }
    // What it starts would outlive it: in the template's pid namespace, and under its filter too,
    // which allows a fork. Ignored on purpose where there are no filters: all end with the
    // template.
    if (!request.may_start_processes())
        static_cast<void>(install_filter(ProcessFilter(ProcessFilter::Allow::threads).program()));
    child_socket_ = std::move(socket);
}

void TemplateLoop::reap() {
    ::signalfd_siginfo ignored[8];
    while (::read(child_signals_.get(), ignored, sizeof ignored) > 0) {
    }
    int status = 0;
    // Also those that are nobody's any more: in a pid namespace of its own, orphans come to us.
    for (::pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
        const auto child = children_.find(pid);
        if (child == children_.end())
            continue;
        wire::FromWorker message;
        wire::ChildExited& exited = *message.mutable_child_exited();
        exited.set_child(child->second);
        exited.set_exit_status(WIFEXITED(status) ? WEXITSTATUS(status) : -1);
        exited.set_signal(WIFSIGNALED(status) ? WTERMSIG(status) : 0);
        children_.erase(child);
        channel_.write(message);
    }
}

} // namespace leanhost::worker
