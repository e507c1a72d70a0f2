#include "cli/child_process.hpp"

#include "base/guard.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

extern char** environ; // NOLINT(readability-redundant-declaration): POSIX wants it declared

namespace leanhost::cli {
namespace {

[[noreturn]] void fail_errno(std::string_view what, int error) {
    fail(ErrorCode::io, fmt::format("{}: {}", what, std::strerror(error)));
}

std::string_view variable_name(std::string_view entry) {
    return entry.substr(0, entry.find('='));
}

// The child is killed and waited for unless `wait` was called.
class Child {
public:
    Child(const std::vector<std::string>& arguments,
          const std::vector<std::string>& environment,
          int report_fd) {
        std::vector<char*> argv{const_cast<char*>("leanhost")};
        for (const std::string& argument : arguments)
            argv.push_back(const_cast<char*>(argument.c_str()));
        argv.push_back(nullptr);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, report_fd, child_report_fd);
        const int error = posix_spawn(&pid_, "/proc/self/exe", &actions, nullptr, argv.data(),
                                      environment_with(environment).data());
        posix_spawn_file_actions_destroy(&actions);
        if (error != 0)
            fail_errno("cannot start a child process", error);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        if (pid_ < 0)
            return;
        ::kill(pid_, SIGKILL);
        static_cast<void>(wait());
    }

    int wait() {
        int status = 0;
        pid_t ended = -1;
        do {
            ended = ::waitpid(pid_, &status, 0);
        } while (ended < 0 && errno == EINTR);
        pid_ = -1;
        // Where somebody else reaps our children (SIGCHLD ignored), how it ended is not known: not
        // well, then.
        return ended < 0 ? W_EXITCODE(255, 0) : status;
    }

private:
    pid_t pid_ = -1;
};

void for_each_line(int fd, const std::function<void(std::string_view)>& line) {
    std::string pending;
    std::array<char, 16 * 1024> buffer;
    for (;;) {
        const ssize_t n = ::read(fd, buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            fail_errno("cannot read from the child process", errno);
        if (n == 0)
            return;
        pending.append(buffer.data(), static_cast<std::size_t>(n));
        std::size_t start = 0;
        for (std::size_t end; (end = pending.find('\n', start)) != std::string::npos;
             start = end + 1) {
            line(std::string_view(pending).substr(start, end - start));
        }
        pending.erase(0, start);
    }
}

} // namespace

std::vector<char*> environment_with(const std::vector<std::string>& entries) {
    std::vector<char*> result;
    for (const std::string& entry : entries)
        result.push_back(const_cast<char*>(entry.c_str()));
    for (char** own = environ; *own != nullptr; ++own) {
        const bool is_replaced =
            std::any_of(entries.begin(), entries.end(), [&](const std::string& entry) {
                return variable_name(entry) == variable_name(*own);
            });
        if (!is_replaced)
            result.push_back(*own);
    }
    result.push_back(nullptr);
    return result;
}

Expected<void> run_self(const std::vector<std::string>& arguments,
                        const std::vector<std::string>& environment,
                        const std::function<void(std::string_view)>& line) {
    return guarded("run_self", [&] {
        int fds[2];
        if (::pipe2(fds, O_CLOEXEC) != 0)
            fail_errno("cannot make a pipe", errno);
        UniqueFd read_end(fds[0]);
        UniqueFd write_end(fds[1]);
        // dup2 onto itself would keep the close-on-exec flag, so the pipe's ends stay clear of
        // descriptor 3.
        if (write_end.get() == child_report_fd) {
            write_end = UniqueFd(::fcntl(write_end.get(), F_DUPFD_CLOEXEC, child_report_fd + 1));
            if (!write_end)
                fail_errno("cannot duplicate a descriptor", errno);
        }
        Child child(arguments, environment, write_end.get());
        write_end.reset();
        for_each_line(read_end.get(), line);
        const int status = child.wait();
        if (WIFSIGNALED(status)) {
            fail(ErrorCode::child_exited,
                 fmt::format("the child process was ended by signal {} ({})", WTERMSIG(status),
                             strsignal(WTERMSIG(status))),
                 {{"signal", static_cast<std::uint64_t>(WTERMSIG(status))}});
        }
        if (WEXITSTATUS(status) != 0) {
            fail(ErrorCode::child_exited,
                 fmt::format("the child process ended with status {}; what it said is above",
                             WEXITSTATUS(status)),
                 {{"status", static_cast<std::uint64_t>(WEXITSTATUS(status))}});
        }
    });
}

} // namespace leanhost::cli
