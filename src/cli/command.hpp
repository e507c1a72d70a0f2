#pragma once

#include <leanhost/expected.hpp>

#include <CLI/App.hpp>

#include <functional>

namespace leanhost::cli {

struct CheckRequest;

/// What main runs when a command was chosen: it returns the exit status, or the error that main
/// prints.
using CommandBody = std::function<Expected<int>()>;

// Each adds its command to `app` and puts its body into `chosen` when the command line names it.
void add_memory_command(CLI::App& app, CommandBody& chosen);
void add_run_command(CLI::App& app, CommandBody& chosen);
void add_cycle_command(CLI::App& app, CommandBody& chosen);
void add_schedule_command(CLI::App& app, CommandBody& chosen);
void add_fixture_command(CLI::App& app, CommandBody& chosen);
void add_convert_command(CLI::App& app, CommandBody& chosen);
void add_query_command(CLI::App& app, CommandBody& chosen);
void add_stats_command(CLI::App& app, CommandBody& chosen);
void add_doctor_command(CLI::App& app, CommandBody& chosen);
/// `in_workers` does what is asked of workers; null in a program that is never asked.
using CheckInWorkers = int (*)(const CheckRequest&);
void add_check_command(CLI::App& app, CommandBody& chosen, CheckInWorkers in_workers);
void add_whnf_command(CLI::App& app, CommandBody& chosen);

/// Reads the command line, runs what `chosen` then holds, and prints what went wrong. The exit
/// status.
int run_chosen(CLI::App& app, CommandBody& chosen, int argc, char** argv);

} // namespace leanhost::cli
