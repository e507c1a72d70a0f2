#include "base/guard.hpp"
#include "cli/child_process.hpp"
#include "cli/command.hpp"
#include "cli/companion_library.hpp"
#include "cli/fixture_library.hpp"
#include "cli/html_page.hpp"
#include "cli/json_file.hpp"
#include "cli/memory_report.hpp"
#include "cli/memory_scenarios.hpp"
#include "cli/memory_workload.hpp"
#include "cli/module_arguments.hpp"
#include "cli/progress_line.hpp"
#include "cli/system_memory.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/prctl.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>

namespace leanhost::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::uint64_t mib = 1024 * 1024;
constexpr std::uint64_t default_ceiling_limit_bytes = 4096 * mib;
constexpr std::uint64_t ceiling_share_of_available = 4; // a quarter

struct MemoryOptions {
    MemoryWorkload workload;
    ModuleArguments modules;
    std::string columns = "all";
    std::uint64_t model_ceiling_mib = 0; // 0: from what is available
    std::filesystem::path json;
    std::filesystem::path html;
    std::string mode = "reproducer";
    std::string child_column;   // set in a child only
    std::string child_scenario; // likewise
};

std::uint64_t model_ceiling_bytes(const MemoryOptions& options) {
    if (options.model_ceiling_mib > 0)
        return options.model_ceiling_mib * mib;
    const auto available = available_memory_bytes();
    if (!available)
        return default_ceiling_limit_bytes / 4; // careful where nothing is known
    return std::min(default_ceiling_limit_bytes, *available / ceiling_share_of_available);
}

// What makes a child import from the same folders.
std::vector<std::string> module_arguments_of(const MemoryOptions& options) {
    std::vector<std::string> arguments{"--threads", std::to_string(options.workload.max_threads)};
    for (const auto& root : options.modules.paths)
        arguments.insert(arguments.end(), {"--path", root.string()});
    for (const std::string& name : options.modules.names)
        arguments.insert(arguments.end(), {"--module", name});
    if (options.modules.allow_missing)
        arguments.emplace_back("--allow-missing");
    return arguments;
}

// The child's command line: the same workload, one column.
std::vector<std::string> child_arguments(const MemoryOptions& options, MemoryColumn column) {
    const MemoryWorkload& w = options.workload;
    std::vector<std::string> arguments{"memory",
                                       "--child-column",
                                       std::string(memory_column_name(column)),
                                       "--imports",
                                       std::to_string(w.imports),
                                       "--bulk",
                                       std::to_string(w.bulk_calls),
                                       "--pool-capacity",
                                       std::to_string(w.pool_capacity),
                                       "--checkpoint-every",
                                       std::to_string(w.checkpoint_every),
                                       "--model-ceiling",
                                       std::to_string(model_ceiling_bytes(options) / mib)};
    const std::vector<std::string> modules = module_arguments_of(options);
    arguments.insert(arguments.end(), modules.begin(), modules.end());
    if (!w.capability.empty())
        arguments.insert(arguments.end(), {"--capability", w.capability.string()});
    return arguments;
}

// What makes a column other than the model: the library that its process runs under.
std::vector<std::string> child_environment(MemoryColumn column) {
    if (column != MemoryColumn::shared)
        return {};
    return {preload_entry(companion_library(regions_library)), "LEANHOST_REGIONS=on"};
}

// Collects a column's events into the report's shape.
class ColumnReport {
public:
    explicit ColumnReport(MemoryColumn column)
        : json_{{"title",
                 column == MemoryColumn::shared ? "shared model" : memory_column_name(column)},
                {"checkpoints", ordered_json::array()},
                {"phases", ordered_json::array()},
                {"import", nullptr},
                {"second_session", nullptr}} {
        if (column != MemoryColumn::native)
            json_["is_model_of"] = "Lean's own module loader; no Lean was run";
    }

    void add(const ordered_json& event) {
        const std::string kind = event["event"];
        if (kind == "checkpoint")
            json_["checkpoints"].push_back(event);
        if (kind == "phase")
            json_["phases"].push_back(event);
        if (kind == "import")
            json_["import"] = event["facts"];
        if (kind == "second_session")
            json_["second_session"] = event;
        if (kind == "region_sharing")
            json_["region_sharing"] = event["facts"];
        if (kind == "skipped")
            json_["skipped"].push_back(event);
        is_done_ = is_done_ || kind == "done";
    }
    ordered_json take() && {
        if (!is_done_)
            fail(ErrorCode::child_exited, "the child process ended before its workload did");
        return std::move(json_);
    }

private:
    ordered_json json_;
    bool is_done_ = false;
};

ordered_json run_column(const MemoryOptions& options, MemoryColumn column, ProgressLine& progress) {
    ColumnReport report(column);
    const auto take = [&](std::string_view line) {
        const ordered_json event = ordered_json::parse(line);
        if (event["event"] == "checkpoint") {
            progress.show(fmt::format("{}: {}", memory_column_name(column),
                                      event["name"].get<std::string>()));
        }
        report.add(event);
    };
    value_or_throw(run_self(child_arguments(options, column), child_environment(column), take));
    return std::move(report).take();
}

std::vector<MemoryColumn> columns_to_run(const MemoryOptions& options) {
    std::vector<MemoryColumn> columns;
    for (const MemoryColumn column : memory_columns) {
        // Where the library was not built, only who asks for its column learns of it.
        const bool is_there =
            column != MemoryColumn::shared || find_companion_library(regions_library).has_value();
        if (options.columns == memory_column_name(column) || (options.columns == "all" && is_there))
            columns.push_back(column);
    }
    return columns;
}

ordered_json workload_json(const MemoryWorkload& w) {
    return {{"imports", w.imports},
            {"bulk_calls", w.bulk_calls},
            {"pool_capacity", w.pool_capacity},
            {"checkpoint_every", w.checkpoint_every},
            {"modules", w.modules.size()},
            {"capability", w.capability.filename().string()},
            {"allow_missing", w.allow_missing}};
}

ScenarioOptions scenario_options(const MemoryOptions& options) {
    return {.search_path = options.workload.search_path,
            .modules = options.workload.modules,
            .allow_missing = options.workload.allow_missing,
            .max_threads = options.workload.max_threads};
}

int run_distinct(MemoryOptions& options) {
    ProgressLine progress;
    if (options.modules.paths.empty())
        options.modules.paths = {ensure_fixture_library(progress).directory};
    const ordered_json report = run_scenarios(module_arguments_of(options), progress);
    fmt::print("{}", scenarios_text(report));
    if (!options.json.empty())
        write_json_file(options.json, report);
    return 0;
}

int run_parent(MemoryOptions& options) {
    if (options.mode != "reproducer")
        return run_distinct(options);
    ProgressLine progress;
    if (options.modules.paths.empty()) {
        const FixtureLibrary fixture = ensure_fixture_library(progress);
        options.modules.paths = {fixture.directory};
        options.modules.names = {fixture.root_module};
    }
    resolve_modules(options.modules, options.workload.search_path, options.workload.modules);
    options.workload.allow_missing = options.modules.allow_missing;
    if (options.workload.capability.empty())
        options.workload.capability = companion_library(example_capability_library);
    ordered_json report{{"schema", "leanhost.memory/1"},
                        {"workload", workload_json(options.workload)}};
    for (const MemoryColumn column : columns_to_run(options)) {
        report["columns"][std::string(memory_column_name(column))] =
            run_column(options, column, progress);
    }
    progress.clear();
    const std::vector<Finding> findings = find_memory_findings(report["columns"]);
    for (const Finding& f : findings) {
        report["findings"].push_back(
            {{"name", f.name},
             {"text", f.text},
             {"bound", f.bound},
             {"holds", f.holds ? ordered_json(*f.holds) : ordered_json()}});
    }
    fmt::print("{}", memory_report_text(report, findings));
    if (!options.json.empty())
        write_json_file(options.json, report);
    if (!options.html.empty())
        write_text_file(options.html, html_page("leanhost memory", report, "memory_page.js"));
    return any_bound_failed(findings) ? cli_exit_code(ErrorCode::bound_failed) : 0;
}

int run_child(MemoryOptions& options) {
    resolve_modules(options.modules, options.workload.search_path, options.workload.modules);
    options.workload.allow_missing = options.modules.allow_missing;
    // A parent that is killed takes its measurement with it.
    static_cast<void>(::prctl(PR_SET_PDEATHSIG, SIGKILL));
    if (!options.child_scenario.empty()) {
        run_scenario(options.child_scenario, scenario_options(options), child_report_fd);
        return 0;
    }
    const auto* const column =
        std::find_if(std::begin(memory_columns), std::end(memory_columns),
                     [&](MemoryColumn c) { return options.child_column == memory_column_name(c); });
    if (column == std::end(memory_columns))
        fail(ErrorCode::invalid_argument, "no column " + options.child_column);
    const auto ceiling = *column == MemoryColumn::native
                             ? std::nullopt
                             : std::optional(model_ceiling_bytes(options));
    value_or_throw(run_memory_column(*column, options.workload, ceiling, child_report_fd));
    return 0;
}

} // namespace

void add_memory_command(CLI::App& app, CommandBody& chosen) {
    auto options = std::make_shared<MemoryOptions>();
    CLI::App* command = app.add_subcommand(
        "memory",
        "What repeated imports keep in memory: the native engine beside a model of Lean's loader, "
        "plain and with region sharing");
    MemoryWorkload& w = options->workload;
    // clang-format off
    command->add_option("--imports", w.imports, "Fresh import/drop rounds, and pooled acquires")
        ->envname("LEANHOST_LONG_SESSION_IMPORTS")->check(CLI::Range(2, 1000000))->capture_default_str();
    command->add_option("--bulk", w.bulk_calls, "Introspection calls of 16 names each")
        ->envname("LEANHOST_LONG_SESSION_BULK")->check(CLI::Range(1, 100000000))->capture_default_str();
    command->add_option("--pool-capacity", w.pool_capacity, "Free sessions that the bounded pool keeps")
        ->envname("LEANHOST_LONG_SESSION_POOL_CAPACITY")->check(CLI::Range(1, 1000))->capture_default_str();
    command->add_option("--checkpoint-every", w.checkpoint_every, "Rounds between checkpoints")
        ->envname("LEANHOST_LONG_SESSION_CHECKPOINT_EVERY")->check(CLI::Range(1, 1000000))->capture_default_str();
    command->add_option("--threads", w.max_threads, "Threads that an import may use; 0: one a core")
        ->envname("LEANHOST_NUM_THREADS")->check(CLI::Range(0, 1024))->capture_default_str();
    command->add_option("--model-ceiling", options->model_ceiling_mib,
        "MiB of anonymous memory that the model may reach; 0: a quarter of what is available, at most 4096")
        ->envname("LEANHOST_MODEL_CEILING")->check(CLI::Range(0, 1 << 30))->capture_default_str();
    command->add_option("--columns", options->columns, "Which to run: native engine, model of Lean's loader, that model under region sharing")
        ->check(CLI::IsMember({"all", "native", "model", "shared"}))->capture_default_str();
    command->add_option("--capability", w.capability,
        "The capability library to load after start; default: the example that comes with the command")
        ->check(CLI::ExistingFile);
    command->add_option("--json", options->json, "Write the whole report to this file as well");
    command->add_option("--html", options->html, "Write the report as one page with plots to this file as well");
    command->add_option("--mode", options->mode,
        "reproducer: repeated imports; pooled-distinct: what each further live environment costs")
        ->check(CLI::IsMember({"reproducer", "pooled-distinct"}))->capture_default_str();
    command->add_option("--child-scenario", options->child_scenario)->group("");
    command->add_option("--child-column", options->child_column)->group("");
    // clang-format on
    add_module_arguments(*command, options->modules);
    command->footer("Examples:\n"
                    "  leanhost memory\n"
                    "  leanhost memory --imports 64 --json report.json\n"
                    "  leanhost memory --mode pooled-distinct\n"
                    "  leanhost memory --path .lake/build/lib/lean --allow-missing\n"
                    "Exit status 1: the native engine broke one of its bounds.");
    command->callback([options, &chosen] {
        chosen = [options] {
            return guarded("memory", [&] {
                const bool is_child =
                    !options->child_column.empty() || !options->child_scenario.empty();
                return is_child ? run_child(*options) : run_parent(*options);
            });
        };
    });
}

} // namespace leanhost::cli
