// The command that people call. `check`, which is over in milliseconds, it does itself and loads
// nothing for it but libc; everything else, and what is to be checked in workers, is done by
// leanhost-commands, which has all commands.
#include "cli/command.hpp"

#include <leanhost/error.hpp>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <string_view>

namespace leanhost::cli {
namespace {

bool is_for_this_program(int argc, char** argv) {
    const auto asks_for_workers = [](std::string_view word) {
        return word.substr(0, word.find('=')) == "--workers";
    };
    return argc > 1 && std::string_view(argv[1]) == "check" &&
           std::none_of(argv + 2, argv + argc, asks_for_workers);
}

[[noreturn]] void run_all_commands(char** argv) {
    std::error_code ignored;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path() /
                         "leanhost-commands";
    ::execv(program.c_str(), argv);
    std::fprintf(stderr, "leanhost: cannot run %s: %s\n", program.c_str(), std::strerror(errno));
    std::exit(cli_exit_code(ErrorCode::not_found)); // NOLINT(concurrency-mt-unsafe)
}

} // namespace
} // namespace leanhost::cli

int main(int argc, char** argv) {
    using namespace leanhost;
    if (!cli::is_for_this_program(argc, argv))
        cli::run_all_commands(argv);
    try {
        CLI::App app{"leanhost: Lean 4 environments with bounded memory"};
        app.require_subcommand(1);
        cli::CommandBody chosen;
        cli::add_check_command(app, chosen, nullptr);
        return cli::run_chosen(app, chosen, argc, argv);
    } catch (const std::exception& error) { // of what is done before there is a command
        std::fprintf(stderr, "leanhost: %s\n", error.what());
        return cli_exit_code(ErrorCode::internal);
    }
}
