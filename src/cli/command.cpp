#include "cli/command.hpp"

#include "base/guard.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>

namespace leanhost::cli {
namespace {

int parse_and_run(CLI::App& app, CommandBody& chosen, int argc, char** argv) {
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

int run_chosen(CLI::App& app, CommandBody& chosen, int argc, char** argv) {
    const auto status = guarded("leanhost", [&] { return parse_and_run(app, chosen, argc, argv); });
    if (status)
        return *status;
    std::fprintf(stderr, "leanhost: %s\n", status.error().message().c_str());
    return cli_exit_code(status.error().code());
}

} // namespace leanhost::cli
