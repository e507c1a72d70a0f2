#include "base/guard.hpp"
#include "cli/check_modules_run.hpp"
#include "cli/check_report_text.hpp"
#include "cli/command.hpp"
#include "cli/progress_line.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <memory>

namespace leanhost::cli {
namespace {

void print(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
}

// Calls `check(monitor)`, which throws Failure, with a progress line.
template <class F>
auto with_progress(const std::string& label, const F& check) {
    return guarded("check", [&] {
        ProgressLine progress;
        Monitor monitor(progress.sink(label), {});
        return check(monitor);
    });
}

/// Checks in this process, one file after the other.
class CheckRun {
public:
    explicit CheckRun(const CheckRequest& request) : request_(request), options_(request.options) {
        if (request.with_axioms)
            options_.on_axioms = [&request](const auto& declaration, const auto& axioms) {
                print(axioms_text(declaration, axioms, request.as_json));
            };
    }

    int run() {
        for (const auto& file : exports_to_check(request_)) {
            const std::string label = file.string();
            tell(label, with_progress(label, [&](Monitor& monitor) {
                     return kernel::check_export(file, options_, monitor);
                 }));
        }
        for (const CheckedModules& modules : modules_to_check(request_)) {
            tell("", with_progress("check", [&](Monitor& monitor) {
                     return check_modules(modules, request_.with_closure, options_, monitor);
                 }));
        }
        return status_.value();
    }

private:
    template <class Report>
    void tell(const std::string& label, const Expected<Report>& report) {
        if (report) {
            print(report_text(label, *report, request_.as_json));
            status_.add(*report);
        } else {
            fmt::print(stderr, "leanhost: {}\n", report.error().message());
            status_.add(report.error());
        }
    }

    const CheckRequest& request_;
    kernel::CheckOptions options_;
    CheckStatus status_;
};

void add_options(CLI::App& command, const std::shared_ptr<CheckRequest>& request) {
    CheckOptions& options = request->options;
    // clang-format off
    command.add_option("FILE", request->files, "Exports (.ndjson, also .zst; -) and modules (.olean)");
    add_module_arguments(command, request->modules);
    command.add_flag("--closure", request->with_closure, "Modules: check everything that they import, too");
    command.add_flag("--json", request->as_json, "Print one JSON object a line for each file");
    command.add_option("--jobs,-j", options.jobs, "Threads to check with")->check(CLI::Range(1, 256));
    command.add_option("--workers", request->workers, "Check every file, and every module by itself, in a process of its own, as many at once; 0: all here")
        ->check(CLI::Range(0, 1024))->capture_default_str();
    command.add_option("--max-total", request->max_total_mib, "Workers: MiB of memory that all of them together may have; 0: no limit")
        ->check(CLI::Range(0, 1 << 24))->capture_default_str();
    command.add_option("--heartbeats", options.max_heartbeats, "Decline a declaration that takes more steps; 0: no limit");
    command.add_option("--max-memory", request->max_memory_mib, "Drop caches, then decline, where more MiB would be needed by all threads and what was read; 0: no limit")
        ->check(CLI::Range(0, 1 << 24));
    command.add_flag("--axioms", request->with_axioms, "Print for each accepted declaration the axioms that it rests on");
    command.add_option_function<std::vector<std::string>>("--allow-axioms", [&options](const auto& axioms) { options.allowed_axioms = axioms; },
                                                          "Reject what rests on axioms that are not among these")
        ->delimiter(',')->expected(0, -1);
    add_drain_wait(command, request->drain_wait_ms);
    // clang-format on
}

} // namespace

void add_check_command(CLI::App& app, CommandBody& chosen, CheckInWorkers in_workers) {
    auto request = std::make_shared<CheckRequest>();
    CLI::App* command = app.add_subcommand(
        "check", "Check every declaration of exports and modules with the kernel: 0 accepted, 1 "
                 "rejected, 2 declined, other: error");
    add_options(*command, request);
    command->footer("Examples:\n  leanhost check init.ndjson.zst\n"
                    "  leanhost check --path .lake/build/lib/lean --module Main --closure\n"
                    "  leanhost check .lake/build/lib/lean/Main.olean\n"
                    "  leanhost check --workers 4 --max-total 2048 --json exports/*.ndjson\n"
                    "  leanhost check --json --allow-axioms propext,Quot.sound,Classical.choice -- "
                    "export.ndjson");
    command->callback([request, in_workers, &chosen] {
        request->options.max_memory_bytes = request->max_memory_mib << 20U;
        chosen = [request, in_workers] {
            return guarded("check", [&] {
                return request->workers == 0 ? CheckRun(*request).run() : in_workers(*request);
            });
        };
    });
}

} // namespace leanhost::cli
