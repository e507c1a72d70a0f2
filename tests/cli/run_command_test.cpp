#include "support/program_run.hpp"
#include "support/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

namespace leanhost::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

std::vector<std::string> run_command(std::vector<std::string> options,
                                     const std::vector<std::string>& command) {
    options.insert(options.begin(), {LEANHOST_COMMAND, "run"});
    options.emplace_back("--");
    options.insert(options.end(), command.begin(), command.end());
    return options;
}

// What --memory-report says of a run of `command`.
json report_of(const std::vector<std::string>& command, std::vector<std::string> options = {}) {
    const TempDir folder;
    const std::string file = (folder.path() / "report.json").string();
    options.insert(options.end(), {"--memory-report", file, "--interval", "50"});
    run_program(run_command(options, command));
    std::ifstream in(file);
    return json::parse(in);
}

// The last one, because a shell's command line may hold its child's.
const json& process_like(const json& report, const std::string& part) {
    const json* found = nullptr;
    for (const auto& process : report["processes"]) {
        if (process["command"].get<std::string>().find(part) != std::string::npos)
            found = &process;
    }
    EXPECT_NE(found, nullptr) << "no process like " << part << " in " << report.dump(1);
    return found != nullptr ? *found : report["processes"][0];
}

TEST(RunCommand, PassesOutputInputAndStatusThrough) {
    const ProgramRun outcome =
        run_program(run_command({}, {"sh", "-c", "cat; echo out; echo err >&2; exit 7"}));
    EXPECT_EQ(outcome.exit_status, 7);
    EXPECT_EQ(outcome.out, "out\n");
    EXPECT_THAT(outcome.err, HasSubstr("err\n"));
    EXPECT_THAT(outcome.err, HasSubstr("leanhost run: "));
}

TEST(RunCommand, QuietlyItAddsNothing) {
    const ProgramRun outcome = run_program(run_command({"--quiet"}, {"sh", "-c", "echo err >&2"}));
    EXPECT_EQ(outcome.exit_status, 0);
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(outcome.err, "err\n");
}

TEST(RunCommand, EndsByTheSignalThatEndedTheCommand) {
    const ProgramRun outcome = run_program(run_command({"--quiet"}, {"sh", "-c", "kill -TERM $$"}));
    EXPECT_EQ(outcome.signal, SIGTERM);
    const ProgramRun killed = run_program(run_command({"--quiet"}, {"sh", "-c", "kill -KILL $$"}));
    EXPECT_EQ(killed.signal, SIGKILL);
}

TEST(RunCommand, GivesAShellsStatusWhenTheCommandCannotStart) {
    const ProgramRun missing = run_program(run_command({}, {"/no/such/program"}));
    EXPECT_EQ(missing.exit_status, 127);
    EXPECT_THAT(missing.err, HasSubstr("cannot run /no/such/program: No such file"));
    EXPECT_EQ(run_program(run_command({}, {"/etc/passwd"})).exit_status, 126);
    EXPECT_EQ(run_program({LEANHOST_COMMAND, "run"}).exit_status, 64);
}

TEST(RunCommand, PassesSignalsOn) {
    const ProgramRun outcome = run_program(
        run_command({"--quiet"},
                    {"sh", "-c", "trap 'echo got it; exit 5' TERM; while :; do sleep 0.05; done"}),
        {}, [](int pid) {
            ::usleep(500'000);
            ::kill(pid, SIGTERM);
        });
    EXPECT_EQ(outcome.exit_status, 5);
    EXPECT_EQ(outcome.out, "got it\n");
}

TEST(RunCommand, ReportsOnDemandWhileTheCommandRuns) {
    const ProgramRun outcome =
        run_program(run_command({"--interval", "50"}, {"sleep", "1"}), {}, [](int pid) {
            ::usleep(500'000);
            ::kill(pid, SIGUSR1);
        });
    EXPECT_EQ(outcome.exit_status, 0);
    const std::size_t first = outcome.err.find("leanhost run: ");
    ASSERT_NE(first, std::string::npos);
    EXPECT_NE(outcome.err.find("leanhost run: ", first + 1), std::string::npos);
}

// Whoever started us may ignore SIGCHLD; then nobody's end was ever heard of.
TEST(RunCommand, EndsWhereChildrensEndsAreIgnored) {
    std::signal(SIGCHLD, SIG_IGN); // which the started program inherits
    const ProgramRun outcome =
        run_program(run_command({"--quiet"}, {"sh", "-c", "sleep 0.3; exit 9"}), {},
                    [](int) { std::signal(SIGCHLD, SIG_DFL); });
    EXPECT_EQ(outcome.exit_status, 9);
}

TEST(RunCommand, SamplesTheWholeTree) {
    const json report = report_of({"sh", "-c", "sh -c 'sleep 0.6; :' & wait"});
    EXPECT_EQ(report["status"]["exit"], 0);
    const json& sleeper = process_like(report, "sleep 0.6");
    EXPECT_GT(sleeper["samples"].size(), 2U);
    EXPECT_TRUE(sleeper["peak"]["gauge_bytes"].is_number());
    EXPECT_EQ(sleeper["coverage"], "covered");
    EXPECT_GE(report["totals"]["processes"], 2);
}

TEST(RunCommand, NamesProcessesThatItDoesNotCover) {
    const json report =
        report_of({"sh", "-c", "env -i sleep 0.61 & " LEANHOST_STATIC_PROGRAM " & wait"});
    EXPECT_EQ(process_like(report, "sleep 0.61")["coverage"], "environment_cleared");
    EXPECT_EQ(process_like(report, "static_program")["coverage"], "statically_linked");
    EXPECT_TRUE(process_like(report, "static_program")["region_sharing"].is_null());
}

TEST(RunCommand, KnowsShortProcessesByTheirReports) {
    const json report =
        report_of({"sh", "-c", "for i in 1 2 3 4 5; do /bin/true; done; sleep 0.2"});
    int short_ones = 0;
    for (const auto& process : report["processes"])
        short_ones += process["command"] == "/bin/true" ? 1 : 0;
    EXPECT_EQ(short_ones, 5);
}

// Counters of ended processes are folded into their records; their files go at once.
TEST(RunCommand, ReportFilesGoWithTheirProcesses) {
    const TempDir folder;
    const ProgramRun outcome = run_program(
        run_command({"--quiet", "--interval", "20"},
                    {"sh", "-c",
                     "i=0; while [ $i -lt 40 ]; do /bin/true; i=$((i+1)); done; sleep 0.4; "
                     "ls \"$LEANHOST_REGIONS_REPORT\" | wc -l"}),
        {"TMPDIR=" + folder.path().string()});
    EXPECT_LT(std::stol(outcome.out), 12) << "those that live, and who counts them";
}

TEST(RunCommand, CountsWhatTheModelOfLeansLoaderShares) {
    const std::string corpus = LEANHOST_SOURCE_DIR "/tests/corpus/olean/4.28.0/batteries";
    const std::vector<std::string> memory{LEANHOST_COMMAND, "memory", "--columns",      "model",
                                          "--imports",      "8",      "--bulk",         "1",
                                          "--path",         corpus,   "--allow-missing"};
    const json report = report_of(memory);
    const json& model = process_like(report, "--child-column model");
    EXPECT_GT(model["region_sharing"]["shares"], 7);
    EXPECT_EQ(model["region_sharing"]["refused"]["other_file"], 0);
    EXPECT_GT(report["totals"]["seconds_saved_at_least"], 0.0);
    const json off = report_of(memory, {"--regions", "off"});
    EXPECT_EQ(off["totals"]["shares"], 0);
    EXPECT_EQ(process_like(off, "--child-column model")["coverage"], "switched_off");
}

TEST(RunCommand, WritesAPage) {
    const TempDir folder;
    const std::string page = (folder.path() / "page.html").string();
    EXPECT_EQ(run_program(run_command({"--html", page}, {"sleep", "0.37"})).exit_status, 0);
    std::ifstream in(page);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    EXPECT_THAT(text, HasSubstr("sleep 0.37")) << "the run's data";
    EXPECT_THAT(text, HasSubstr("\"schema\":\"leanhost.run/1\""));
    EXPECT_THAT(text, HasSubstr("Private anonymous memory")) << "what draws it";
}

TEST(RunCommand, LeavesNoReportFolderBehind) {
    const TempDir folder;
    run_program(run_command({"--quiet"}, {"true"}), {"TMPDIR=" + folder.path().string()});
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(RunCommand, SaysWhereAReportCannotBeWritten) {
    const ProgramRun outcome =
        run_program(run_command({"--memory-report", "/no/such/folder/x"}, {"true"}));
    EXPECT_EQ(outcome.exit_status, 74);
    EXPECT_THAT(outcome.err, HasSubstr("/no/such/folder/x"));
}

} // namespace
} // namespace leanhost::test
