#include "base/guard.hpp"
#include "cli/check_modules_run.hpp"
#include "cli/check_words.hpp"
#include "cli/command.hpp"
#include "cli/module_arguments.hpp"
#include "cli/progress_line.hpp"
#include "kernel/check_export.hpp"
#include "module/module_place.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <map>
#include <memory>

namespace leanhost::cli {
namespace {

using kernel::ExportReport;
using kernel::Outcome;

struct CheckCommandOptions {
    std::vector<std::filesystem::path> files;
    ModuleArguments modules;
    bool with_closure = false;
    bool as_json = false;
    unsigned jobs = 1;
    std::uint64_t max_heartbeats = 0;
    std::uint64_t max_memory_mib = 0;
    bool with_axioms = false;
    bool has_axiom_policy = false;
    std::vector<std::string> allowed_axioms;
};

bool is_module_file(const std::filesystem::path& file) {
    return file.extension() == ".olean";
}

nlohmann::ordered_json to_json(const std::filesystem::path& file, const ExportReport& report) {
    nlohmann::ordered_json json;
    json["schema"] = "leanhost.check/1";
    json["file"] = file.string();
    if (report.verdict.outcome != Outcome::accepted)
        json["declaration"] = report.declaration;
    add_verdict(json, report.verdict);
    json["lean_version"] = report.lean_version;
    json["format_version"] = report.format_version;
    json["declarations"] = report.num_declarations;
    json["constants"] = constants_json(report.constants);
    json["unsafe_or_partial"] = report.num_unsafe;
    json["axioms"] = report.axioms;
    if (!report.unlisted_axioms.empty())
        json["unlisted_axioms"] = unlisted_axioms_json(report.unlisted_axioms);
    json["heartbeats"] = report.heartbeats;
    json["read_bytes"] = report.read_bytes;
    json["peak_bytes"] = report.peak_bytes;
    json["reading_bytes"] = report.reading_bytes;
    json["persistent_bytes"] = report.persistent_bytes;
    json["index_bytes"] = report.index_bytes;
    json["peak_scratch_bytes"] = report.peak_scratch_bytes;
    return json;
}

std::string join(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names)
        text += (text.empty() ? "" : ", ") + name;
    return text;
}

void print_for_people(const std::filesystem::path& file, const ExportReport& report) {
    const std::string axioms = join(report.axioms);
    const std::string is_unsafe =
        report.num_unsafe == 0 ? "" : fmt::format(", {} unsafe or partial", report.num_unsafe);
    fmt::print("{}: {}: {} declarations{}{}{}\n", file.string(),
               outcome_name(report.verdict.outcome), report.num_declarations, is_unsafe,
               axioms.empty() ? "" : "; axioms: ", axioms);
    if (report.verdict.outcome != Outcome::accepted)
        fmt::print("  {}\n", describe(report.declaration, report.verdict));
}

// As they come: an export may have millions.
void print_axioms(bool as_json,
                  const std::string& declaration,
                  const std::vector<std::string>& axioms) {
    if (as_json) {
        const nlohmann::ordered_json row = {{"schema", "leanhost.check.axioms/1"},
                                            {"declaration", declaration},
                                            {"axioms", axioms}};
        fmt::print("{}\n", dump_json_line(row));
        return;
    }
    fmt::print("{}: {}\n", declaration, axioms.empty() ? "no axioms" : join(axioms));
}

kernel::CheckOptions check_options(const CheckCommandOptions& options) {
    kernel::CheckOptions result;
    result.jobs = options.jobs;
    result.max_heartbeats = options.max_heartbeats;
    result.max_memory_bytes = options.max_memory_mib << 20U;
    if (options.has_axiom_policy)
        result.allowed_axioms = &options.allowed_axioms;
    if (options.with_axioms)
        result.on_axioms = [&options](const auto& declaration, const auto& axioms) {
            print_axioms(options.as_json, declaration, axioms);
        };
    return result;
}

ExportReport check(const std::filesystem::path& file, const CheckCommandOptions& options) {
    ProgressLine progress;
    Monitor monitor(progress.sink(file.string()), {});
    return kernel::check_export(file, check_options(options), monitor);
}

/// The worst of several: an error before a rejection before a decline.
class ExitStatus {
public:
    void add(Outcome outcome) {
        const int now = exit_status(outcome);
        status_ = status_ == 1 || now == 1 ? 1 : std::max(status_, now);
    }
    void add(const Error& error) {
        fmt::print(stderr, "leanhost: {}\n", error.message());
        error_ = error_ != 0 ? error_ : cli_exit_code(error.code());
    }
    int value() const { return error_ != 0 ? error_ : status_; }

private:
    int status_ = 0;
    int error_ = 0;
};

void run_export(const std::filesystem::path& file,
                const CheckCommandOptions& options,
                ExitStatus& status) {
    const auto report = guarded("check", [&] { return check(file, options); });
    if (!report) {
        status.add(report.error());
        return;
    }
    if (options.as_json)
        fmt::print("{}\n", dump_json_line(to_json(file, *report)));
    else
        print_for_people(file, *report);
    status.add(report->verdict.outcome);
}

// Files that hold modules, by the folder that they belong to; then modules by name.
std::vector<CheckedModules> modules_to_check(const CheckCommandOptions& options) {
    std::map<std::vector<std::filesystem::path>, CheckedModules> by_path;
    for (const auto& file : options.files) {
        if (!is_module_file(file))
            continue;
        const auto place = module::place_of_module(file, options.modules.paths);
        auto path = options.modules.paths;
        if (path.empty())
            path.push_back(place.root);
        CheckedModules& group = by_path[path];
        group.search_path = path;
        group.modules.push_back(place.module);
    }
    if (!options.modules.names.empty() || options.files.empty()) {
        std::vector<Name> names;
        std::vector<std::filesystem::path> path;
        resolve_modules(options.modules, path, names);
        CheckedModules& group = by_path[path];
        group.search_path = path;
        group.modules.insert(group.modules.end(), names.begin(), names.end());
    }
    std::vector<CheckedModules> result;
    for (auto& [path, group] : by_path) {
        group.with_closure = options.with_closure;
        result.push_back(std::move(group));
    }
    return result;
}

void run_modules(const CheckedModules& modules,
                 const CheckCommandOptions& options,
                 ExitStatus& status) {
    const auto report = guarded("check", [&] {
        ProgressLine progress;
        Monitor monitor(progress.sink("check"), {});
        return check_modules(modules, check_options(options), monitor);
    });
    if (!report) {
        status.add(report.error());
        return;
    }
    if (options.as_json)
        print_modules_report_json(*report);
    else
        print_modules_report(*report);
    status.add(report->outcome);
}

int run(const CheckCommandOptions& options) {
    ExitStatus status;
    for (const auto& file : options.files) {
        if (!is_module_file(file))
            run_export(file, options, status);
    }
    for (const CheckedModules& modules : modules_to_check(options))
        run_modules(modules, options, status);
    return status.value();
}

} // namespace

void add_check_command(CLI::App& app, CommandBody& chosen) {
    auto options = std::make_shared<CheckCommandOptions>();
    CLI::App* command = app.add_subcommand(
        "check", "Check every declaration of exports and modules with the kernel: 0 accepted, 1 "
                 "rejected, 2 declined, other: error");
    command->add_option("FILE", options->files,
                        "Exports (.ndjson, also .zst; -) and modules (.olean)");
    add_module_arguments(*command, options->modules);
    command->add_flag("--closure", options->with_closure,
                      "Modules: check everything that they import, too");
    command->add_flag("--json", options->as_json, "Print one JSON object a line for each file");
    command->add_option("--jobs,-j", options->jobs, "Threads to check with")
        ->check(CLI::Range(1, 256));
    command->add_option("--heartbeats", options->max_heartbeats,
                        "Decline a declaration that takes more steps; 0: no limit");
    command->add_option(
        "--max-memory", options->max_memory_mib,
        "Drop caches, then decline, where more MiB would be needed by all threads and what "
        "was read; 0: no limit");
    command->add_flag("--axioms", options->with_axioms,
                      "Exports: print for each accepted declaration the axioms that it rests on");
    command
        ->add_option("--allow-axioms", options->allowed_axioms,
                     "Reject what rests on axioms that are not among these")
        ->delimiter(',')
        ->expected(0, -1)
        ->each([options](const std::string&) { options->has_axiom_policy = true; });
    command->footer("Examples:\n  leanhost check init.ndjson.zst\n"
                    "  leanhost check --path .lake/build/lib/lean --module Main --closure\n"
                    "  leanhost check .lake/build/lib/lean/Main.olean\n"
                    "  leanhost check --json --allow-axioms propext,Quot.sound,Classical.choice -- "
                    "export.ndjson");
    command->callback([options, &chosen] {
        chosen = [options] { return guarded("check", [&] { return run(*options); }); };
    });
}

} // namespace leanhost::cli
