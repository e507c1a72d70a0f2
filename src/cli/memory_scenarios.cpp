#include "cli/memory_scenarios.hpp"

#include "base/guard.hpp"
#include "cli/child_process.hpp"
#include "cli/memory_json.hpp"
#include "engine_native/native_engine.hpp"

#include <leanhost/session_pool.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <iterator>
#include <mutex>
#include <numeric>
#include <thread>

namespace leanhost::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t num_sets = 5;
constexpr int alternations = 64;
constexpr std::size_t most_sessions = 8;

struct Scenario {
    std::string_view name;
    std::string_view what;
    bool is_held = false; // as many processes as `processes` at once, each with its own set
    std::size_t processes = 1;
    bool has_one_set = false; // all processes import the same
};

constexpr Scenario scenarios[] = {
    {"fresh_processes", "five import sets, each in a process of its own; sums over the processes",
     true, num_sets, false},
    {"truncated", "one process, a pool of one: the environment before is dropped for each"},
    {"pooled", "one process that holds all five"},
    {"alternating", "one process, a pool of five, acquired in turn 64 times"},
    {"near_identical", "one process that holds five closures that differ in one module"},
    {"unrelated", "one process that holds five closures with as little in common as can be"},
    {"two_toolchains",
     "one process with two engines over the same folders, as two toolchains' copies are"},
    {"sessions", "one process, one to eight sessions of one closure"},
    {"processes", "one to eight processes that hold the same closure; sums over the processes",
     true, most_sessions, true},
};

void write_line(int fd, const ordered_json& event) {
    const std::string line = event.dump() + "\n";
    if (::write(fd, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
        fail(ErrorCode::io, std::string("cannot report: ") + std::strerror(errno));
}

// Import sets of the modules at hand.
class ImportSets {
public:
    explicit ImportSets(const ScenarioOptions& options) : options_(options) {}

    // Single modules, evenly spread.
    ImportSet distinct(std::size_t i) const {
        return of({options_.modules[(i + 1) * options_.modules.size() / num_sets - 1]});
    }
    ImportSet whole() const { return of(options_.modules); }
    // The first half of the modules, and one more.
    ImportSet near_identical(std::size_t i) const {
        const std::size_t half = options_.modules.size() / 2;
        std::vector<Name> modules(options_.modules.begin(),
                                  options_.modules.begin() + static_cast<std::ptrdiff_t>(half));
        modules.push_back(options_.modules[std::min(half + i, options_.modules.size() - 1)]);
        return of(modules);
    }
    ImportSet of(const std::vector<Name>& modules) const {
        return ImportSet(modules, Profile::all, options_.allow_missing);
    }

private:
    const ScenarioOptions& options_;
};

// The scenarios that one process runs.
class Scenarios {
public:
    Scenarios(const ScenarioOptions& options, int out_fd)
        : options_(options), sets_(options), out_(out_fd) {}

    void run(const std::string& name) {
        if (name == "two_toolchains")
            return two_toolchains();
        runtime_.emplace(value_or_throw(Runtime::init(
            {.search_path = options_.search_path, .max_import_threads = options_.max_threads})));
        step("start", 0);
        if (name == "truncated")
            return pool(1, num_sets);
        if (name == "alternating")
            return pool(num_sets, alternations);
        if (name == "pooled")
            return hold([&](std::size_t i) { return sets_.distinct(i); }, num_sets);
        if (name == "near_identical")
            return hold([&](std::size_t i) { return sets_.near_identical(i); }, num_sets);
        if (name == "unrelated")
            return hold([&](std::size_t i) { return sets_.of({smallest_[i]}); }, find_smallest());
        if (name == "sessions")
            return hold([&](std::size_t) { return sets_.whole(); }, most_sessions);
        hold_until_ended(name);
    }

private:
    void step(std::string_view label, std::size_t live) {
        ordered_json event{{"event", "step"}, {"label", label}, {"live", live}};
        event["sample"] = to_json(sample_this_process());
        if (runtime_)
            event["regions"] = to_json(runtime_->region_facts());
        write_line(out_, event);
    }

    template <class Set>
    void hold(const Set& set, std::size_t count) {
        std::vector<std::shared_ptr<const Session>> live;
        for (std::size_t i = 0; i < count; ++i) {
            live.push_back(value_or_throw(runtime_->open_session(set(i))));
            step(fmt::format("{} held", i + 1), live.size());
        }
        live.clear();
        step("all dropped", 0);
    }

    void pool(std::uint64_t capacity, int acquisitions) {
        SessionPool pool(*runtime_, {.capacity = capacity});
        for (int i = 0; i < acquisitions; ++i) {
            const PooledSession session = value_or_throw(
                pool.acquire(sets_.distinct(static_cast<std::size_t>(i) % num_sets)));
            const bool is_shown = i < static_cast<int>(num_sets) || i + 1 == acquisitions;
            if (is_shown)
                step(fmt::format("acquisition {}", i + 1),
                     std::min<std::size_t>(capacity, static_cast<std::size_t>(i) + 1));
        }
        pool.drain();
        step("drained", 0);
    }

    // The modules with the smallest closures, one after the other: five of them have least in
    // common.
    std::size_t find_smallest() {
        std::vector<std::pair<std::uint64_t, Name>> by_size;
        for (const Name& module : options_.modules) {
            const auto session = value_or_throw(runtime_->open_session(sets_.of({module})));
            by_size.emplace_back(session->import_facts().modules, module);
        }
        std::sort(by_size.begin(), by_size.end());
        // Behind the very first ones, on which all others rest.
        for (std::size_t i = by_size.size() / 8; i < by_size.size() && smallest_.size() < num_sets;
             ++i)
            smallest_.push_back(by_size[i].second);
        step("ready", 0);
        return smallest_.size();
    }

    // Two engines have a registry each, and the same modules ask for the same addresses.
    void two_toolchains() {
        step("start", 0);
        NativeEngineOptions engine_options;
        engine_options.search_path = options_.search_path;
        engine_options.max_import_threads = options_.max_threads;
        engine_native::NativeEngine first(engine_options);
        engine_native::NativeEngine second(engine_options);
        auto one = first.open(sets_.whole(), {});
        step("first toolchain's closure", 1);
        auto other = second.open(sets_.whole(), {});
        step("and the second's, relocated", 2);
        other.reset();
        one.reset();
        step("all dropped", 0);
    }

    // The parent samples this process while it holds, and ends it.
    void hold_until_ended(const std::string& name) {
        constexpr std::string_view prefix = "hold:";
        const std::string set = name.substr(prefix.size());
        const auto session = value_or_throw(runtime_->open_session(
            set == "whole" ? sets_.whole() : sets_.distinct(std::stoul(set))));
        write_line(out_, {{"event", "holding"}, {"pid", ::getpid()}});
        for (;;)
            ::pause();
    }

    const ScenarioOptions& options_;
    const ImportSets sets_;
    const int out_;
    std::optional<Runtime> runtime_;
    std::vector<Name> smallest_;
};

std::vector<std::string> child_arguments(const std::vector<std::string>& arguments,
                                         const std::string& scenario) {
    std::vector<std::string> result{"memory", "--child-scenario", scenario};
    result.insert(result.end(), arguments.begin(), arguments.end());
    return result;
}

// Processes that hold an environment each, until this goes.
class Holders {
public:
    Holders() = default;
    Holders(const Holders&) = delete;
    Holders& operator=(const Holders&) = delete;
    ~Holders() {
        for (const ::pid_t pid : pids_)
            ::kill(pid, SIGTERM);
    }

    // Returns when it holds. Throws Failure when it could not.
    void start(std::vector<std::string> arguments) {
        const std::size_t before = pids_.size();
        threads_.emplace_back([this, arguments = std::move(arguments)] {
            const auto ended = run_self(arguments, {}, [this](std::string_view line) {
                const ordered_json event = ordered_json::parse(line);
                if (event["event"] == "holding")
                    add(event["pid"]);
            });
            const std::lock_guard lock(mutex_);
            has_failed_ = has_failed_ || !ended;
            changed_.notify_all();
        });
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return pids_.size() > before || has_failed_; });
        if (pids_.size() == before)
            fail(ErrorCode::child_exited, "a process that should hold an environment ended");
    }

    // Sums over all; a value that one of them does not have is no sum.
    MemorySample sum() const {
        MemorySample total = sample_process(pids_.front());
        for (std::size_t i = 1; i < pids_.size(); ++i) {
            const MemorySample next = sample_process(pids_[i]);
            const auto add = [](std::optional<std::uint64_t>& a, std::optional<std::uint64_t> b) {
                a = a && b ? std::optional(*a + *b) : std::nullopt;
            };
            add(total.anonymous_bytes, next.anonymous_bytes);
            add(total.swap_bytes, next.swap_bytes);
            add(total.rss_bytes, next.rss_bytes);
            add(total.pss_bytes, next.pss_bytes);
            add(total.uss_bytes, next.uss_bytes);
            add(total.private_dirty_bytes, next.private_dirty_bytes);
        }
        return total;
    }
    std::size_t size() const { return pids_.size(); }

private:
    void add(::pid_t pid) {
        const std::lock_guard lock(mutex_);
        pids_.push_back(pid);
        changed_.notify_all();
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<::pid_t> pids_; // written under mutex_, only while `start` waits
    bool has_failed_ = false;   // guarded by mutex_
    std::vector<std::jthread> threads_;
};

ordered_json run_held(const Scenario& scenario, const std::vector<std::string>& arguments) {
    ordered_json steps = ordered_json::array();
    Holders holders;
    for (std::size_t i = 0; i < scenario.processes; ++i) {
        const std::string set = scenario.has_one_set ? "whole" : std::to_string(i);
        holders.start(child_arguments(arguments, "hold:" + set));
        steps.push_back({{"event", "step"},
                         {"label", fmt::format("{} processes", i + 1)},
                         {"live", i + 1},
                         {"sample", to_json(holders.sum())}});
    }
    return steps;
}

ordered_json run_in_child(const Scenario& scenario, const std::vector<std::string>& arguments) {
    ordered_json steps = ordered_json::array();
    value_or_throw(
        run_self(child_arguments(arguments, std::string(scenario.name)), {},
                 [&](std::string_view line) { steps.push_back(ordered_json::parse(line)); }));
    return steps;
}

std::string in_mib(const ordered_json& bytes) {
    constexpr double mib = 1024.0 * 1024.0;
    return bytes.is_number() ? fmt::format("{:.2f}", bytes.get<double>() / mib) : "-";
}

} // namespace

void run_scenario(const std::string& name, const ScenarioOptions& options, int out_fd) {
    if (options.modules.size() < 2 * num_sets) {
        fail(ErrorCode::invalid_argument,
             fmt::format("{} modules: distinct import sets need at least {}",
                         options.modules.size(), 2 * num_sets));
    }
    Scenarios(options, out_fd).run(name);
}

ordered_json run_scenarios(const std::vector<std::string>& arguments, ProgressLine& progress) {
    ordered_json report{{"schema", "leanhost.memory_scenarios/1"},
                        {"scenarios", ordered_json::array()}};
    for (const Scenario& scenario : scenarios) {
        progress.show(scenario.name);
        report["scenarios"].push_back(
            {{"name", scenario.name},
             {"what", scenario.what},
             {"steps", scenario.is_held ? run_held(scenario, arguments)
                                        : run_in_child(scenario, arguments)}});
    }
    progress.clear();
    return report;
}

std::string scenarios_text(const ordered_json& report) {
    std::string text = "MiB; anonymous (private, with swap) is the gauge\n";
    const auto out = std::back_inserter(text);
    for (const ordered_json& scenario : report["scenarios"]) {
        fmt::format_to(out, "\n{}: {}\n{:<30} {:>4} {:>10} {:>9} {:>9} {:>9} {:>10}\n",
                       scenario["name"].get<std::string>(), scenario["what"].get<std::string>(), "",
                       "live", "anonymous", "RSS", "PSS", "mapped", "relocated");
        for (const ordered_json& step : scenario["steps"]) {
            const ordered_json none;
            const bool has_regions = step.contains("regions");
            const ordered_json& sample = step["sample"];
            fmt::format_to(out, "  {:<28} {:>4} {:>10} {:>9} {:>9} {:>9} {:>10}\n",
                           step["label"].get<std::string>(), step["live"].get<std::size_t>(),
                           in_mib(sample["gauge_bytes"]), in_mib(sample["rss_bytes"]),
                           in_mib(sample["pss_bytes"]),
                           in_mib(has_regions ? step["regions"]["mapped_bytes"] : none),
                           in_mib(has_regions ? step["regions"]["relocated_bytes"] : none));
        }
    }
    return text;
}

} // namespace leanhost::cli
