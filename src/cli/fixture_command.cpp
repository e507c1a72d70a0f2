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

// Of the library that comes with Lean, as the seed's measurements have it.
constexpr std::uint64_t lean_modules = 2'259;
constexpr std::uint64_t lean_constants = 203'924;

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
    auto like_lean = std::make_shared<bool>(false);
    command->add_flag(
        "--like-lean", *like_lean,
        "Sizes spread as in real modules; unless told otherwise, the scale of Lean's own library: "
        "2259 modules, 203924 constants, about 1.9 GB");
    CLI::Option* const modules =
        command->add_option("--modules", options->modules, "Modules, the root module included")
            ->check(CLI::Range(2, 1000000))
            ->capture_default_str();
    CLI::Option* const constants =
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
        "  leanhost memory --path fixtures/small --module Fixture.All\n"
        "  leanhost fixture --like-lean --out fixtures/lean");
    command->callback([options, as_json, like_lean, modules, constants, &chosen] {
        if (*like_lean) {
            options->shape = module::fixture::SizeShape::like_lean;
            if (modules->empty())
                options->modules = lean_modules;
            if (constants->empty())
                options->constants = lean_constants;
        }
        chosen = [options, as_json] {
            return guarded("fixture", [&] { return run(*options, *as_json); });
        };
    });
}

} // namespace leanhost::cli
