#include "base/guard.hpp"
#include "cli/command.hpp"
#include "cli/fixture_library.hpp"
#include "cli/html_page.hpp"
#include "cli/json_file.hpp"
#include "cli/memory_findings.hpp"
#include "cli/memory_json.hpp"
#include "cli/module_arguments.hpp"
#include "cli/progress_line.hpp"

#include <leanhost/memory_sample.hpp>
#include <leanhost/worker_pool.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <thread>

namespace leanhost::cli {
namespace {

using nlohmann::ordered_json;

constexpr double mib = 1024.0 * 1024.0;
// What a shared import may leave behind in a generation beyond its first.
constexpr double flat_bytes = 1 * mib;

struct CycleOptions {
    ModuleArguments modules;
    std::uint64_t imports = 24;
    std::uint64_t max_imports = 4;
    std::uint64_t ceiling_mib = 4096;
    std::string policy = "both";
    std::filesystem::path json;
    std::filesystem::path html;
};

struct Column {
    RegionPolicy policy;
    const char* name;
    const char* title;
};
constexpr Column columns[] = {
    {RegionPolicy::lean_compatible, "model", "model of Lean's loader"},
    {RegionPolicy::shared, "shared", "shared regions"},
};

WorkerPoolOptions pool_options(const CycleOptions& options,
                               const std::vector<std::filesystem::path>& search_path,
                               RegionPolicy policy) {
    WorkerPoolOptions pool;
    pool.max_workers = 1;
    pool.worker.runtime.search_path = search_path;
    pool.worker.runtime.region_policy = policy;
    pool.worker.use_template = false; // each generation imports by itself, which is what is shown
    pool.worker.restart_policy.max_imports = options.max_imports;
    pool.worker.restart_policy.jitter = 0;
    pool.worker.restart_policy.hard_anonymous_bytes = options.ceiling_mib << 20U;
    return pool;
}

// One import in the worker's child, a look at what it brought, and what the child then holds.
ordered_json measure(WorkerLease& lease, std::uint64_t import) {
    const ImportFacts facts =
        import == 1 ? lease->import_facts() : value_or_throw(lease.import_again());
    const std::vector<Name> names = value_or_throw(lease->list_declarations(0, 16));
    value_or_throw(lease->query_declarations(names));
    return {{"import", import},
            {"generation", lease.generation()},
            {"sample", to_json(sample_process(lease.pid()))},
            {"region_bytes", facts.region_bytes},
            {"relocated_bytes", facts.relocated_bytes}};
}

// Once those that were replaced have ended; they may still be on their way out.
PoolSnapshot snapshot_when_settled(WorkerPool& pool) {
    constexpr auto patience = std::chrono::seconds(2);
    constexpr auto between_looks = std::chrono::milliseconds(5);
    const auto deadline = std::chrono::steady_clock::now() + patience;
    for (;;) {
        PoolSnapshot snapshot = pool.snapshot();
        std::uint64_t num_ended = 0;
        for (const auto& [reason, count] : snapshot.ended_by_reason)
            num_ended += count;
        if (num_ended + 1 >= snapshot.generations || std::chrono::steady_clock::now() > deadline)
            return snapshot;
        std::this_thread::sleep_for(between_looks);
    }
}

ordered_json run_column(const CycleOptions& options,
                        const std::vector<std::filesystem::path>& search_path,
                        const ImportSet& imports,
                        const Column& column,
                        ProgressLine& progress) {
    WorkerPool pool =
        value_or_throw(WorkerPool::make(pool_options(options, search_path, column.policy)));
    WorkerLease lease = value_or_throw(pool.acquire(imports));
    ordered_json points = ordered_json::array();
    for (std::uint64_t import = 1; import <= options.imports; ++import) {
        progress.show(fmt::format("{}: import {} of {}", column.title, import, options.imports));
        points.push_back(measure(lease, import));
    }
    const PoolSnapshot snapshot = snapshot_when_settled(pool);
    ordered_json json{{"title", column.title}, {"points", std::move(points)}};
    if (column.policy == RegionPolicy::lean_compatible)
        json["is_model_of"] = "Lean's own module loader; no Lean was run";
    json["generations"] = snapshot.generations;
    json["ended_by_reason"] = snapshot.ended_by_reason;
    json["last_exit"] = snapshot.last_exit;
    return json;
}

std::optional<double> gauge(const ordered_json& point) {
    const ordered_json& value = point["sample"]["gauge_bytes"];
    return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

// By how much a generation's last import holds more than its first; the greatest of all.
std::optional<double> greatest_growth(const ordered_json& column) {
    std::optional<double> first;
    std::optional<double> greatest;
    std::uint64_t generation = 0;
    for (const ordered_json& point : column["points"]) {
        const std::optional<double> now = gauge(point);
        if (!now)
            return std::nullopt;
        if (point["generation"] != generation) {
            generation = point["generation"];
            first = now;
        }
        greatest = std::max(greatest.value_or(0), *now - *first);
    }
    return greatest;
}

// What the first import of each generation after the first holds, beside the very first.
std::optional<double> greatest_start(const ordered_json& column) {
    std::optional<double> greatest;
    std::uint64_t generation = 0;
    for (const ordered_json& point : column["points"]) {
        if (point["generation"] != generation)
            greatest = std::max(greatest.value_or(0), gauge(point).value_or(0));
        generation = point["generation"];
    }
    return greatest;
}

std::vector<Finding> find_findings(const ordered_json& report) {
    std::vector<Finding> findings;
    for (const auto& [name, column] : report["columns"].items()) {
        const auto growth = greatest_growth(column);
        const auto start = greatest_start(column);
        if (!growth || !start) {
            findings.push_back({name + "_growth", "the children's memory could not be sampled",
                                "a sample", std::nullopt});
            continue;
        }
        const bool is_model = name == "model";
        findings.push_back({name + "_growth",
                            fmt::format("{}: within a generation memory grew by {:.2f} MiB at most",
                                        column["title"].get<std::string>(), *growth / mib),
                            is_model ? "" : "at most 1 MiB",
                            is_model ? std::nullopt : std::optional(*growth <= flat_bytes)});
        findings.push_back({name + "_reset",
                            fmt::format("{}: each of {} generations began with {:.2f} MiB at most",
                                        column["title"].get<std::string>(),
                                        column["generations"].get<std::uint64_t>(), *start / mib),
                            "", std::nullopt});
    }
    return findings;
}

void print_column(const ordered_json& column) {
    fmt::print("\n{}\n", column["title"].get<std::string>());
    fmt::print("  {:>6} {:>10} {:>14} {:>10} {:>14}\n", "import", "generation", "anonymous MiB",
               "RSS MiB", "relocated MiB");
    const auto text = [](const ordered_json& value) {
        return value.is_number() ? fmt::format("{:.2f}", value.get<double>() / mib)
                                 : std::string("unavailable");
    };
    std::uint64_t generation = 0;
    for (const ordered_json& point : column["points"]) {
        if (generation != 0 && point["generation"] != generation)
            fmt::print("  {:>6} the worker's child was replaced: max_imports\n", "----");
        generation = point["generation"];
        fmt::print("  {:>6} {:>10} {:>14} {:>10} {:>14}\n", point["import"].get<std::uint64_t>(),
                   generation, text(point["sample"]["gauge_bytes"]),
                   text(point["sample"]["rss_bytes"]), text(point["relocated_bytes"]));
    }
}

void print_findings(const std::vector<Finding>& findings) {
    fmt::print("\nfindings\n");
    for (const Finding& finding : findings) {
        const char* const verdict = !finding.holds   ? "observed"
                                    : *finding.holds ? "holds"
                                                     : "FAILED";
        fmt::print("  {:<9} {}{}\n", verdict, finding.text,
                   finding.bound.empty() ? "" : fmt::format(" ({})", finding.bound));
    }
}

int run(CycleOptions& options) {
    ProgressLine progress;
    if (options.modules.paths.empty()) {
        const FixtureLibrary fixture = ensure_fixture_library(progress);
        options.modules.paths = {fixture.directory};
        options.modules.names = {fixture.root_module};
    }
    std::vector<std::filesystem::path> search_path;
    std::vector<Name> modules;
    resolve_modules(options.modules, search_path, modules);
    const ImportSet imports(modules, Profile::all, options.modules.allow_missing);
    ordered_json report{{"schema", "leanhost.cycle/1"},
                        {"imports", options.imports},
                        {"max_imports", options.max_imports}};
    for (const Column& column : columns) {
        if (options.policy == "both" || options.policy == column.name) {
            report["columns"][column.name] =
                run_column(options, search_path, imports, column, progress);
        }
    }
    progress.clear();
    const std::vector<Finding> findings = find_findings(report);
    for (const Finding& f : findings)
        report["findings"].push_back(
            {{"name", f.name},
             {"text", f.text},
             {"bound", f.bound},
             {"holds", f.holds ? ordered_json(*f.holds) : ordered_json()}});
    fmt::print("leanhost cycle: {} imports in a worker whose child is replaced before import {}\n",
               options.imports, options.max_imports + 1);
    for (const auto& [name, column] : report["columns"].items())
        print_column(column);
    print_findings(findings);
    if (!options.json.empty())
        write_json_file(options.json, report);
    if (!options.html.empty())
        write_text_file(options.html, html_page("leanhost cycle", report, "cycle_page.js"));
    return any_bound_failed(findings) ? cli_exit_code(ErrorCode::bound_failed) : 0;
}

} // namespace

void add_cycle_command(CLI::App& app, CommandBody& chosen) {
    auto options = std::make_shared<CycleOptions>();
    CLI::App* command = app.add_subcommand(
        "cycle", "A worker whose child imports again and again and is replaced by policy: growth "
                 "within a generation, and the reset");
    // clang-format off
    command->add_option("--imports", options->imports, "Imports in all")
        ->envname("LEANHOST_WORKER_MEMORY_IMPORTS")->check(CLI::Range(1, 1000000))->capture_default_str();
    command->add_option("--max-imports", options->max_imports, "Imports that one child may do")
        ->envname("LEANHOST_WORKER_MEMORY_MAX_IMPORTS")->check(CLI::Range(1, 1000000))->capture_default_str();
    command->add_option("--policy", options->policy, "How files become memory: a model of Lean's own loader, ours, or one after the other")
        ->check(CLI::IsMember({"model", "shared", "both"}))->capture_default_str();
    command->add_option("--ceiling", options->ceiling_mib, "MiB of anonymous memory at which a child is killed")
        ->envname("LEANHOST_WORKER_MEMORY_CEILING")->check(CLI::Range(16, 1 << 24))->capture_default_str();
    command->add_option("--json", options->json, "Write the whole report to this file as well");
    command->add_option("--html", options->html, "Write the report as one page with plots to this file as well");
    // clang-format on
    add_module_arguments(*command, options->modules);
    command->footer("Examples:\n"
                    "  leanhost cycle\n"
                    "  leanhost cycle --imports 6 --max-imports 2 --html cycle.html\n"
                    "  leanhost cycle --path .lake/build/lib/lean --allow-missing\n"
                    "Exit status 1: shared regions left something behind.");
    command->callback([options, &chosen] {
        chosen = [options] { return guarded("cycle", [&] { return run(*options); }); };
    });
}

} // namespace leanhost::cli
