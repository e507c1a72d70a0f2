// leanhost-commands: all commands in one program, which `leanhost` runs for all but a few.
#include "cli/check_in_workers.hpp"
#include "cli/command.hpp"

#include <leanhost/error.hpp>
#include <leanhost/version.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>

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
    add_whnf_command(app, chosen);
    add_stats_command(app, chosen);
    add_doctor_command(app, chosen);
    add_check_command(app, chosen, check_in_workers);
    return run_chosen(app, chosen, argc, argv);
}

} // namespace
} // namespace leanhost::cli

int main(int argc, char** argv) {
    try {
        return leanhost::cli::run(argc, argv);
    } catch (const std::exception& error) { // of what is done before there is a command
        std::fprintf(stderr, "leanhost: %s\n", error.what());
        return leanhost::cli_exit_code(leanhost::ErrorCode::internal);
    }
}
