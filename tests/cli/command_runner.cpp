#include "cli/command_runner.hpp"

#include "cli/child_process.hpp"
#include "support/temp_dir.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>

#include <fstream>
#include <iterator>

namespace leanhost::test {
namespace {

std::string content_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

} // namespace

Outcome run_program(const std::vector<std::string>& arguments,
                    const std::vector<std::string>& environment,
                    void (*while_running)(int pid)) {
    const TempDir folder;
    const std::string out = (folder.path() / "out").string();
    const std::string err = (folder.path() / "err").string();
    std::vector<char*> argv;
    for (const std::string& argument : arguments)
        argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    constexpr int flags = O_CREAT | O_WRONLY | O_TRUNC;
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, out.c_str(), flags, 0600);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, err.c_str(), flags, 0600);
    ::pid_t pid = -1;
    const int error = ::posix_spawnp(&pid, argv[0], &files, nullptr, argv.data(),
                                     cli::environment_with(environment).data());
    posix_spawn_file_actions_destroy(&files);
    EXPECT_EQ(error, 0) << arguments[0];
    if (error != 0)
        return {};
    if (while_running != nullptr)
        while_running(pid);
    int status = 0;
    ::waitpid(pid, &status, 0);
    Outcome outcome;
    outcome.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    outcome.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    outcome.out = content_of(out);
    outcome.err = content_of(err);
    return outcome;
}

} // namespace leanhost::test
