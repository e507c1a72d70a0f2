#include "worker/protocol/process_filter.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>

namespace leanhost::worker {
namespace {

using Allow = ProcessFilter::Allow;

// How a child ended that has installed a filter, if one is wanted, and then run `body`.
struct End {
    int exit_status = -1;
    int signal = 0;
};

End run_in_child(const ProcessFilter* filter, int (*body)()) {
    constexpr int not_installed = 120;
    const ::pid_t pid = ::fork();
    if (pid == 0)
        ::_exit(filter == nullptr || install_filter(filter->program()) ? body() : not_installed);
    int status = 0;
    if (pid < 0 || ::waitpid(pid, &status, 0) != pid)
        return {};
    EXPECT_FALSE(WIFEXITED(status) && WEXITSTATUS(status) == not_installed);
    return {.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
            .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0};
}

int run_without_filter(int (*body)()) {
    return run_in_child(nullptr, body).exit_status;
}
int run_with(Allow allow, int (*body)()) {
    const ProcessFilter filter(allow);
    return run_in_child(&filter, body).exit_status;
}

// What follows runs in a child and returns its exit status: 0, or the errno of what failed.

// Of a call that has returned in the parent (pid > 0), in its child (0), or with an error.
int result_of(::pid_t pid) {
    if (pid < 0)
        return errno;
    if (pid == 0)
        ::_exit(0);
    return ::waitpid(pid, nullptr, 0) == pid ? 0 : errno;
}

int try_fork() {
    return result_of(::fork());
}
int try_vfork() {
    return result_of(::vfork()); // NOLINT: it is what this is about
}
int try_posix_spawn() {
    char program[] = "/bin/true";
    char* const arguments[] = {program, nullptr};
    ::pid_t pid = -1;
    if (const int error = ::posix_spawn(&pid, program, nullptr, nullptr, arguments, environ))
        return error;
    return result_of(pid);
}
int try_clone_of_a_process() {
    return result_of(static_cast<::pid_t>(::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)));
}
int try_clone3() {
    // Without arguments it would fail with EINVAL, had it been let through.
    return ::syscall(SYS_clone3, nullptr, 0) < 0 ? errno : 0;
}
int start_threads() {
    int num_run = 0;
    for (int i = 0; i < 4; ++i)
        std::thread([&] { ++num_run; }).join();
    return num_run == 4 ? 0 : 1;
}
int try_fork_from_a_thread() {
    int result = -1;
    std::thread([&] { result = try_fork(); }).join();
    return result;
}
// The shell forks for the parentheses.
int exec_a_shell_that_forks() {
    ::execl("/bin/sh", "sh", "-c", "exec 2>/dev/null; (:); (:)", nullptr);
    return 121;
}
int fork_after_a_second_filter() {
    const ProcessFilter stricter(Allow::threads);
    return install_filter(stricter.program()) ? try_fork() : 122;
}

int probe_install() {
    const ProcessFilter filter(Allow::threads);
    return install_filter(filter.program()) ? 0 : errno;
}

class ProcessFilterTest : public testing::Test {
protected:
    void SetUp() override {
        if (const int refusal = run_without_filter(probe_install); refusal != 0) {
            GTEST_SKIP() << "a seccomp filter cannot be installed here: " << std::strerror(refusal);
        }
    }
};

TEST_F(ProcessFilterTest, WithoutItAllIsAllowed) {
    EXPECT_EQ(run_without_filter(try_fork), 0);
    EXPECT_EQ(run_without_filter(try_vfork), 0);
    EXPECT_EQ(run_without_filter(try_posix_spawn), 0);
    EXPECT_EQ(run_without_filter(try_clone_of_a_process), 0);
    EXPECT_EQ(run_without_filter(start_threads), 0);
    EXPECT_EQ(run_without_filter(exec_a_shell_that_forks), 0);
}

TEST_F(ProcessFilterTest, ThreadsCanBeStarted) {
    EXPECT_EQ(run_with(Allow::threads, start_threads), 0);
}

TEST_F(ProcessFilterTest, ProcessesCannotBeStarted) {
    EXPECT_EQ(run_with(Allow::threads, try_fork), EPERM);
    EXPECT_EQ(run_with(Allow::threads, try_vfork), EPERM);
    EXPECT_EQ(run_with(Allow::threads, try_posix_spawn), EPERM);
    EXPECT_EQ(run_with(Allow::threads, try_clone_of_a_process), EPERM);
}

TEST_F(ProcessFilterTest, ThreadsThatItStartsCannotForkEither) {
    EXPECT_EQ(run_with(Allow::threads, try_fork_from_a_thread), EPERM);
}

// Its flags lie in memory, where a filter cannot read them; the C library then takes clone.
TEST_F(ProcessFilterTest, Clone3SeemsNotToExist) {
    EXPECT_EQ(run_with(Allow::threads, try_clone3), ENOSYS);
    EXPECT_EQ(run_with(Allow::threads_and_fork, try_clone3), ENOSYS);
}

TEST_F(ProcessFilterTest, ItStaysOverExec) {
    EXPECT_GT(run_with(Allow::threads, exec_a_shell_that_forks), 0);
}

TEST_F(ProcessFilterTest, TemplateCanForkAndStartThreads) {
    EXPECT_EQ(run_with(Allow::threads_and_fork, try_fork), 0);
    EXPECT_EQ(run_with(Allow::threads_and_fork, start_threads), 0);
}

TEST_F(ProcessFilterTest, SecondFilterTakesAwayWhatTheFirstAllowed) {
    EXPECT_EQ(run_with(Allow::threads_and_fork, fork_after_a_second_filter), EPERM);
}

#if defined(__x86_64__)
int try_fork_call_of_the_kernel() {
    return result_of(static_cast<::pid_t>(::syscall(SYS_fork)));
}
int try_vfork_of_the_x32_table() {
    return ::syscall(0x4000'0000L | SYS_vfork) < 0 ? errno : 0;
}
int getpid_of_the_32_bit_table() {
    std::signal(SIGSEGV, SIG_DFL); // a sanitizer handles it otherwise
    long number = 20;
    asm volatile("int $0x80" : "+a"(number) : : "memory", "cc");
    return 0;
}

TEST_F(ProcessFilterTest, CallsThatTheCLibraryDoesNotUseAreDeniedAsWell) {
    EXPECT_EQ(run_with(Allow::threads, try_fork_call_of_the_kernel), EPERM);
    EXPECT_EQ(run_with(Allow::threads, try_vfork_of_the_x32_table), EPERM);
}

TEST_F(ProcessFilterTest, AnotherTableOfSystemCallsEndsTheProcess) {
    if (run_without_filter(getpid_of_the_32_bit_table) != 0)
        GTEST_SKIP() << "this kernel has no 32-bit system calls";
    for (const Allow allow : {Allow::threads, Allow::threads_and_fork}) {
        const ProcessFilter filter(allow);
        EXPECT_EQ(run_in_child(&filter, getpid_of_the_32_bit_table).signal, SIGSYS);
    }
}
#endif

} // namespace
} // namespace leanhost::worker
