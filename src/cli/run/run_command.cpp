#include "base/guard.hpp"
#include "cli/command.hpp"
#include "cli/companion_library.hpp"
#include "cli/html_page.hpp"
#include "cli/json_file.hpp"
#include "cli/run/launched_command.hpp"
#include "cli/run/run_report.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>

#include <cstdio>
#include <memory>

namespace leanhost::cli {
namespace {

struct RunOptions {
    std::vector<std::string> command;
    std::string mode = "on";
    int interval_ms = 250;
    std::filesystem::path json;
    std::filesystem::path html;
    bool is_quiet = false;
};

// The shell's own statuses for a command that could not be started.
int status_of_failed_start(const Error& error) {
    constexpr int not_found = 127;
    constexpr int not_executable = 126;
    return error.code() == ErrorCode::not_found ? not_found : not_executable;
}

std::vector<std::string> environment_of(const RunOptions& options,
                                        const std::filesystem::path& library,
                                        const ReportFolder& reports) {
    return {preload_entry(library), "LEANHOST_REGIONS=" + options.mode,
            "LEANHOST_REGIONS_REPORT=" + reports.path().string()};
}

int run(const RunOptions& options) {
    const std::filesystem::path library = companion_library(regions_library);
    ReportFolder reports;
    ProcessWatch watch(reports, library);
    auto started = guarded("run", [&] {
        return std::make_unique<LaunchedCommand>(options.command,
                                                 environment_of(options, library, reports));
    });
    if (!started) {
        fmt::print(stderr, "leanhost: {}\n", started.error().message());
        return W_EXITCODE(status_of_failed_start(started.error()), 0);
    }
    const auto report = [&](std::optional<int> status) {
        return run_report_json(watch, options.command, options.mode, status,
                               measure_reading_speed(watch.module_files()));
    };
    const auto print = [](const nlohmann::ordered_json& json) {
        fmt::print(stderr, "{}", run_report_text(json));
    };
    // What goes wrong while looking is told at the end: it is no reason to leave the command alone.
    Expected<void> looked;
    const auto look = [&] {
        if (looked)
            looked = guarded("watch", [&] { watch.look(); });
    };
    const auto print_now = [&] {
        look();
        looked = guarded("report", [&] { print(report(std::nullopt)); });
    };
    const int status = (*started)->wait(options.interval_ms, look, print_now);
    look();
    if (!looked)
        fmt::print(stderr, "leanhost: watching stopped early: {}\n", looked.error().message());
    if (options.is_quiet && options.json.empty() && options.html.empty())
        return status;
    const nlohmann::ordered_json last = report(status);
    if (!options.is_quiet)
        print(last);
    if (!options.json.empty())
        write_json_file(options.json, last);
    if (!options.html.empty())
        write_text_file(options.html, html_page("leanhost run", last, "run_page.js"));
    return status;
}

} // namespace

void add_run_command(CLI::App& app, CommandBody& chosen) {
    auto options = std::make_shared<RunOptions>();
    CLI::App* command = app.add_subcommand(
        "run",
        "Run any program with real Lean's compacted regions shared, and say what that saved");
    command->add_option("command", options->command, "The program and its arguments, after --")
        ->required()
        ->type_name("COMMAND...");
    command->add_option("--regions", options->mode, "How to share: see docs/region-sharing.md")
        ->envname("LEANHOST_REGIONS")
        ->check(CLI::IsMember({"on", "off", "log", "private"}))
        ->capture_default_str();
    command->add_option("--interval", options->interval_ms, "Milliseconds between two looks")
        ->check(CLI::Range(10, 3600000))
        ->capture_default_str();
    command->add_option("--memory-report", options->json,
                        "Write what was seen to this file (JSON)");
    command->add_option("--html", options->html, "Write a page with plots to this file");
    command->add_flag("--quiet", options->is_quiet, "Print no report at the end");
    command->footer("Examples:\n"
                    "  leanhost run -- lake env lean --server\n"
                    "  leanhost run --html memory.html -- python3 serve.py\n"
                    "  kill -USR1 PID_OF_LEANHOST   # the report so far\n"
                    "Reports go to standard error. The exit status is the command's; 126 and 127 "
                    "as in a shell\n"
                    "when it could not be started.");
    command->callback([options, &chosen] {
        chosen = [options]() -> Expected<int> {
            auto status = guarded("run", [&] { return run(*options); });
            // Here, when everything of ours is gone: it may end this process by a signal.
            return std::move(status).map([](int wait_status) { return end_as(wait_status); });
        };
    });
}

} // namespace leanhost::cli
