// A host program with a pool, to which something happens: it is killed, it is the first process of
// its pid namespace, it has no descriptors, processes or disk left. Exits with 0 when all was as it
// should be; says on stderr what was not. 77: this machine does not let it happen.
//
//   faulty_host SCENARIO WORKER LIBRARY-FOLDER CONFINEMENT started|forked
#include "worker_faults/leftovers.hpp"

#include <leanhost/drain_on_signal.hpp>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iostream>
#include <string_view>

namespace leanhost::test {
namespace {

using namespace std::chrono_literals;

[[noreturn]] void give_up(const std::string& what) {
    std::cerr << what << '\n';
    std::_Exit(1);
}
[[noreturn]] void skip(const std::string& why) {
    std::cerr << why << '\n';
    std::_Exit(77);
}
void require(bool holds, const std::string& what) {
    if (!holds)
        give_up(what);
}

template <class T>
T value_of(Expected<T> answer, const char* what) {
    require(answer.has_value(),
            std::string(what) + ": " + (answer ? "" : answer.error().message()));
    return *std::move(answer);
}

struct Arguments {
    std::string worker;
    std::string library;
    Confinement confinement = Confinement::pid_namespace;
    bool use_template = false;
};

Confinement confinement_from(std::string_view name) {
    for (const Confinement one : {Confinement::pid_namespace, Confinement::no_new_processes}) {
        if (name == confinement_name(one))
            return one;
    }
    return Confinement::none;
}

WorkerPoolOptions options_for(const Arguments& arguments) {
    WorkerPoolOptions pool;
    pool.max_workers = 4;
    pool.max_wait = 5s;
    pool.worker.executable = arguments.worker;
    pool.worker.runtime.search_path = {arguments.library};
    pool.worker.capability_libraries = {LEANHOST_HOSTILE_CAPABILITY};
    pool.worker.use_template = arguments.use_template;
    pool.worker.strongest_confinement = arguments.confinement;
    pool.worker.start_timeout = 5s;
    pool.worker.request_timeout = 5s;
    pool.worker.shutdown_grace = 500ms;
    return pool;
}

WorkerPool make(WorkerPoolOptions options) {
    return value_of(WorkerPool::make(std::move(options)), "no pool");
}

void require_serves(WorkerPool& pool, const char* when) {
    const WorkerLease lease = value_of(pool.acquire({"A"}), when);
    require(value_of(lease->list_declarations(0, 10), when).size() == 2,
            "other rows than there are");
}

void skip_unless(const WorkerPool& pool, Confinement confinement) {
    if (pool.snapshot().confinement != confinement)
        skip("cannot be had here: " + std::string(confinement_name(confinement)));
}

// No child of ours, neither alive nor a zombie; as pid 1 that is everybody.
void require_no_children(const char* when) {
    ::siginfo_t one{};
    const int answer = ::waitid(P_ALL, 0, &one, WEXITED | WNOHANG | WNOWAIT);
    require(answer == -1 && errno == ECHILD,
            std::string(when) + ": a child is left, " +
                (one.si_pid == 0 ? "alive" : "zombie " + std::to_string(one.si_pid)));
}

// Holds leases, one of them with descendants, and says so; is killed then.
void hold(const Arguments& arguments) {
    WorkerPool pool = make(options_for(arguments));
    const WorkerLease one = value_of(pool.acquire({"A"}), "lease");
    const WorkerLease other = value_of(pool.acquire({"A"}), "lease");
    skip_unless(pool, arguments.confinement);
    if (arguments.confinement != Confinement::none) {
        const auto started =
            one.call_capability_rows("hostile", "start_descendants", "4",
                                     [](std::string_view) { return SinkAnswer::proceed; });
        require(started.has_value(), "descendants");
    }
    std::thread deaf([&] { // one request runs, and hears nothing
        static_cast<void>(
            other.call_capability_rows("hostile", "sleep_deaf", "60000",
                                       [](std::string_view) { return SinkAnswer::proceed; }));
    });
    std::cout << "ready" << std::endl;
    deaf.join();
}

// A request that meets the dying child may fail with it; nothing but that, and then it goes on.
void require_goes_on(const WorkerLease& lease, const std::string& when) {
    require(comes_true(2s,
                       [&] {
                           const auto names = lease->list_declarations(0, 1);
                           require(names || names.error().code() == ErrorCode::child_exited,
                                   when + ": " + (names ? "" : names.error().message()));
                           return names.has_value();
                       }),
            when + ": does not go on");
}

void kill_child_of(const WorkerLease& lease) {
    require(::kill(lease.pid(), SIGKILL) == 0, "no child to kill");
    require_goes_on(lease, "after its child was killed");
}

std::vector<::pid_t> templates_of(const Arguments& arguments) {
    std::vector<::pid_t> found;
    for (const ProcessLine& process : processes_with(arguments.worker)) {
        const bool is_template = process.command.find("--template") != std::string::npos;
        if (is_template && process.parent == ::getpid())
            found.push_back(process.pid);
    }
    return found;
}

// As the first process of a pid namespace: orphans become its children.
void be_first(const Arguments& arguments) {
    require(::getpid() == 1, "is not the first process");
    {
        WorkerPool pool = make(options_for(arguments));
        const WorkerLease one = value_of(pool.acquire({"A"}), "lease");
        const WorkerLease other = value_of(pool.acquire({"A"}), "lease");
        skip_unless(pool, arguments.confinement);
        kill_child_of(one);
        require_serves(pool, "after a child was killed");
        for (const ::pid_t pid : templates_of(arguments))
            ::kill(pid, SIGKILL);
        require_goes_on(one, "after the template was killed");
        require_goes_on(other, "after the template was killed");
        // Another idle child of the dead template may be met before its end is known.
        const WorkerLease third = value_of(pool.acquire({"A"}), "after the template was killed");
        require_goes_on(third, "after the template was killed");
    }
    require_no_children("after the pool has gone");
}

void ignore_children(const Arguments& arguments) {
    ::signal(SIGCHLD, SIG_IGN);
    {
        WorkerPool pool = make(options_for(arguments));
        const WorkerLease one = value_of(pool.acquire({"A"}), "lease");
        kill_child_of(one);
        require_serves(pool, "another lease");
    }
    require_no_children("after the pool has gone");
}

void set_soft_limit(int resource, ::rlim_t value) {
    ::rlimit limit{};
    ::getrlimit(static_cast<__rlimit_resource>(resource), &limit);
    limit.rlim_cur = value;
    require(::setrlimit(static_cast<__rlimit_resource>(resource), &limit) == 0, "setrlimit");
}

void require_exhausted(const Expected<WorkerLease>& lease, const std::string& when) {
    if (!lease) {
        require(lease.error().code() == ErrorCode::resource_exhausted,
                when + ": " + std::string(lease.error().id()) + ": " + lease.error().message());
    }
}

// With room for 0 descriptors, 1, 2 …, until there are enough: each time a typed error at once, and
// nothing lost.
void run_out_of_descriptors(const Arguments& arguments) {
    WorkerPool pool = make(options_for(arguments));
    // Both keys once: what is lazily opened is open, and templates are there.
    require_serves(pool, "before");
    const ImportSet other{"C"};
    value_of(pool.acquire(other), "before");
    WorkerLease held = value_of(pool.acquire({"A"}), "before");
    const std::size_t before = open_descriptors();
    int refused = 0;
    bool was_served = false;
    for (std::size_t room = 0; room < 32 && !was_served; ++room) {
        // The lowest free number decides; those that are open are not packed.
        const int highest = ::dup(0);
        ::close(highest);
        set_soft_limit(RLIMIT_NOFILE, static_cast<::rlim_t>(highest) + room);
        const auto begun = std::chrono::steady_clock::now();
        {
            const auto lease = pool.acquire({"A"});
            require_exhausted(lease, "with room for " + std::to_string(room));
            require(std::chrono::steady_clock::now() - begun < 3s, "took too long to say no");
            refused += lease ? 0 : 1;
            was_served = lease.has_value();
            require(held.ping().has_value(), "the lease that was out does not go on");
        }
        set_soft_limit(RLIMIT_NOFILE, 1024);
        if (!was_served) {
            require(comes_true(2s, [&] { return open_descriptors() <= before; }),
                    "descriptors were lost with room for " + std::to_string(room) + ": " +
                        std::to_string(open_descriptors()) + " after " + std::to_string(before));
        }
    }
    require(refused > 0, "a control: nothing was refused");
    require(was_served, "32 descriptors are not enough for a worker");
    require_serves(pool, "after");
}

void run_out_of_processes(const Arguments& arguments) {
    if (::geteuid() == 0) {
        // Root is not limited. Again as nobody, through exec: what belongs to root before it stays
        // so.
        require(::setgid(65534) == 0 && ::setuid(65534) == 0, "setuid");
        const std::string confinement(confinement_name(arguments.confinement));
        ::execl("/proc/self/exe", "faulty_host", "run_out_of_processes", arguments.worker.c_str(),
                arguments.library.c_str(), confinement.c_str(),
                arguments.use_template ? "forked" : "started", nullptr);
        give_up("exec");
    }
    WorkerPool pool = make(options_for(arguments));
    ::rlimit before{};
    ::getrlimit(RLIMIT_NPROC, &before);
    set_soft_limit(RLIMIT_NPROC, 1);
    const auto refused = pool.acquire({"A"});
    require(!refused, "a control: a process could be started");
    require_exhausted(refused, "with no process left");
    set_soft_limit(RLIMIT_NPROC, before.rlim_cur);
    require_serves(pool, "when processes may be started again");

    if (!arguments.use_template)
        return;
    const std::vector<::pid_t> templates = templates_of(arguments);
    require(templates.size() == 1, "one template, found " + std::to_string(templates.size()));
    const ::rlimit none{1, before.rlim_max};
    require(::prlimit(templates[0], RLIMIT_NPROC, &none, nullptr) == 0, "prlimit");
    {
        const WorkerLease warm = value_of(pool.acquire({"A"}), "the warm child");
        const auto forked = pool.acquire({"A"});
        require(!forked, "a control: the template could fork");
        require_exhausted(forked, "with a template that cannot fork");
        require(forked.error().message().find("fork") != std::string::npos,
                forked.error().message());
    }
    require(::prlimit(templates[0], RLIMIT_NPROC, &before, nullptr) == 0, "prlimit");
    const WorkerLease warm = value_of(pool.acquire({"A"}), "the warm child");
    value_of(pool.acquire({"A"}), "when the template may fork again");
}

void fill_the_disk(const Arguments& arguments, const std::filesystem::path& log) {
    WorkerPoolOptions options = options_for(arguments);
    options.log_path = log;
    WorkerPool pool = make(options);
    for (int i = 0; i < 20; ++i) {
        WorkerLease lease = value_of(pool.acquire({"A"}), "with a full disk");
        lease.restart();
        value_of(lease->list_declarations(0, 1), "with a full disk");
    }
    require(pool.drain(1s), "drain");
}

void log_to_a_full_device(const Arguments& arguments) {
    fill_the_disk(arguments, "/dev/full");
}

void log_to_a_full_disk(const Arguments& arguments) {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tiny", "/mnt", "tmpfs", 0, "size=4k") != 0)
        skip("cannot mount a file system: " + std::string(std::strerror(errno)));
    fill_the_disk(arguments, "/mnt/pool.log");
    require(std::filesystem::file_size("/mnt/pool.log") <= 4096,
            "a control: the disk was not full");
}

Expected<RowSummary> sleep_deaf(const WorkerLease& lease, const char* milliseconds) {
    return lease.call_capability_rows("hostile", "sleep_deaf", milliseconds,
                                      [](std::string_view) { return SinkAnswer::proceed; });
}

// What runs when it is told to end is finished; nothing more is admitted.
void be_told_to_end(const Arguments& arguments) {
    WorkerPool pool = make(options_for(arguments));
    std::optional<WorkerLease> lease = value_of(pool.acquire({"A"}), "lease");
    {
        const auto signals = value_of(DrainOnSignal::watch(pool, 5s), "watch");
        const auto second = DrainOnSignal::watch(pool, 5s);
        require(!second && second.error().code() == ErrorCode::invalid_argument, "two at once");
        require(!signals.signal(), "a signal that did not come");
        std::thread request([&] {
            require(value_of(sleep_deaf(*lease, "150"), "the request that ran").rows == 2,
                    "its rows");
            lease.reset();
        });
        std::this_thread::sleep_for(30ms);
        ::kill(::getpid(), SIGTERM);
        require(comes_true(2s,
                           [&] {
                               const auto refused = pool.acquire({"A"});
                               return !refused &&
                                      refused.error().code() == ErrorCode::admission_refused;
                           }),
                "it admits more");
        request.join();
        require(signals.signal() == SIGTERM, "another signal, or none");
    }
    require(comes_true(1s, [&] { return pool.snapshot().workers == 0; }), "workers are left");
    struct ::sigaction now {};
    ::sigaction(SIGTERM, nullptr, &now);
    require(now.sa_handler == SIG_DFL, "the handler was not put back");
    // Another pool of the program may be watched next, and has had no signal.
    const auto again = value_of(DrainOnSignal::watch(pool, 5s), "watch again");
    require(!again.signal(), "the signal of the one before");
}

// The second ends it at once, whatever runs.
void be_told_to_end_twice(const Arguments& arguments) {
    WorkerPool pool = make(options_for(arguments));
    const WorkerLease lease = value_of(pool.acquire({"A"}), "lease");
    const auto signals = value_of(DrainOnSignal::watch(pool, 60s), "watch");
    std::thread request([&] { static_cast<void>(sleep_deaf(lease, "60000")); });
    ::kill(::getpid(), SIGINT);
    require(comes_true(2s, [&] { return !pool.acquire({"A"}); }), "it admits more");
    ::kill(::getpid(), SIGTERM);
    std::this_thread::sleep_for(5s);
    give_up("the second signal was not heard");
}

void ignore_the_signal(const Arguments& arguments) {
    ::signal(SIGINT, SIG_IGN);
    WorkerPool pool = make(options_for(arguments));
    const auto signals = value_of(DrainOnSignal::watch(pool, 5s), "watch");
    ::kill(::getpid(), SIGINT);
    require_serves(pool, "after a signal that is ignored");
    require(!signals.signal(), "it was heard");
}

int run(int argc, char** argv) {
    require(argc == 6, "five arguments");
    const Arguments arguments{.worker = argv[2],
                              .library = argv[3],
                              .confinement = confinement_from(argv[4]),
                              .use_template = std::string_view(argv[5]) == "forked"};
    const std::pair<std::string_view, void (*)(const Arguments&)> scenarios[] = {
        {"hold", &hold},
        {"be_first", &be_first},
        {"ignore_children", &ignore_children},
        {"run_out_of_descriptors", &run_out_of_descriptors},
        {"run_out_of_processes", &run_out_of_processes},
        {"be_told_to_end", &be_told_to_end},
        {"be_told_to_end_twice", &be_told_to_end_twice},
        {"ignore_the_signal", &ignore_the_signal},
        {"log_to_a_full_device", &log_to_a_full_device},
        {"log_to_a_full_disk", &log_to_a_full_disk}};
    for (const auto& [name, body] : scenarios) {
        if (name == argv[1]) {
            body(arguments);
            return 0;
        }
    }
    give_up("no such scenario");
}

} // namespace
} // namespace leanhost::test

int main(int argc, char** argv) {
    return leanhost::test::run(argc, argv);
}
