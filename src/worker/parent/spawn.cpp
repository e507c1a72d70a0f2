#include "worker/parent/spawn.hpp"

#include "base/failure.hpp"
#include "worker/protocol/process_filter.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <system_error>

namespace leanhost::worker {
namespace {

constexpr int child_socket_number = 3;

[[noreturn]] void fail_system(const char* what, int error) {
    fail(ErrorCode::resource_exhausted, fmt::format("cannot start a worker: {}: {}", what,
                                                    std::generic_category().message(error)));
}

// Everything that the child needs between birth and exec. It shares our memory until then, so it
// allocates nothing and calls only what a signal handler may.
struct ChildPlan {
    const char* executable;
    char* const* arguments;
    char* const* environment;
    int socket, output, errors, null_device;
    int cgroup_processes; // -1: none
    std::uint64_t data_limit_bytes;
    bool is_in_user_namespace;
    char uid_map[64];
    char gid_map[64];
    const ::sock_fprog* filter; // null: none
    ::sigset_t signal_mask;
    int failure_pipe; // closed by exec; a step that fails writes a StepFailure
};

constexpr const char* cgroup_step = "cgroup"; // whose failure ends nothing

struct StepFailure {
    const char* step; // a literal, which both processes have
    int error;
};

void write_file(const char* path, const char* text) noexcept {
    const int file = ::open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0)
        return;
    // Ignored on purpose: without the map the worker runs as nobody and says what it cannot open.
    static_cast<void>(!::write(file, text, std::strlen(text)));
    ::close(file);
}

void tell_failure(const ChildPlan& plan, const char* step) noexcept {
    const StepFailure failure{step, errno};
    static_cast<void>(!::write(plan.failure_pipe, &failure, sizeof failure));
}

int give_up(const ChildPlan& plan, const char* step) noexcept {
    tell_failure(plan, step);
    return 127;
}

// "0" is who writes it, whatever its pid is called outside its pid namespace. What it uses from
// its exec on is counted there.
void enter_cgroup(const ChildPlan& plan) noexcept {
    if (plan.cgroup_processes >= 0 && ::write(plan.cgroup_processes, "0", 1) < 0)
        tell_failure(plan, cgroup_step);
}

bool place_descriptors(const ChildPlan& plan) noexcept {
    // Above all that is to be replaced, so that no step closes what a later one needs.
    const int socket = ::fcntl(plan.socket, F_DUPFD, 16);
    return socket >= 0 && ::dup2(plan.null_device, STDIN_FILENO) >= 0 &&
           ::dup2(plan.output, STDOUT_FILENO) >= 0 && ::dup2(plan.errors, STDERR_FILENO) >= 0 &&
           ::dup2(socket, child_socket_number) >= 0;
}

void reset_signals(const ChildPlan& plan) noexcept {
    struct ::sigaction action {};
    action.sa_handler = SIG_DFL;
    for (int signal = 1; signal < NSIG; ++signal)
        ::sigaction(signal, &action, nullptr);
    ::sigprocmask(SIG_SETMASK, &plan.signal_mask, nullptr);
}

void set_limits(const ChildPlan& plan) noexcept {
    const ::rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    if (plan.data_limit_bytes != 0) {
        const ::rlimit data{plan.data_limit_bytes, plan.data_limit_bytes};
        ::setrlimit(RLIMIT_DATA, &data);
    }
    write_file("/proc/self/oom_score_adj", "500");
}

int child_main(void* opaque) noexcept {
    const ChildPlan& plan = *static_cast<const ChildPlan*>(opaque);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (plan.is_in_user_namespace) {
        write_file("/proc/self/setgroups", "deny");
        write_file("/proc/self/uid_map", plan.uid_map);
        write_file("/proc/self/gid_map", plan.gid_map);
    }
    ::setsid();
    enter_cgroup(plan);
    set_limits(plan);
    if (!place_descriptors(plan))
        return give_up(plan, "dup");
    ::syscall(SYS_close_range, child_socket_number + 1, UINT_MAX, CLOSE_RANGE_CLOEXEC);
    reset_signals(plan);
    if (plan.filter != nullptr && !install_filter(*plan.filter))
        return give_up(plan, "seccomp");
    ::execve(plan.executable, plan.arguments, plan.environment);
    return give_up(plan, "execve");
}

// A stack for the child until exec; a guard is not needed, its depth is known.
class ChildStack {
public:
    static constexpr std::size_t size = std::size_t{64} << 10;
    ChildStack()
        : bottom_(::mmap(nullptr,
                         size,
                         PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK,
                         -1,
                         0)) {
        if (bottom_ == MAP_FAILED)
            fail_system("mmap", errno);
    }
    ChildStack(const ChildStack&) = delete;
    ChildStack& operator=(const ChildStack&) = delete;
    ~ChildStack() { ::munmap(bottom_, size); }
    void* top() const noexcept { return static_cast<char*>(bottom_) + size; }

private:
    void* const bottom_;
};

std::string variable_name(const std::string& assignment) {
    return assignment.substr(0, assignment.find('='));
}

std::vector<std::string> merged_environment(const std::vector<std::string>& ours) {
    std::vector<std::string> merged = ours;
    for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
        const std::string name = variable_name(*variable);
        const bool is_replaced = std::any_of(ours.begin(), ours.end(), [&](const std::string& own) {
            return variable_name(own) == name;
        });
        if (!is_replaced)
            merged.emplace_back(*variable);
    }
    return merged;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (std::string& text : texts)
        pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

// What the kernel is asked for, strongest first.
struct Attempt {
    Confinement confinement;
    int flags;
};

std::vector<Attempt> attempts(Confinement strongest) {
    std::vector<Attempt> list;
    if (strongest == Confinement::pid_namespace) {
        list.push_back({Confinement::pid_namespace, CLONE_NEWPID});
        list.push_back({Confinement::pid_namespace, CLONE_NEWPID | CLONE_NEWUSER});
    }
    if (strongest != Confinement::none)
        list.push_back({Confinement::no_new_processes, 0});
    list.push_back({Confinement::none, 0});
    return list;
}

bool is_denied(int error) noexcept {
    return error == EPERM || error == EACCES || error == EINVAL || error == ENOSPC ||
           error == ENOSYS || error == EUSERS;
}

class SignalsBlocked {
public:
    SignalsBlocked() {
        ::sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_BLOCK, &all, &before_);
    }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;
    ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

private:
    ::sigset_t before_;
};

#ifdef __SANITIZE_THREAD__
// The thread sanitizer takes a clone that shares memory for a fork, and marks the parent as its
// child. Here the child has a copy, and the call is one that the sanitizer does not see.
::pid_t clone_child(ChildPlan& plan, int flags, int* pidfd) {
    const long pid =
        ::syscall(SYS_clone, CLONE_PIDFD | SIGCHLD | flags, nullptr, pidfd, nullptr, 0);
    if (pid == 0)
        ::_exit(child_main(&plan));
    return static_cast<::pid_t>(pid);
}
#else
// Shares memory until exec: nothing is copied, whatever this process holds.
::pid_t clone_child(ChildPlan& plan, int flags, int* pidfd) {
    const ChildStack stack;
    return ::clone(&child_main, stack.top(), CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD | flags,
                   &plan, pidfd);
}
#endif

// What went wrong in the child before it was the worker.
struct ChildFailures {
    std::optional<StepFailure> last_step; // that ended it
    std::optional<StepFailure> cgroup;
};

ChildFailures read_failures(const UniqueFd& pipe) {
    ChildFailures failures;
    for (StepFailure told{}; ::read(pipe.get(), &told, sizeof told) == sizeof told;)
        (told.step == cgroup_step ? failures.cgroup : failures.last_step) = told;
    return failures;
}

// Clones, and waits until the child has exec'ed or ended. Returns its pid, or -1 with errno set;
// steps that failed in the child are put into `failed`.
::pid_t start(ChildPlan& plan, const Attempt& attempt, UniqueFd& pidfd, ChildFailures& failed) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    const UniqueFd failures(ends[0]);
    UniqueFd failure_pipe(ends[1]);
    plan.failure_pipe = failure_pipe.get();
    plan.is_in_user_namespace = (attempt.flags & CLONE_NEWUSER) != 0;
    int descriptor = -1;
    ::pid_t pid = -1;
    int error = 0;
    {
        // A handler of ours must not run in the child, which may have our memory.
        const SignalsBlocked blocked;
        pid = clone_child(plan, attempt.flags, &descriptor);
        error = errno;
    }
    failure_pipe.reset();
    if (pid >= 0) {
        pidfd = UniqueFd(descriptor);
        failed = read_failures(failures);
    }
    errno = error;
    return pid;
}

void bury(const UniqueFd& pidfd) noexcept {
    ::siginfo_t ignored;
    static_cast<void>(::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<::id_t>(pidfd.get()),
                               &ignored, WEXITED));
}

[[noreturn]] void fail_exec(const std::filesystem::path& executable, const StepFailure& failure) {
    const bool is_missing = failure.error == ENOENT || failure.error == EACCES;
    fail(is_missing ? ErrorCode::not_found : ErrorCode::resource_exhausted,
         fmt::format("cannot start a worker: {}: {}: {}", failure.step, executable.string(),
                     std::generic_category().message(failure.error)));
}

SpawnedProcess start_strongest(ChildPlan& plan, const SpawnOptions& options) {
    const ProcessFilter filter(options.may_fork ? ProcessFilter::Allow::threads_and_fork
                                                : ProcessFilter::Allow::threads);
    int last_error = 0;
    for (const Attempt& attempt : attempts(options.strongest)) {
        const bool is_filtered = attempt.confinement == Confinement::no_new_processes;
        plan.filter = is_filtered ? &filter.program() : nullptr;
        ChildFailures failed;
        SpawnedProcess process;
        process.pid = start(plan, attempt, process.pidfd, failed);
        if (process.pid < 0) {
            last_error = errno;
            if (attempt.flags == 0 || !is_denied(last_error))
                break;
            continue;
        }
        if (failed.last_step) {
            bury(process.pidfd);
            if (is_filtered && std::strcmp(failed.last_step->step, "seccomp") == 0)
                continue;
            fail_exec(options.executable, *failed.last_step);
        }
        if (failed.cgroup)
            process.outside_cgroup = std::generic_category().message(failed.cgroup->error);
        process.confinement = attempt.confinement;
        return process;
    }
    fail_system("clone", last_error);
}

} // namespace

ChildChannels open_child_channels() {
    ChildChannels channels;
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        fail_system("socketpair", errno);
    channels.socket = UniqueFd(pair[0]);
    channels.child_socket = UniqueFd(pair[1]);
    if (::pipe2(pair, O_CLOEXEC) != 0)
        fail_system("pipe", errno);
    channels.output = UniqueFd(pair[0]);
    channels.child_output = UniqueFd(pair[1]);
    if (::pipe2(pair, O_CLOEXEC) != 0)
        fail_system("pipe", errno);
    channels.errors = UniqueFd(pair[0]);
    channels.child_errors = UniqueFd(pair[1]);
    for (const int ours : {channels.socket.get(), channels.output.get(), channels.errors.get()})
        ::fcntl(ours, F_SETFL, O_NONBLOCK);
    return channels;
}

SpawnedProcess spawn(const SpawnOptions& options) {
    ChildChannels channels = open_child_channels();
    const UniqueFd null_device(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!null_device)
        fail_system("/dev/null", errno);

    std::vector<std::string> arguments{options.executable.string(), "--socket",
                                       std::to_string(child_socket_number)};
    arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
    const std::vector<char*> argument_pointers = pointers(arguments);
    std::vector<std::string> environment = merged_environment(options.environment);
    const std::vector<char*> environment_pointers = pointers(environment);

    ChildPlan plan{};
    plan.executable = options.executable.c_str();
    plan.arguments = argument_pointers.data();
    plan.environment = environment_pointers.data();
    plan.socket = channels.child_socket.get();
    plan.output = channels.child_output.get();
    plan.errors = channels.child_errors.get();
    plan.null_device = null_device.get();
    plan.cgroup_processes = options.cgroup_processes;
    plan.data_limit_bytes = options.data_limit_bytes;
    std::snprintf(plan.uid_map, sizeof plan.uid_map, "%u %u 1", ::geteuid(), ::geteuid());
    std::snprintf(plan.gid_map, sizeof plan.gid_map, "%u %u 1", ::getegid(), ::getegid());
    ::sigemptyset(&plan.signal_mask);

    SpawnedProcess process = start_strongest(plan, options);
    process.socket = std::move(channels.socket);
    process.output = std::move(channels.output);
    process.errors = std::move(channels.errors);
    return process;
}

Confinement probe_confinement() {
    SpawnOptions options;
    options.executable = "/bin/true";
    const SpawnedProcess process = spawn(options);
    bury(process.pidfd);
    return process.confinement;
}

namespace {

std::optional<std::filesystem::path> existing_program(const std::filesystem::path& path) {
    if (::access(path.c_str(), X_OK) == 0)
        return path;
    return std::nullopt;
}

std::optional<std::filesystem::path> program_on_path(const char* name) {
    const char* const folders = std::getenv("PATH");
    std::string_view left = folders == nullptr ? "" : folders;
    while (!left.empty()) {
        const std::string_view folder = left.substr(0, left.find(':'));
        left.remove_prefix(std::min(left.size(), folder.size() + 1));
        if (auto found = existing_program(std::filesystem::path(folder) / name))
            return found;
    }
    return std::nullopt;
}

} // namespace

std::filesystem::path find_worker_executable() {
    constexpr const char* name = "leanhost-worker";
    if (const char* const named = std::getenv("LEANHOST_WORKER");
        named != nullptr && *named != '\0')
        return named;
    std::error_code ignored;
    const std::filesystem::path here =
        std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
    if (const auto beside = existing_program(here / name))
        return *beside;
    if (const auto found = program_on_path(name))
        return *found;
    fail(ErrorCode::not_found,
         fmt::format("no {} beside this program ({}) or on PATH; name it with LEANHOST_WORKER or "
                     "WorkerOptions::executable",
                     name, here.string()));
}

} // namespace leanhost::worker
