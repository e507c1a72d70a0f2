// The commands that use worker processes, over the committed modules of Batteries.
#include "support/program_run.hpp"
#include "support/temp_dir.hpp"
#include "worker_faults/leftovers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

namespace leanhost::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

const std::string corpus = LEANHOST_SOURCE_DIR "/tests/corpus/olean/4.28.0/batteries";

ProgramRun leanhost(std::string command, std::vector<std::string> arguments) {
    std::vector<std::string> all{LEANHOST_COMMAND, std::move(command), "--path", corpus,
                                 "--allow-missing"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return run_program(all);
}

json report_of(const std::filesystem::path& path) {
    std::ifstream in(path);
    return json::parse(in);
}

std::string text_of(const std::filesystem::path& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
}

TEST(CycleCommand, TheModelGrowsAndIsResetAndSharedRegionsHaveNothingToReset) {
    const TempDir folder;
    const ProgramRun run =
        leanhost("cycle", {"--imports", "6", "--max-imports", "2", "--json",
                           folder.path() / "r.json", "--html", folder.path() / "r.html"});
    EXPECT_EQ(run.exit_status, 0) << run.out << run.err;
    const json report = report_of(folder.path() / "r.json");
    for (const char* column : {"model", "shared"}) {
        EXPECT_EQ(report["columns"][column]["generations"], 3) << column;
        EXPECT_EQ(report["columns"][column]["points"].size(), 6U);
        EXPECT_EQ(report["columns"][column]["ended_by_reason"]["max_imports"], 2);
    }
    const json& model = report["columns"]["model"]["points"];
    const std::uint64_t relocated = model[1]["relocated_bytes"];
    EXPECT_EQ(model[0]["relocated_bytes"], 0) << "a generation's first import is mapped";
    EXPECT_EQ(relocated, model[1]["region_bytes"]) << "its second is copied";
    const auto gauge = [&](std::size_t i) {
        return model[i]["sample"]["gauge_bytes"].get<std::int64_t>();
    };
    EXPECT_GE(gauge(1) - gauge(0), static_cast<std::int64_t>(relocated));
    EXPECT_LT(gauge(2), gauge(1)) << "the fresh child has no residue";
    for (const json& point : report["columns"]["shared"]["points"])
        EXPECT_EQ(point["relocated_bytes"], 0);
    EXPECT_THAT(text_of(folder.path() / "r.html"), HasSubstr("leanhost cycle"));
}

TEST(CycleCommand, TakesTheSeedsEnvironmentOverrides) {
    const ProgramRun run = run_program(
        {"/usr/bin/env", "LEANHOST_WORKER_MEMORY_IMPORTS=3", "LEANHOST_WORKER_MEMORY_MAX_IMPORTS=1",
         LEANHOST_COMMAND, "cycle", "--path", corpus, "--allow-missing", "--policy", "shared"});
    EXPECT_EQ(run.exit_status, 0) << run.err;
    EXPECT_THAT(run.out,
                HasSubstr("3 imports in a worker whose child is replaced before import 2"));
}

TEST(ScheduleCommand, AnswersAllUnderItsBudgetAndTellsHow) {
    const TempDir folder;
    const ProgramRun run = leanhost("schedule", {"--requests",     "40",
                                                 "--keys",         "4",
                                                 "--clients",      "3",
                                                 "--max-workers",  "2",
                                                 "--max-total",    "64",
                                                 "--first-worker", "8",
                                                 "--json",         folder.path() / "r.json",
                                                 "--html",         folder.path() / "r.html",
                                                 "--metrics",      folder.path() / "m.txt",
                                                 "--log",          folder.path() / "log.jsonl"});
    EXPECT_EQ(run.exit_status, 0) << run.out << run.err;
    const json report = report_of(folder.path() / "r.json");
    EXPECT_EQ(report["answered"], 40);
    EXPECT_EQ(report["pool"]["leased"], 0);
    EXPECT_LE(report["pool"]["workers"], 2);
    EXPECT_LE(report["peak_anonymous_bytes"], 64U << 20);
    EXPECT_THAT(text_of(folder.path() / "m.txt"), HasSubstr("leanhost_pool_requests_total 80\n"));
    EXPECT_THAT(text_of(folder.path() / "log.jsonl"), HasSubstr(R"("event":"started")"));
    EXPECT_THAT(text_of(folder.path() / "r.html"), HasSubstr("leanhost schedule"));
}

TEST(ScheduleCommand, TellsOfTheCgroupThatItAskedFor) {
    const TempDir folder;
    const ProgramRun run =
        leanhost("schedule", {"--requests", "8", "--max-total", "64", "--first-worker", "8",
                              "--cgroup", "256", "--json", folder.path() / "r.json"});
    EXPECT_EQ(run.exit_status, 0) << run.out << run.err;
    const json cgroup = report_of(folder.path() / "r.json")["pool"]["cgroup"];
    if (!cgroup["holds"]) {
        EXPECT_NE(cgroup["why_not"], "");
        EXPECT_THAT(run.out, HasSubstr("no limit holds: "));
        GTEST_SKIP() << "no cgroup can be had here: " << cgroup["why_not"];
    }
    EXPECT_EQ(cgroup["limit_bytes"], 256U << 20);
    EXPECT_GT(cgroup["used_bytes"], 0);
    EXPECT_THAT(run.out, HasSubstr("of 268435456 bytes used, 0 children killed"));
    EXPECT_FALSE(std::filesystem::exists(cgroup["path"].get<std::string>())) << "it is left";
}

TEST(ScheduleCommand, RefusesWhatTheBudgetCannotHold) {
    const ProgramRun run = leanhost("schedule", {"--requests", "3", "--clients", "1", "--max-total",
                                                 "8", "--first-worker", "9"});
    EXPECT_EQ(run.exit_status, 0) << run.err;
    EXPECT_THAT(run.out, HasSubstr("answered 0, refused 3, failed 0"));
    EXPECT_THAT(run.out, HasSubstr("exceeds_budget 3"));
}

TEST(QueryCommand, SweepsEveryModuleInWorkers) {
    const ProgramRun swept = leanhost("query", {"--workers", "2", "--kind", "theorem", "--json"});
    EXPECT_EQ(swept.exit_status, 0) << swept.err;
    std::istringstream lines(swept.out);
    std::set<std::string> imports;
    std::size_t rows = 0;
    for (std::string line; std::getline(lines, line); ++rows) {
        const json row = json::parse(line);
        imports.insert(row["import"].get<std::string>());
        EXPECT_EQ(row["kind"], "theorem");
    }
    EXPECT_GE(imports.size(), 2U);
    EXPECT_GE(rows, imports.size());
}

// In workers and here: the same reports, whatever they took.
TEST(CheckCommand, WorkersSayOfEachFileWhatIsSaidHere) {
    const std::filesystem::path exports = LEANHOST_SOURCE_DIR "/tests/kernel/refused";
    std::vector<std::string> arguments = {LEANHOST_COMMAND, "check", "--json"};
    for (const auto& entry : std::filesystem::directory_iterator(exports)) {
        if (entry.path().extension() == ".ndjson")
            arguments.push_back(entry.path());
    }
    ASSERT_GT(arguments.size(), 5U);
    const auto reports = [&](std::vector<std::string> more) {
        std::vector<std::string> all = arguments;
        all.insert(all.end(), more.begin(), more.end());
        all.insert(all.end(), {"--allow-axioms", "propext"});
        const ProgramRun run = run_program(all);
        EXPECT_EQ(run.exit_status, 1) << run.err;
        std::map<std::string, json> by_file;
        std::istringstream lines(run.out);
        for (std::string line; std::getline(lines, line);) {
            json report = json::parse(line);
            report.erase("wall_seconds");
            by_file.emplace(report["file"], report);
        }
        return by_file;
    };
    const auto here = reports({});
    const auto in_workers = reports({"--workers", "2", "--max-total", "512", "--drain-wait=10"});
    EXPECT_EQ(here.size(), arguments.size() - 3);
    EXPECT_EQ(here, in_workers);
}

TEST(CheckCommand, WorkersCheckEveryModule) {
    const TempDir library;
    ASSERT_EQ(run_program({LEANHOST_COMMAND, "fixture", "--modules", "5", "--constants", "200",
                           "--out", library.path()})
                  .exit_status,
              0);
    const ProgramRun run =
        run_program({LEANHOST_COMMAND, "check", "--path", library.path(), "--workers=2"});
    EXPECT_EQ(run.exit_status, 0) << run.err;
    EXPECT_THAT(run.out, HasSubstr("Fixture.All: accepted: "));
    { std::ofstream(library.path() / "Broken.olean") << "no module"; }
    const ProgramRun broken =
        run_program({LEANHOST_COMMAND, "check", "--path", library.path(), "--workers", "2",
                     "--module", "Fixture.All", "--module", "Broken", "--closure"});
    EXPECT_EQ(broken.exit_status, 65) << broken.err;
    EXPECT_THAT(broken.out, HasSubstr("Fixture.All: accepted: "));
    EXPECT_THAT(broken.out, HasSubstr("in 5 modules accepted"));
    EXPECT_THAT(broken.err, HasSubstr("Broken: "));
}

TEST(CheckCommand, WhatWorkersCannotDoIsSaid) {
    const ProgramRun run = run_program({LEANHOST_COMMAND, "check", "--workers", "2", "-"});
    EXPECT_EQ(run.exit_status, 64) << run.err;
    EXPECT_THAT(run.err, HasSubstr("standard input cannot be checked in a worker"));
}

TEST(QueryCommand, AnImportSetThatFailsIsNamedAndTheOthersAreAnswered) {
    const TempDir broken;
    std::filesystem::copy(corpus, broken.path(), std::filesystem::copy_options::recursive);
    { std::ofstream(broken.path() / "Broken.olean") << "no module"; }
    const ProgramRun run = run_program({LEANHOST_COMMAND, "query", "--path", broken.path(),
                                        "--allow-missing", "--workers", "2", "--count"});
    EXPECT_EQ(run.exit_status, 65) << run.err;
    EXPECT_THAT(run.err, HasSubstr("Broken: "));
    EXPECT_THAT(run.err, HasSubstr("1 of "));
    EXPECT_THAT(run.out, HasSubstr("Batteries."));
}

// A command that a signal meets while its workers are at work. They are known by a link of their
// own to the worker program, and each begins a little late: there is time to be met in.
class SignalledCommand : public testing::TestWithParam<int> {
protected:
    SignalledCommand() {
        signal = GetParam();
        mark = folder.path();
        log = folder.path() / "log.jsonl";
        std::filesystem::create_symlink(LEANHOST_WORKER_PROGRAM, folder.path() / "real-worker");
        std::filesystem::permissions(
            folder.write("late-worker",
                         "#!/bin/sh\nsleep 0.1\nexec " + mark + "/real-worker \"$@\"\n"),
            std::filesystem::perms(0755));
    }
    ProgramRun run(const std::string& command,
                   std::vector<std::string> arguments,
                   void (*when_started)(int pid)) const {
        std::vector<std::string> all{LEANHOST_COMMAND, command, "--path", corpus,
                                     "--allow-missing"};
        all.insert(all.end(), arguments.begin(), arguments.end());
        return run_program(all, {"LEANHOST_WORKER=" + mark + "/late-worker"}, when_started);
    }
    // The command itself is our child, so it is listed as well.
    static bool has_worker() {
        const auto processes = processes_with(mark);
        return std::any_of(processes.begin(), processes.end(), [](const ProcessLine& process) {
            return process.command.find(mark + "/") != std::string::npos;
        });
    }
    static void expect_no_worker() {
        EXPECT_TRUE(comes_true(std::chrono::seconds(1), [] {
            return processes_with(mark).empty();
        })) << "an orphan is left";
    }

    const TempDir folder;
    // What `when_started` knows, which takes nothing along.
    static inline std::string mark;
    static inline std::filesystem::path log;
    static inline int signal = 0;
};
INSTANTIATE_TEST_SUITE_P(Signals,
                         SignalledCommand,
                         testing::Values(SIGTERM, SIGINT),
                         [](const auto& one) { return one.param == SIGTERM ? "term" : "int"; });

TEST_P(SignalledCommand, ScheduleFinishesWhatRunsAndSaysWhatEndedIt) {
    const ProgramRun program = run(
        "schedule", {"--requests", "10000000", "--log", log, "--json", folder.path() / "r.json"},
        [](int pid) {
            const auto has_begun = [] {
                return text_of(log).find(R"("event":"started")") != std::string::npos;
            };
            EXPECT_TRUE(comes_true(std::chrono::seconds(20), has_begun));
            ::kill(pid, signal);
        });
    EXPECT_EQ(program.exit_status, 128 + signal) << program.err;
    EXPECT_THAT(program.out, HasSubstr("ended by signal " + std::to_string(signal)));
    const json report = report_of(folder.path() / "r.json");
    EXPECT_EQ(report["ended_by_signal"], signal);
    EXPECT_EQ(report["failed"], 0) << "a request that ran was not finished";
    EXPECT_LT(report["answered"], 10'000'000);
    EXPECT_EQ(report["pool"]["leased"], 0);
    expect_no_worker();
}

TEST_P(SignalledCommand, QueryPrintsWholeImportSetsOnly) {
    const ProgramRun program =
        run("query", {"--workers", "1", "--types", "--dependencies", "--json"}, [](int pid) {
            EXPECT_TRUE(comes_true(std::chrono::seconds(20), [] { return has_worker(); }));
            ::kill(pid, signal);
        });
    EXPECT_EQ(program.exit_status, 128 + signal) << program.err;
    EXPECT_THAT(program.err,
                testing::ContainsRegex("ended by signal [0-9]+ after [1-9][0-9]* of [0-9]+"));
    EXPECT_THAT(program.err, testing::Not(HasSubstr("failed")));
    std::istringstream lines(program.out);
    for (std::string line; std::getline(lines, line);)
        EXPECT_TRUE(json::accept(line)) << "a row that was cut: " << line;
    expect_no_worker();
}

TEST(DoctorCommand, SaysWhatConfinesWorkers) {
    const ProgramRun run = run_program({LEANHOST_COMMAND, "doctor"});
    EXPECT_EQ(run.exit_status, 0);
    EXPECT_THAT(run.out, testing::ContainsRegex(
                             "worker_confinement +(pid_namespace|no_new_processes|none)"));
    EXPECT_THAT(run.out, HasSubstr("leanhost-worker"));
    EXPECT_THAT(run.out, testing::ContainsRegex("worker_cgroup +(available|unavailable)"));
}

} // namespace
} // namespace leanhost::test
