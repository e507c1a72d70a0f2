// Workers and the pool: round trips, rows, births, deaths, cancellation, memory of eight workers.
// The library is that of the other benchmarks (LEANHOST_BENCH_PATH); leanhost-worker is found as a
// program finds it.

#include "library.hpp"
#include "module/fixture/fixture_library.hpp"

#include <leanhost/memory_sample.hpp>
#include <leanhost/worker_pool.hpp>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <thread>

namespace leanhost::bench {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void give_up(std::string_view why) {
    fmt::print(stderr, "bench_worker: {}\n", why);
    std::abort();
}

template <class T>
T checked(Expected<T>&& value) {
    if (!value)
        give_up(value.error().message());
    if constexpr (!std::is_void_v<T>)
        return *std::move(value);
}

WorkerPoolOptions pool_options(std::size_t workers, bool use_template = true) {
    WorkerPoolOptions options;
    options.max_workers = workers;
    options.worker.executable = LEANHOST_WORKER_PROGRAM;
    options.worker.runtime.search_path = {bench_library().root};
    options.worker.runtime.revalidate_after = std::chrono::hours(1);
    options.worker.use_template = use_template;
    return options;
}

WorkerLease lease(WorkerPool& pool) {
    return checked(pool.acquire(bench_library().imports));
}

double seconds_since(Clock::time_point begun) {
    return std::chrono::duration<double>(Clock::now() - begun).count();
}

// Median and 99th percentile beside the mean that Google Benchmark gives.
class Percentiles {
public:
    void add(double seconds) { all_.push_back(seconds * 1e6); }
    void tell(benchmark::State& state) {
        if (all_.empty())
            return;
        std::sort(all_.begin(), all_.end());
        state.counters["median_us"] = all_[all_.size() / 2];
        state.counters["p99_us"] = all_[all_.size() * 99 / 100];
        state.counters["max_us"] = all_.back();
    }

private:
    std::vector<double> all_;
};

void timed(benchmark::State& state, Percentiles& percentiles, double seconds) {
    state.SetIterationTime(seconds);
    percentiles.add(seconds);
}

void round_trip(benchmark::State& state) {
    WorkerPool pool = checked(WorkerPool::make(pool_options(1)));
    const WorkerLease held = lease(pool);
    Percentiles percentiles;
    for (auto _ : state) {
        const auto begun = Clock::now();
        checked(held.ping());
        timed(state, percentiles, seconds_since(begun));
    }
    percentiles.tell(state);
}
BENCHMARK(round_trip)->UseManualTime()->Unit(benchmark::kMicrosecond);

// A lease of a warm worker, an empty command, and the lease back; without busy waiting, and with.
void warm_lease(benchmark::State& state) {
    WorkerPoolOptions options = pool_options(1);
    options.worker.busy_wait *= state.range(0);
    WorkerPool pool = checked(WorkerPool::make(options));
    lease(pool);
    Percentiles percentiles;
    for (auto _ : state) {
        const auto begun = Clock::now();
        checked(lease(pool).ping());
        timed(state, percentiles, seconds_since(begun));
    }
    percentiles.tell(state);
}
BENCHMARK(warm_lease)
    ->ArgName("busy")
    ->Arg(0)
    ->Arg(1)
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);

// Small rows end to end: names of all constants, decoded.
void rows_names(benchmark::State& state) {
    WorkerPool pool = checked(WorkerPool::make(pool_options(1)));
    const WorkerLease held = lease(pool);
    std::int64_t rows = 0;
    for (auto _ : state)
        rows += static_cast<std::int64_t>(checked(held->list_declarations(0, UINT64_MAX)).size());
    state.SetItemsProcessed(rows);
}
BENCHMARK(rows_names)->Unit(benchmark::kMillisecond)->UseRealTime();

// Rows of a capability function: bytes that nobody decodes.
void rows_capability(benchmark::State& state) {
    WorkerPoolOptions options = pool_options(1);
    options.worker.capability_libraries = {LEANHOST_EXAMPLE_CAPABILITY};
    WorkerPool pool = checked(WorkerPool::make(options));
    const WorkerLease held = lease(pool);
    std::string input;
    for (int i = 0; i < 100'000; ++i)
        input += "row " + std::to_string(i) + "\n";
    std::int64_t rows = 0;
    const auto take = [&](std::string_view) {
        ++rows;
        return SinkAnswer::proceed;
    };
    for (auto _ : state)
        checked(held.call_capability_rows("example", "lines", input, take));
    state.SetItemsProcessed(rows);
}
BENCHMARK(rows_capability)->Unit(benchmark::kMillisecond)->UseRealTime();

// The first lease of a pool: a template that imports and forks, or a child that imports.
void cold_start(benchmark::State& state) {
    Percentiles percentiles;
    for (auto _ : state) {
        WorkerPool pool = checked(WorkerPool::make(pool_options(1, state.range(0) != 0)));
        const auto begun = Clock::now();
        checked(lease(pool).ping());
        timed(state, percentiles, seconds_since(begun));
    }
    percentiles.tell(state);
}
BENCHMARK(cold_start)
    ->ArgName("template")
    ->Arg(0)
    ->Arg(1)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

void time_replacements(benchmark::State& state, WorkerLease held) {
    Percentiles percentiles;
    for (auto _ : state) {
        held.restart();
        const auto begun = Clock::now();
        checked(held.ping());
        timed(state, percentiles, seconds_since(begun));
        std::this_thread::sleep_for(std::chrono::milliseconds(50)); // the predecessor's end
    }
    percentiles.tell(state);
}

// A fresh child for a running lease: forked from the template, or started.
void replacement(benchmark::State& state) {
    WorkerPool pool = checked(WorkerPool::make(pool_options(1, state.range(0) != 0)));
    time_replacements(state, lease(pool));
}
BENCHMARK(replacement)
    ->ArgName("template")
    ->Arg(0)
    ->Arg(1)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

// A library of so many files with three constants each. LEANHOST_BENCH_CURVE names a folder to keep
// such libraries in; else it goes with the object.
class LibraryOfFiles {
public:
    explicit LibraryOfFiles(std::uint64_t files) {
        // NOLINTNEXTLINE(concurrency-mt-unsafe): before any thread is started
        if (const char* const folder = std::getenv("LEANHOST_BENCH_CURVE"); folder != nullptr)
            directory_ = std::filesystem::path(folder) / fmt::format("files-{}", files);
        else
            temporary_ = directory_ = std::filesystem::temp_directory_path() /
                                      fmt::format("leanhost-bench-{}-{}", ::getpid(), files);
        checked(module::fixture::write_fixture(
            {.modules = files, .constants = 3 * files, .directory = directory_}));
    }
    LibraryOfFiles(const LibraryOfFiles&) = delete;
    LibraryOfFiles& operator=(const LibraryOfFiles&) = delete;
    ~LibraryOfFiles() {
        std::error_code ignored;
        if (!temporary_.empty())
            std::filesystem::remove_all(temporary_, ignored);
    }
    const std::filesystem::path& directory() const noexcept { return directory_; }

private:
    std::filesystem::path directory_;
    std::filesystem::path temporary_;
};

// `replacement` as the number of mapped files grows. Writing 24,000 files takes a minute, so the
// curve ends at 4,000 unless LEANHOST_BENCH_MOST_FILES says otherwise.
std::int64_t most_files() {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): before any thread is started
    const char* const wanted = std::getenv("LEANHOST_BENCH_MOST_FILES");
    return wanted == nullptr ? 4'000 : std::atoll(wanted);
}

void replacement_curve(benchmark::State& state) {
    if (state.range(1) > most_files())
        return state.SkipWithError("more files than LEANHOST_BENCH_MOST_FILES");
    const LibraryOfFiles library(static_cast<std::uint64_t>(state.range(1)));
    WorkerPoolOptions options = pool_options(1, state.range(0) != 0);
    options.worker.runtime.search_path = {library.directory()};
    WorkerPool pool = checked(WorkerPool::make(options));
    WorkerLease held =
        checked(pool.acquire(ImportSet{Name(std::string(module::fixture::root_module))}));
    if (held->import_facts().modules != static_cast<std::uint64_t>(state.range(1)))
        give_up("the curve's library is not imported as a whole");
    time_replacements(state, std::move(held));
}
BENCHMARK(replacement_curve)
    ->ArgNames({"template", "files"})
    ->ArgsProduct({{1}, {250, 1'000, 4'000, 8'000, 16'000, 24'000}})
    ->Iterations(100)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(replacement_curve)
    ->ArgNames({"template", "files"})
    ->ArgsProduct({{0}, {250, 1'000, 4'000, 8'000, 16'000, 24'000}})
    ->Iterations(3)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

void isolated_request(benchmark::State& state) {
    WorkerPoolOptions options = pool_options(1);
    options.worker.isolation = Isolation::per_request;
    WorkerPool pool = checked(WorkerPool::make(options));
    const WorkerLease held = lease(pool);
    Percentiles percentiles;
    for (auto _ : state) {
        const auto begun = Clock::now();
        checked(held.ping());
        timed(state, percentiles, seconds_since(begun));
    }
    percentiles.tell(state);
}
BENCHMARK(isolated_request)->UseManualTime()->Unit(benchmark::kMillisecond);

// From kill -9 to the error of the request that was running.
void death_noticed(benchmark::State& state) {
    WorkerPoolOptions options = pool_options(1);
    options.worker.max_unplanned_restarts = 4096;
    WorkerPool pool = checked(WorkerPool::make(options));
    WorkerLease held = lease(pool);
    Percentiles percentiles;
    int round = 0;
    for (auto _ : state) {
        checked(held.ping());
        // Another request each time: one that has ended several children is quarantined.
        const DeclarationFilter filter{.pattern = fmt::format("*{:*>{}}", "", ++round)};
        Clock::time_point killed;
        std::uint64_t rows = 0;
        const auto sink = [&](const Name&, const Declaration&) {
            if (rows++ == 0) {
                killed = Clock::now();
                ::kill(held.pid(), SIGKILL);
            }
            return SinkAnswer::proceed;
        };
        const auto failed = held->search_declarations(filter, {.type = true}, sink);
        if (failed)
            give_up("a search in a killed child ended well");
        if (failed.error().code() != ErrorCode::child_exited)
            give_up(failed.error().message());
        timed(state, percentiles, seconds_since(killed));
    }
    percentiles.tell(state);
}
BENCHMARK(death_noticed)->UseManualTime()->Unit(benchmark::kMillisecond);

// From the cancellation of a search that prints all types to its end; the child is kept.
void cancellation(benchmark::State& state) {
    WorkerPool pool = checked(WorkerPool::make(pool_options(1)));
    const WorkerLease held = lease(pool);
    const std::uint64_t generation = held.generation();
    Percentiles percentiles;
    for (auto _ : state) {
        CancellationSource source;
        Clock::time_point cancelled;
        std::uint64_t rows = 0;
        const auto sink = [&](const Name&, const Declaration&) {
            if (rows++ == 0) {
                cancelled = Clock::now();
                source.cancel();
            }
            return SinkAnswer::proceed;
        };
        const auto ended = held->search_declarations({}, {.type = true, .value_size = true}, sink,
                                                     {.cancellation = source.token()});
        if (ended)
            give_up("a cancelled search ended as if nothing had been");
        if (ended.error().code() != ErrorCode::cancelled)
            give_up(ended.error().message());
        timed(state, percentiles, seconds_since(cancelled));
    }
    if (held.generation() != generation)
        give_up("a cancellation cost the child");
    percentiles.tell(state);
}
BENCHMARK(cancellation)->UseManualTime()->Unit(benchmark::kMillisecond);

// Anonymous memory of this process's descendants as the kernel divides it among sharers: the sum is
// what it really takes, pages that children share with their template once.
std::uint64_t pss_anon_bytes(::pid_t pid) {
    std::ifstream file(fmt::format("/proc/{}/smaps_rollup", pid));
    std::string key;
    while (file >> key) {
        if (key == "Pss_Anon:") {
            std::uint64_t kib = 0;
            file >> kib;
            return kib * 1024;
        }
    }
    return 0;
}

std::vector<::pid_t> children_of(::pid_t parent) {
    std::ifstream file(fmt::format("/proc/{0}/task/{0}/children", parent));
    std::vector<::pid_t> children;
    for (::pid_t child = 0; file >> child;)
        children.push_back(child);
    return children;
}

// The loop's thread starts children, so they are that thread's in /proc.
std::vector<::pid_t> descendants() {
    std::vector<::pid_t> all;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        std::ifstream file(task.path() / "children");
        for (::pid_t child = 0; file >> child;) {
            all.push_back(child);
            for (const ::pid_t grandchild : children_of(child))
                all.push_back(grandchild);
        }
    }
    return all;
}

void memory_of_workers(benchmark::State& state) {
    const auto workers = static_cast<std::size_t>(state.range(0));
    std::uint64_t bytes = 0;
    std::uint64_t index_bytes = 0;
    for (auto _ : state) {
        WorkerPool pool = checked(WorkerPool::make(pool_options(workers)));
        std::vector<WorkerLease> leases;
        for (std::size_t i = 0; i < workers; ++i) {
            leases.push_back(lease(pool));
            const auto names = checked(leases.back()->list_declarations(0, 1000));
            checked(leases.back()->query_declarations(names, {.type = true}));
        }
        index_bytes = leases[0]->import_facts().index_bytes;
        bytes = 0;
        for (const ::pid_t pid : descendants())
            bytes += pss_anon_bytes(pid);
    }
    constexpr double mib = 1024.0 * 1024.0;
    state.counters["anonymous_mib"] = static_cast<double>(bytes) / mib;
    state.counters["index_mib"] = static_cast<double>(index_bytes) / mib;
    state.counters["bound_mib"] =
        static_cast<double>(index_bytes) / mib + 4.0 * static_cast<double>(workers);
}
BENCHMARK(memory_of_workers)->Arg(1)->Arg(8)->Iterations(1)->Unit(benchmark::kMillisecond);

// Processor time of this process and its descendants so far: what work costs whatever else runs.
double processor_seconds() {
    std::vector<::pid_t> pids = descendants();
    pids.push_back(::getpid());
    double ticks = 0;
    for (const ::pid_t pid : pids) {
        std::ifstream file(fmt::format("/proc/{}/stat", pid));
        file.ignore(std::numeric_limits<std::streamsize>::max(), ')'); // pid and name
        std::string skipped;
        for (int field = 3; field < 14; ++field)
            file >> skipped;
        double user = 0;
        double system = 0;
        if (file >> user >> system)
            ticks += user + system;
    }
    return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

// Lookups with types through as many workers at once; items are rows. `of_n_times_one` compares the
// rate with as many times that of one worker in this run: 1 would be perfect, and no more than
// cores / workers can be had. `cpu_us` is processor time a row, which other programs change little.
void throughput(benchmark::State& state) {
    const auto workers = static_cast<std::size_t>(state.range(0));
    WorkerPool pool = checked(WorkerPool::make(pool_options(workers)));
    std::vector<WorkerLease> leases;
    for (std::size_t i = 0; i < workers; ++i)
        leases.push_back(lease(pool));
    const auto names = checked(leases[0]->list_declarations(0, 4000));
    const double processor_before = processor_seconds();
    const auto begun = Clock::now();
    for (auto _ : state) {
        std::vector<std::jthread> threads;
        for (WorkerLease& mine : leases)
            threads.emplace_back([&] {
                checked(mine->query_declarations(names, {.type = true, .value_size = true}));
            });
    }
    const double rows = static_cast<double>(state.iterations() * names.size() * workers);
    state.SetItemsProcessed(static_cast<std::int64_t>(rows));
    state.counters["cpu_us"] = (processor_seconds() - processor_before) * 1e6 / rows;
    static double rate_of_one = 0;
    const double rate = rows / seconds_since(begun);
    if (workers == 1)
        rate_of_one = rate;
    state.counters["of_n_times_one"] =
        rate_of_one == 0 ? 0 : rate / (rate_of_one * static_cast<double>(workers));
}
BENCHMARK(throughput)
    ->ArgName("workers")
    ->Arg(1)
    ->Arg(2)
    ->Arg(4)
    ->Arg(8)
    ->MinTime(2)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

// Small requests of as many clients at once, each to its own worker, with and without busy waiting.
void small_requests(benchmark::State& state) {
    const auto workers = static_cast<std::size_t>(state.range(0));
    constexpr std::size_t requests = 2000;
    WorkerPoolOptions options = pool_options(workers);
    options.worker.busy_wait *= state.range(1);
    WorkerPool pool = checked(WorkerPool::make(options));
    std::vector<WorkerLease> leases;
    for (std::size_t i = 0; i < workers; ++i)
        leases.push_back(lease(pool));
    const auto names = checked(leases[0]->list_declarations(0, 1));
    const bool is_empty = state.range(2) == 0;
    const double processor_before = processor_seconds();
    for (auto _ : state) {
        std::vector<std::jthread> threads;
        for (WorkerLease& mine : leases)
            threads.emplace_back([&] {
                for (std::size_t i = 0; i < requests; ++i) {
                    if (is_empty)
                        checked(mine.ping());
                    else
                        checked(mine->query_declarations(names, {}));
                }
            });
    }
    const double all = static_cast<double>(state.iterations() * requests * workers);
    state.SetItemsProcessed(static_cast<std::int64_t>(all));
    state.counters["cpu_us"] = (processor_seconds() - processor_before) * 1e6 / all;
}
BENCHMARK(small_requests)
    ->ArgNames({"workers", "busy", "names"})
    ->ArgsProduct({{1, 2, 4, 8}, {0, 1}, {0, 1}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

} // namespace
} // namespace leanhost::bench
