#include "base/guard.hpp"
#include "cli/command.hpp"
#include "cli/progress_line.hpp"
#include "module/fixture/fixture_library.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

namespace leanhost::cli {
namespace {

using module::fixture::FixtureOptions;
using module::fixture::FixtureReport;

void print_report(const FixtureOptions& options, const FixtureReport& report, bool as_json) {
    if (as_json) {
        const nlohmann::ordered_json json{{"schema", "leanhost.fixture/1"},
                                          {"directory", options.directory.string()},
                                          {"root_module", module::fixture::root_module},
                                          {"modules", report.modules},
                                          {"constants", report.constants},
                                          {"objects", report.objects},
                                          {"file_bytes", report.file_bytes},
                                          {"was_there", report.was_there}};
        fmt::print("{}\n", json.dump(2));
        return;
    }
    fmt::print("{}: {} modules, {} constants, {} objects, {:.2f} MiB ({:.0f} bytes a constant){}\n",
               options.directory.string(), report.modules, report.constants, report.objects,
               static_cast<double>(report.file_bytes) / (1024.0 * 1024.0),
               static_cast<double>(report.file_bytes) /
                   static_cast<double>(std::max<std::uint64_t>(1, report.constants)),
               report.was_there ? ", there already" : "");
}

int run(const FixtureOptions& options, bool as_json) {
    ProgressLine line;
    const FixtureReport report =
        value_or_throw(module::fixture::write_fixture(options, line.sink("fixture")));
    line.clear();
    print_report(options, report, as_json);
    return 0;
}

} // namespace

void add_fixture_command(CLI::App& app, CommandBody& chosen) {
    auto options = std::make_shared<FixtureOptions>();
    auto as_json = std::make_shared<bool>(false);
    CLI::App* command = app.add_subcommand(
        "fixture", "Write a well-typed synthetic library as module files, to experiment with");
    command->add_option("--modules", options->modules, "Modules, the root module included")
        ->check(CLI::Range(2, 1000000))
        ->capture_default_str();
    command->add_option("--constants", options->constants, "Constants in all modules together")
        ->check(CLI::Range(1, 100000000))
        ->capture_default_str();
    command->add_option("--seed", options->seed, "Another seed gives another library")
        ->capture_default_str();
    command
        ->add_option("--out", options->directory, "Folder to write into; put it on a search path")
        ->required();
    command->add_flag("--json", *as_json, "Print JSON");
    command->footer(
        "Example:\n  leanhost fixture --modules 64 --constants 5000 --out fixtures/small\n"
        "  leanhost memory --path fixtures/small --module Fixture.All");
    command->callback([options, as_json, &chosen] {
        chosen = [options, as_json] {
            return guarded("fixture", [&] { return run(*options, *as_json); });
        };
    });
}

} // namespace leanhost::cli
