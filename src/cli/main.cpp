#include "base/guard.hpp"
#include "cli/command.hpp"

#include <leanhost/version.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>

namespace leanhost::cli {
namespace {

int run(int argc, char** argv) {
    CLI::App app{"leanhost: Lean 4 environments with bounded memory"};
    app.set_version_flag("--version", std::string("leanhost ") + std::string(version));
    app.require_subcommand(1);
    app.footer("Start with: leanhost memory\nEvery command has --help with an example.");
    CommandBody chosen;
    add_memory_command(app, chosen);
    add_cycle_command(app, chosen);
    add_schedule_command(app, chosen);
    add_run_command(app, chosen);
    add_fixture_command(app, chosen);
    add_convert_command(app, chosen);
    add_query_command(app, chosen);
    add_stats_command(app, chosen);
    add_doctor_command(app, chosen);
    add_check_command(app, chosen);
    add_whnf_command(app, chosen);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        // CLI11 prints help and version, too, by way of an error whose exit code is 0.
        return app.exit(error) == 0 ? 0 : cli_exit_code(ErrorCode::invalid_argument);
    }
    const Expected<int> status = chosen();
    if (status)
        return *status;
    fmt::print(stderr, "leanhost: {}\n  ({})\n", status.error().message(), status.error().id());
    return cli_exit_code(status.error().code());
}

} // namespace
} // namespace leanhost::cli

int main(int argc, char** argv) {
    const auto status =
        leanhost::guarded("leanhost", [&] { return leanhost::cli::run(argc, argv); });
    if (status)
        return *status;
    std::fprintf(stderr, "leanhost: %s\n", status.error().message().c_str());
    return leanhost::cli_exit_code(status.error().code());
}
