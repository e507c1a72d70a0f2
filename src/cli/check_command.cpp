#include "base/guard.hpp"
#include "cli/command.hpp"
#include "cli/progress_line.hpp"
#include "kernel/check_export.hpp"
#include "object/constant_info.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

namespace leanhost::cli {
namespace {

using kernel::ExportReport;
using kernel::Outcome;

struct CheckCommandOptions {
    std::vector<std::filesystem::path> files;
    bool as_json = false;
    unsigned jobs = 1;
    std::uint64_t max_heartbeats = 0;
    std::uint64_t max_memory_mib = 0;
    bool has_axiom_policy = false;
    std::vector<std::string> allowed_axioms;
};

const char* outcome_name(Outcome outcome) {
    switch (outcome) {
    case Outcome::accepted:
        return "accepted";
    case Outcome::rejected:
        return "rejected";
    default:
        return "declined";
    }
}

int exit_status(Outcome outcome) {
    return static_cast<int>(outcome);
}

nlohmann::ordered_json to_json(const std::filesystem::path& file, const ExportReport& report) {
    nlohmann::ordered_json json;
    json["schema"] = "leanhost.check/1";
    json["file"] = file.string();
    json["verdict"] = outcome_name(report.verdict.outcome);
    if (report.verdict.outcome != Outcome::accepted) {
        json["declaration"] = report.declaration;
        json["reason"] = report.verdict.reason;
        json["message"] = report.verdict.message;
        json["where"] = report.verdict.where;
    }
    json["lean_version"] = report.lean_version;
    json["format_version"] = report.format_version;
    json["declarations"] = report.num_declarations;
    nlohmann::ordered_json constants;
    for (unsigned kind = 0; kind < object::num_constant_kinds; ++kind) {
        const auto name = object::constant_kind_name(static_cast<object::ConstantKind>(kind));
        constants[std::string(name)] = report.constants[kind];
    }
    json["constants"] = constants;
    json["unsafe_or_partial"] = report.num_unsafe;
    json["axioms"] = report.axioms;
    json["heartbeats"] = report.heartbeats;
    json["read_bytes"] = report.read_bytes;
    json["persistent_bytes"] = report.persistent_bytes;
    json["index_bytes"] = report.index_bytes;
    json["peak_scratch_bytes"] = report.peak_scratch_bytes;
    return json;
}

std::string dump(const nlohmann::ordered_json& value) {
    return value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

void print_for_people(const std::filesystem::path& file, const ExportReport& report) {
    std::string axioms;
    for (const std::string& axiom : report.axioms)
        axioms += (axioms.empty() ? "" : ", ") + axiom;
    fmt::print("{}: {}: {} declarations{}{}\n", file.string(), outcome_name(report.verdict.outcome),
               report.num_declarations, axioms.empty() ? "" : "; axioms: ", axioms);
    if (report.verdict.outcome == Outcome::accepted)
        return;
    fmt::print("  {} ({}", report.declaration, report.verdict.reason);
    if (!report.verdict.where.empty())
        fmt::print(", at {}", report.verdict.where);
    fmt::print(")\n  {}\n", report.verdict.message);
}

ExportReport check(const std::filesystem::path& file, const CheckCommandOptions& options) {
    kernel::CheckOptions check_options;
    check_options.jobs = options.jobs;
    check_options.max_heartbeats = options.max_heartbeats;
    check_options.max_memory_bytes = options.max_memory_mib << 20U;
    if (options.has_axiom_policy)
        check_options.allowed_axioms = &options.allowed_axioms;
    ProgressLine progress;
    Monitor monitor(progress.sink(file.string()), {});
    return kernel::check_export(file, check_options, monitor);
}

// A rejection outweighs a decline, an error all: the status is that of the worst file.
int run(const CheckCommandOptions& options) {
    int status = 0;
    int error = 0;
    for (const auto& file : options.files) {
        const auto report = guarded("check", [&] { return check(file, options); });
        if (!report) {
            fmt::print(stderr, "leanhost: {}\n", report.error().message());
            error = error != 0 ? error : cli_exit_code(report.error().code());
            continue;
        }
        if (options.as_json)
            fmt::print("{}\n", dump(to_json(file, *report)));
        else
            print_for_people(file, *report);
        const int now = exit_status(report->verdict.outcome);
        status = status == 1 || now == 1 ? 1 : std::max(status, now);
    }
    return error != 0 ? error : status;
}

} // namespace

void add_check_command(CLI::App& app, CommandBody& chosen) {
    auto options = std::make_shared<CheckCommandOptions>();
    CLI::App* command = app.add_subcommand(
        "check", "Check every declaration of an export with the kernel: 0 accepted, 1 rejected, "
                 "2 declined, other: error");
    command->add_option("FILE", options->files, "Exports (.ndjson, also .zst; -)")->required();
    command->add_flag("--json", options->as_json, "Print one JSON object a line for each file");
    command->add_option("--jobs,-j", options->jobs, "Threads to check with")
        ->check(CLI::Range(1, 256));
    command->add_option("--heartbeats", options->max_heartbeats,
                        "Decline a declaration that takes more steps; 0: no limit");
    command->add_option("--max-memory", options->max_memory_mib,
                        "Decline a declaration whose terms take more MiB; 0: no limit");
    command
        ->add_option("--allow-axioms", options->allowed_axioms,
                     "Reject axioms that are not among these")
        ->delimiter(',')
        ->expected(0, -1)
        ->each([options](const std::string&) { options->has_axiom_policy = true; });
    command->footer("Examples:\n  leanhost check init.ndjson.zst\n"
                    "  leanhost check --json --allow-axioms propext,Quot.sound,Classical.choice -- "
                    "export.ndjson");
    command->callback([options, &chosen] {
        chosen = [options] { return guarded("check", [&] { return run(*options); }); };
    });
}

} // namespace leanhost::cli
