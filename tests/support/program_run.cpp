#include "support/program_run.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace leanhost::test {
namespace {

constexpr std::chrono::seconds patience{120};

std::string name_of(const std::string& entry) {
    return entry.substr(0, entry.find('='));
}

std::vector<std::string> environment_with(const std::vector<std::string>& entries) {
    std::vector<std::string> result;
    std::vector<std::string> names;
    for (const std::string& entry : entries) {
        names.push_back(name_of(entry));
        if (entry.find('=') != std::string::npos)
            result.push_back(entry);
    }
    for (char** own = environ; *own != nullptr; ++own) {
        if (std::find(names.begin(), names.end(), name_of(*own)) == names.end())
            result.emplace_back(*own);
    }
    return result;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (const std::string& text : texts)
        result.push_back(const_cast<char*>(text.c_str()));
    result.push_back(nullptr);
    return result;
}

struct Pipe {
    Pipe() { EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0); }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    ~Pipe() {
        ::close(ends[0]);
        close_writing();
    }
    void close_writing() {
        if (ends[1] >= 0)
            ::close(ends[1]);
        ends[1] = -1;
    }
    std::array<int, 2> ends{};
};

// Until both are closed. False: patience has ended.
bool read_both(const Pipe& out, const Pipe& err, ProgramRun& run) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    std::array<pollfd, 2> watched{{{out.ends[0], POLLIN, 0}, {err.ends[0], POLLIN, 0}}};
    while (watched[0].fd >= 0 || watched[1].fd >= 0) {
        if (std::chrono::steady_clock::now() > deadline)
            return false;
        ::poll(watched.data(), watched.size(), 1000);
        for (std::size_t i = 0; i < watched.size(); ++i) {
            if (watched[i].fd < 0 || watched[i].revents == 0)
                continue;
            std::array<char, 4096> text{};
            const ssize_t size = ::read(watched[i].fd, text.data(), text.size());
            if (size <= 0)
                watched[i].fd = -1;
            else
                (i == 0 ? run.out : run.err).append(text.data(), static_cast<std::size_t>(size));
        }
    }
    return true;
}

} // namespace

ProgramRun run_program(const std::vector<std::string>& arguments,
                       const std::vector<std::string>& environment,
                       void (*when_started)(int pid)) {
    ProgramRun run;
    Pipe out;
    Pipe err;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out.ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err.ends[1], STDERR_FILENO);
    const std::vector<std::string> environment_texts = environment_with(environment);
    pid_t pid = 0;
    const int error = posix_spawnp(&pid, arguments[0].c_str(), &actions, nullptr,
                                   pointers(arguments).data(), pointers(environment_texts).data());
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
        ADD_FAILURE() << "cannot start " << arguments[0] << ", errno " << error;
        return run;
    }
    out.close_writing();
    err.close_writing();
    if (when_started != nullptr)
        when_started(pid);
    if (!read_both(out, err, run)) {
        ADD_FAILURE() << arguments[0] << " does not come to an end";
        ::kill(pid, SIGKILL);
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    run.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    run.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return run;
}

} // namespace leanhost::test
