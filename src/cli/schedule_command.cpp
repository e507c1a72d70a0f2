#include "base/guard.hpp"
#include "cli/command.hpp"
#include "cli/drain_wait.hpp"
#include "cli/fixture_library.hpp"
#include "cli/html_page.hpp"
#include "cli/json_file.hpp"
#include "cli/module_arguments.hpp"
#include "cli/pool_json.hpp"
#include "cli/progress_line.hpp"

#include <leanhost/drain_on_signal.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <atomic>
#include <memory>
#include <random>
#include <thread>

namespace leanhost::cli {
namespace {

using nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr double mib = 1024.0 * 1024.0;

struct ScheduleOptions {
    ModuleArguments modules;
    std::uint64_t requests = 400;
    unsigned keys = 6;
    unsigned clients = 4;
    std::size_t max_workers = 3;
    std::uint64_t max_total_mib = 256;
    std::uint64_t first_worker_mib = 32;
    std::uint64_t max_worker_mib = 0;
    std::uint64_t cgroup_mib = 0;
    std::uint64_t idle_ms = 0;
    std::uint64_t wait_ms = 10'000;
    std::uint64_t drain_wait_ms = default_drain_wait_ms;
    std::size_t spares = 0;
    bool no_template = false;
    std::string policy = "shared";
    std::filesystem::path json;
    std::filesystem::path html;
    std::filesystem::path metrics;
    std::filesystem::path log;
};

WorkerPoolOptions pool_options(const ScheduleOptions& options,
                               std::vector<std::filesystem::path> search_path) {
    WorkerPoolOptions pool;
    pool.max_workers = options.max_workers;
    pool.max_total_bytes = options.max_total_mib << 20U;
    pool.first_worker_bytes = options.first_worker_mib << 20U;
    pool.max_wait = milliseconds(options.wait_ms);
    pool.spares = options.spares;
    pool.log_path = options.log;
    pool.worker.runtime.search_path = std::move(search_path);
    pool.worker.runtime.region_policy =
        options.policy == "model" ? RegionPolicy::lean_compatible : RegionPolicy::shared;
    pool.worker.use_template = !options.no_template;
    if (options.max_worker_mib != 0)
        pool.worker.restart_policy.max_anonymous_bytes = options.max_worker_mib << 20U;
    if (options.cgroup_mib != 0)
        pool.max_cgroup_bytes = options.cgroup_mib << 20U;
    if (options.idle_ms != 0)
        pool.worker.restart_policy.max_idle = milliseconds(options.idle_ms);
    return pool;
}

// As many different import sets as asked for: one module each, spread over all there are.
std::vector<ImportSet> make_keys(const ScheduleOptions& options, const std::vector<Name>& modules) {
    std::vector<ImportSet> keys;
    const std::size_t count = std::min<std::size_t>(options.keys, modules.size());
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t at = modules.size() - 1 - i * modules.size() / count;
        keys.emplace_back(std::vector<Name>{modules[at]}, Profile::all,
                          options.modules.allow_missing);
    }
    return keys;
}

// Clients that lease, look around, and give back; one thread watches the pool meanwhile.
class Schedule {
public:
    Schedule(const ScheduleOptions& options,
             WorkerPool& pool,
             const DrainOnSignal& signals,
             std::vector<ImportSet> keys)
        : options_(options), pool_(pool), signals_(signals), keys_(std::move(keys)) {}

    void run(ProgressLine& progress) {
        std::vector<std::jthread> clients;
        for (unsigned client = 0; client < options_.clients; ++client)
            clients.emplace_back([this, client] { run_client(client); });
        while (done_ < options_.requests && !signals_.signal()) {
            points_.push_back(point());
            progress.show(fmt::format("{} of {} requests", done_.load(), options_.requests));
            std::this_thread::sleep_for(milliseconds(50));
        }
        clients.clear();
        points_.push_back(point());
    }

    ordered_json take_points() { return std::move(points_); }
    std::uint64_t answered() const noexcept { return answered_; }
    std::uint64_t refused() const noexcept { return refused_; }
    std::uint64_t failed() const noexcept { return failed_; }
    double seconds() const { return std::chrono::duration<double>(Clock::now() - begun_).count(); }

private:
    void run_client(unsigned client) {
        std::minstd_rand random(client + 1); // the same schedule each time
        while (!signals_.signal() && next_++ < options_.requests) {
            // A few keys are asked for often, the others now and then, as with users.
            const std::size_t key = std::min(random() % keys_.size(), random() % keys_.size());
            count(guarded("request", [&] { request(keys_[key]); }));
            ++done_;
        }
    }

    void request(const ImportSet& key) {
        const WorkerLease lease = value_or_throw(pool_.acquire(key));
        const std::vector<Name> names = value_or_throw(lease->list_declarations(0, 256));
        value_or_throw(lease->query_declarations(names));
    }

    void count(const Expected<void>& outcome) {
        if (outcome)
            ++answered_;
        else if (outcome.error().code() == ErrorCode::admission_refused)
            ++refused_;
        else
            ++failed_;
    }

    ordered_json point() const {
        const PoolSnapshot now = pool_.snapshot();
        return {{"ms", static_cast<std::uint64_t>(seconds() * 1000)},
                {"anonymous_bytes", now.anonymous_bytes},
                {"reserved_bytes", now.reserved_bytes},
                {"leased", now.leased},
                {"idle", now.idle},
                {"templates", now.templates},
                {"waiting", now.waiting},
                {"generations", now.generations},
                {"evicted", now.evicted}};
    }

    const ScheduleOptions& options_;
    WorkerPool& pool_;
    const DrainOnSignal& signals_;
    const std::vector<ImportSet> keys_;
    const Clock::time_point begun_ = Clock::now();
    ordered_json points_ = ordered_json::array();
    std::atomic<std::uint64_t> next_ = 0, done_ = 0, answered_ = 0, refused_ = 0, failed_ = 0;
};

std::string counts_text(const ordered_json& counts) {
    std::string text;
    for (const auto& [name, count] : counts.items())
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, count.get<std::uint64_t>());
    return text.empty() ? "none" : text;
}

std::string cgroup_text(const ordered_json& cgroup) {
    if (!cgroup["holds"].get<bool>())
        return fmt::format("no limit holds: {}", cgroup["why_not"].get<std::string>());
    const auto number = [&](const char* field) {
        return cgroup[field].is_null() ? "?" : std::to_string(cgroup[field].get<std::uint64_t>());
    };
    return fmt::format("{} of {} bytes used, {} children killed for it", number("used_bytes"),
                       number("limit_bytes"), number("kills"));
}

void print_report(const ordered_json& report) {
    const ordered_json& pool = report["pool"];
    const auto number = [](const ordered_json& value) { return value.get<std::uint64_t>(); };
    fmt::print(
        "leanhost schedule: {} requests of {} clients for {} import sets, {} workers, {} MiB\n",
        number(report["requests"]), number(report["clients"]), number(report["keys"]),
        number(pool["max_workers"]), number(pool["max_total_bytes"]) >> 20U);
    fmt::print("  answered {}, refused {}, failed {}, in {:.2f} s ({:.0f} requests/s)\n",
               number(report["answered"]), number(report["refused"]), number(report["failed"]),
               report["seconds"].get<double>(),
               report["answered"].get<double>() / report["seconds"].get<double>());
    fmt::print("  leases: {}\n", counts_text(pool["acquired_by_source"]));
    fmt::print("  refusals: {}\n", counts_text(pool["refused_by_rule"]));
    fmt::print("  children born {} ({} forked), ended: {}; evicted {}\n",
               number(pool["generations"]), number(pool["generations_forked"]),
               counts_text(pool["ended_by_reason"]), number(pool["evicted"]));
    fmt::print("  children's anonymous memory: peak {:.1f} MiB of {} MiB, confinement {}\n",
               report["peak_anonymous_bytes"].get<double>() / mib,
               number(pool["max_total_bytes"]) >> 20U,
               pool["confinement"].is_null() ? "unknown" : pool["confinement"].get<std::string>());
    if (!report["ended_by_signal"].is_null()) {
        fmt::print("  ended by signal {}: what ran was finished, nothing more was asked\n",
                   report["ended_by_signal"].get<int>());
    }
    if (!pool["cgroup"].is_null())
        fmt::print("  cgroup: {}\n", cgroup_text(pool["cgroup"]));
}

int run(ScheduleOptions& options) {
    ProgressLine progress;
    if (options.modules.paths.empty())
        options.modules.paths = {ensure_fixture_library(progress).directory};
    std::vector<std::filesystem::path> search_path;
    std::vector<Name> modules;
    resolve_modules(options.modules, search_path, modules);
    std::sort(modules.begin(), modules.end());
    WorkerPool pool = value_or_throw(WorkerPool::make(pool_options(options, search_path)));
    const DrainOnSignal signals =
        value_or_throw(DrainOnSignal::watch(pool, milliseconds(options.drain_wait_ms)));
    std::vector<ImportSet> keys = make_keys(options, modules);
    const std::size_t num_keys = keys.size();
    Schedule schedule(options, pool, signals, std::move(keys));
    schedule.run(progress);
    progress.clear();

    ordered_json report{{"schema", "leanhost.schedule/1"}, {"requests", options.requests},
                        {"clients", options.clients},      {"keys", num_keys},
                        {"policy", options.policy},        {"answered", schedule.answered()},
                        {"refused", schedule.refused()},   {"failed", schedule.failed()},
                        {"seconds", schedule.seconds()},   {"points", schedule.take_points()}};
    report["ended_by_signal"] = signals.signal() ? ordered_json(*signals.signal()) : ordered_json();
    std::uint64_t peak = 0;
    for (const ordered_json& point : report["points"])
        peak = std::max(peak, point["anonymous_bytes"].get<std::uint64_t>());
    report["peak_anonymous_bytes"] = peak;
    report["pool"] = to_json(pool.snapshot());
    print_report(report);
    if (!options.metrics.empty())
        write_text_file(options.metrics, pool.metrics_text());
    if (!options.json.empty())
        write_json_file(options.json, report);
    if (!options.html.empty())
        write_text_file(options.html, html_page("leanhost schedule", report, "schedule_page.js"));
    if (const auto signal = signals.signal())
        return exit_status_of_signal(*signal);
    return schedule.failed() == 0 ? 0 : cli_exit_code(ErrorCode::bound_failed);
}

} // namespace

void add_schedule_command(CLI::App& app, CommandBody& chosen) {
    auto options = std::make_shared<ScheduleOptions>();
    CLI::App* command = app.add_subcommand(
        "schedule", "A pool of workers under a memory budget: many import sets, several clients, "
                    "reuse, eviction, waiting and refusal");
    // clang-format off
    command->add_option("--requests", options->requests, "Leases in all")
        ->envname("LEANHOST_WORKER_POOL_REQUESTS")->check(CLI::Range(1, 100000000))->capture_default_str();
    command->add_option("--keys", options->keys, "Different import sets")
        ->envname("LEANHOST_WORKER_POOL_KEYS")->check(CLI::Range(1, 100000))->capture_default_str();
    command->add_option("--clients", options->clients, "Threads that lease")
        ->envname("LEANHOST_WORKER_POOL_CLIENTS")->check(CLI::Range(1, 1024))->capture_default_str();
    command->add_option("--max-workers", options->max_workers, "Children that may serve at once")
        ->envname("LEANHOST_WORKER_POOL_MAX_WORKERS")->check(CLI::Range(1, 4096))->capture_default_str();
    command->add_option("--max-total", options->max_total_mib, "MiB of anonymous memory that all children may hold")
        ->envname("LEANHOST_WORKER_POOL_MAX_TOTAL")->check(CLI::Range(1, 1 << 24))->capture_default_str();
    command->add_option("--first-worker", options->first_worker_mib, "MiB reserved for a key that was never seen")
        ->envname("LEANHOST_WORKER_POOL_FIRST_WORKER")->check(CLI::Range(1, 1 << 24))->capture_default_str();
    command->add_option("--max-worker", options->max_worker_mib, "MiB at which a child ends when it comes back; 0: none")
        ->envname("LEANHOST_WORKER_POOL_MAX_WORKER")->check(CLI::Range(0, 1 << 24))->capture_default_str();
    command->add_option("--cgroup", options->cgroup_mib, "MiB that the kernel lets all children have, page cache included, in a cgroup; 0: no such limit")
        ->envname("LEANHOST_WORKER_POOL_CGROUP")->check(CLI::Range(0, 1 << 24))->capture_default_str();
    command->add_option("--idle", options->idle_ms, "ms after which an idle child ends; 0: never")
        ->envname("LEANHOST_WORKER_POOL_IDLE")->check(CLI::Range(0, 1 << 30))->capture_default_str();
    command->add_option("--wait", options->wait_ms, "ms that a lease may wait")
        ->envname("LEANHOST_WORKER_POOL_WAIT")->check(CLI::Range(0, 1 << 29))->capture_default_str();
    add_drain_wait(*command, options->drain_wait_ms);
    command->add_option("--spares", options->spares, "Idle children kept ready for each key")
        ->envname("LEANHOST_WORKER_POOL_SPARES")->check(CLI::Range(0, 4096))->capture_default_str();
    command->add_flag("--no-template", options->no_template, "Start each child instead of forking it");
    command->add_option("--policy", options->policy, "How files become memory: ours, or a model of Lean's own loader")
        ->check(CLI::IsMember({"shared", "model"}))->capture_default_str();
    command->add_option("--json", options->json, "Write the whole report to this file as well");
    command->add_option("--html", options->html, "Write the report as one page with plots to this file as well");
    command->add_option("--metrics", options->metrics, "Write the pool's metrics in Prometheus' text format to this file");
    command->add_option("--log", options->log, "Write every start, restart and refusal to this file, as JSON lines");
    // clang-format on
    add_module_arguments(*command, options->modules);
    command->footer(
        "Examples:\n"
        "  leanhost schedule\n"
        "  leanhost schedule --keys 12 --max-workers 4 --max-total 64 --html schedule.html\n"
        "Exit status 1: a request failed that was not refused; 143, 130: ended by SIGTERM, SIGINT, "
        "what ran having been finished.");
    command->callback([options, &chosen] {
        chosen = [options] { return guarded("schedule", [&] { return run(*options); }); };
    });
}

} // namespace leanhost::cli
