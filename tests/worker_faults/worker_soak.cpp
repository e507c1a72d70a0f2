// A pool for as long as LEANHOST_SOAK_SECONDS says (60), under clients who mean it no good: many
// keys, deadlines and cancellations at random, children that crash, and children that dirty 1 GiB/s
// against the budget. Fails when the host's own memory or descriptors grow, when the budget is
// overshot by more than 128 MiB, or when an error comes that none of this explains.
#include "support/temp_dir.hpp"
#include "support_modules/module_maker.hpp"
#include "worker_faults/leftovers.hpp"

#include <leanhost/memory_sample.hpp>
#include <leanhost/worker_pool.hpp>

#include <fmt/format.h>

#include <csignal>
#include <cstdlib>
#include <map>
#include <mutex>
#include <random>

namespace leanhost::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20;
constexpr std::uint64_t budget_bytes = 512 * mebibyte;
constexpr std::uint64_t most_overshoot = 128 * mebibyte;
constexpr std::uint64_t most_growth = 4 * mebibyte;
constexpr std::size_t num_keys = 6;
constexpr std::size_t num_clients = 4;

std::chrono::seconds duration() {
    const char* const wanted = std::getenv("LEANHOST_SOAK_SECONDS");
    return std::chrono::seconds(wanted == nullptr ? 60 : std::stoi(wanted));
}

std::string module_at(std::size_t key) {
    return "K" + std::to_string(key);
}

WorkerPoolOptions options_for(const TempDir& folder) {
    WorkerPoolOptions pool;
    pool.max_workers = 6;
    pool.worker.max_unplanned_restarts = 4096; // its children crash on purpose
    pool.max_total_bytes = budget_bytes;
    pool.first_worker_bytes = 16 * mebibyte;
    pool.max_wait = 2s;
    pool.worker.executable = folder.path() / "leanhost-worker";
    std::filesystem::create_symlink(LEANHOST_WORKER_PROGRAM, pool.worker.executable);
    pool.worker.runtime.search_path = {folder.path()};
    pool.worker.capability_libraries = {LEANHOST_HOSTILE_CAPABILITY};
    pool.worker.request_timeout = 4s;
    pool.worker.shutdown_grace = 500ms;
    pool.worker.restart_policy.max_requests = 40;
    pool.worker.restart_policy.cancel_grace = 100ms;
    pool.log_path = folder.path() / "pool.log";
    return pool;
}

// What came of requests, by error; and what nothing explains.
class Outcomes {
public:
    void add(const std::string& what) {
        const std::lock_guard lock(mutex_);
        ++counts_[what];
    }
    void add(const Error& error) {
        add(std::string(error.id()));
        switch (error.code()) {
        case ErrorCode::child_exited:
        case ErrorCode::memory_limit:
        case ErrorCode::deadline_exceeded:
        case ErrorCode::cancelled:
        case ErrorCode::admission_refused:
        case ErrorCode::restart_limit:
        case ErrorCode::quarantined:
            return;
        default:
            fail(error.message());
        }
    }
    void fail(const std::string& why) {
        const std::lock_guard lock(mutex_);
        if (failures_.size() < 20)
            failures_.push_back(why);
    }
    std::string to_string() const {
        const std::lock_guard lock(mutex_);
        std::string text;
        for (const auto& [what, count] : counts_)
            text += fmt::format(" {} {}", what, count);
        return text;
    }
    std::vector<std::string> failures() const {
        const std::lock_guard lock(mutex_);
        return failures_;
    }

private:
    mutable std::mutex mutex_;
    std::map<std::string, std::uint64_t> counts_;
    std::vector<std::string> failures_;
};

// One client: a lease of a random key, some requests of random kinds, and so on.
class Client {
public:
    Client(WorkerPool& pool,
           Outcomes& outcomes,
           std::uint32_t seed,
           const std::atomic<bool>& is_over)
        : pool_(pool), outcomes_(outcomes), random_(seed), is_over_(is_over) {}

    void run() {
        while (!is_over_)
            use_lease();
    }

    // One child after the other dirties up to twice the budget, as fast as it can; 1 GiB/s at most.
    void run_dirty() {
        while (!is_over_) {
            auto lease = pool_.acquire({module_at(below(num_keys))});
            if (!lease) {
                outcomes_.add(lease.error());
                continue;
            }
            lease->set_request_timeout(10s);
            call(*lease, "dirty_memory", std::to_string(8 + below(1024)));
        }
    }

private:
    std::uint32_t below(std::uint32_t limit) {
        return static_cast<std::uint32_t>(random_() % limit);
    }

    void use_lease() {
        const std::size_t key = below(num_keys);
        LeaseRequest request{.imports = {module_at(key)}};
        if (below(8) == 0)
            request.max_wait = milliseconds(below(20));
        auto lease = pool_.acquire(std::move(request));
        if (!lease)
            return outcomes_.add(lease.error());
        for (std::uint32_t i = below(10); i > 0 && !is_over_; --i)
            ask(*lease, key);
    }

    void ask(WorkerLease& lease, std::size_t key) {
        lease.set_request_timeout(4s);
        switch (below(23)) {
        case 0: // a deadline that is too short
            lease.set_request_timeout(milliseconds(1 + below(5)));
            return note(lease->list_declarations(0, 1000), 1000);
        case 1:
            return call_cancelled(lease);
        case 2:
            return call(lease, "dirty_memory", std::to_string(4 + below(28)));
        case 3:
            return call(lease, "crash", std::to_string(below(1000)));
        case 4:
            lease.set_request_timeout(50ms);
            return call(lease, "sleep_deaf", std::to_string(below(300)));
        case 5:
            return lease.restart();
        case 6:
            ::kill(lease.pid() > 1 ? lease.pid() : 0x7FFFFFFF, SIGKILL);
            return;
        default:
            return note(lease->list_declarations(0, 1000), 100 * (key + 1));
        }
    }

    void note(const Expected<std::vector<Name>>& names, std::size_t expected) {
        if (!names)
            return outcomes_.add(names.error());
        outcomes_.add("answered");
        if (names->size() != expected && expected != 1000)
            outcomes_.fail(fmt::format("{} names instead of {}", names->size(), expected));
    }

    void call(const WorkerLease& lease,
              const char* function,
              const std::string& input,
              const CallOptions& options = {}) {
        const auto rows = lease.call_capability_rows(
            "hostile", function, input, [](std::string_view) { return SinkAnswer::proceed; },
            options);
        if (rows)
            outcomes_.add(function);
        else
            outcomes_.add(rows.error());
    }

    void call_cancelled(const WorkerLease& lease) {
        CancellationSource source;
        CallOptions options;
        options.cancellation = source.token();
        std::thread canceller([&, after = milliseconds(below(40))] {
            std::this_thread::sleep_for(after);
            source.cancel();
        });
        call(lease, "sleep_deaf", std::to_string(below(2000)), options);
        canceller.join();
    }

    WorkerPool& pool_;
    Outcomes& outcomes_;
    std::mt19937 random_;
    const std::atomic<bool>& is_over_;
};

// The most of each, over some time.
struct Peak {
    std::uint64_t own_bytes = 0;
    std::size_t descriptors = 0;
    std::size_t children = 0;
    std::uint64_t children_bytes = 0;

    void raise_to(const Peak& other) {
        own_bytes = std::max(own_bytes, other.own_bytes);
        descriptors = std::max(descriptors, other.descriptors);
        children = std::max(children, other.children);
        children_bytes = std::max(children_bytes, other.children_bytes);
    }
};

Peak look(const std::string& mark) {
    Peak now{.own_bytes = sample_this_process().gauge_bytes().value_or(0),
             .descriptors = open_descriptors()};
    for (const ProcessLine& process : processes_with(mark)) {
        ++now.children;
        now.children_bytes += sample_anonymous_fast(process.pid).value_or(0);
    }
    return now;
}

double in_mebibytes(std::uint64_t bytes) {
    return static_cast<double>(bytes) / static_cast<double>(mebibyte);
}

void print(Clock::duration since, const Peak& peak, const Outcomes& outcomes) {
    const std::uint64_t overshoot =
        peak.children_bytes > budget_bytes ? peak.children_bytes - budget_bytes : 0;
    fmt::print("{:5} s: own {:.1f} MiB, descriptors {}, children {}, their bytes {:.0f} MiB, "
               "overshoot {:.0f} MiB;{}\n",
               std::chrono::duration_cast<std::chrono::seconds>(since).count(),
               in_mebibytes(peak.own_bytes), peak.descriptors, peak.children,
               in_mebibytes(peak.children_bytes), in_mebibytes(overshoot), outcomes.to_string());
    std::fflush(stdout);
}

// Peaks of the warm-up, a third of the time, and of what comes after it.
std::pair<Peak, Peak> watch(const std::string& mark, const Outcomes& outcomes) {
    Peak warm_up;
    Peak after;
    Peak recent;
    const auto begun = Clock::now();
    auto next_line = begun + 10s;
    for (auto now = begun; now < begun + duration(); now = Clock::now()) {
        const Peak current = look(mark);
        (now < begun + duration() / 3 ? warm_up : after).raise_to(current);
        recent.raise_to(current);
        if (now >= next_line) {
            print(now - begun, recent, outcomes);
            recent = {};
            next_line += 10s;
        }
        std::this_thread::sleep_for(10ms);
    }
    print(Clock::now() - begun, recent, outcomes);
    return {warm_up, after};
}

int soak() {
    TempDir folder;
    for (std::size_t key = 0; key < num_keys; ++key) {
        std::vector<Name> names;
        for (std::size_t i = 0; i < 100 * (key + 1); ++i)
            names.emplace_back(module_at(key) + ".a" + std::to_string(i));
        write_module(folder.path(), module_at(key), {}, names);
    }
    const std::size_t descriptors_before = open_descriptors();
    Outcomes outcomes;
    std::pair<Peak, Peak> peaks;
    {
        auto pool = WorkerPool::make(options_for(folder));
        if (!pool) {
            fmt::print(stderr, "no pool: {}\n", pool.error().message());
            return 1;
        }
        std::atomic<bool> is_over = false;
        std::vector<std::thread> clients;
        for (std::uint32_t seed = 0; seed < num_clients; ++seed) {
            clients.emplace_back([&, seed] { Client(*pool, outcomes, seed, is_over).run(); });
        }
        clients.emplace_back([&] { Client(*pool, outcomes, 4711, is_over).run_dirty(); });
        peaks = watch(folder.path(), outcomes);
        is_over = true;
        for (std::thread& client : clients)
            client.join();
        if (!pool->drain(5s))
            outcomes.fail("the pool does not drain");
    }
    const auto& [warm_up, after] = peaks;
    if (after.own_bytes > warm_up.own_bytes + most_growth) {
        outcomes.fail(fmt::format("the host grew from {:.1f} to {:.1f} MiB",
                                  in_mebibytes(warm_up.own_bytes), in_mebibytes(after.own_bytes)));
    }
    // Five of a child: a few more children may be dying at one moment than at another.
    if (after.descriptors > warm_up.descriptors + 20)
        outcomes.fail(
            fmt::format("descriptors grew from {} to {}", warm_up.descriptors, after.descriptors));
    const std::uint64_t most = std::max(warm_up.children_bytes, after.children_bytes);
    if (most > budget_bytes + most_overshoot)
        outcomes.fail(fmt::format("the budget was overshot by {:.0f} MiB",
                                  in_mebibytes(most - budget_bytes)));
    if (open_descriptors() != descriptors_before)
        outcomes.fail(fmt::format("{} descriptors are left, {} before", open_descriptors(),
                                  descriptors_before));
    if (!comes_true(1s, [&] { return processes_with(folder.path()).empty(); }))
        outcomes.fail("processes are left");
    for (const std::string& failure : outcomes.failures())
        fmt::print(stderr, "FAILED: {}\n", failure);
    return outcomes.failures().empty() ? 0 : 1;
}

} // namespace
} // namespace leanhost::test

int main() {
    return leanhost::test::soak();
}
