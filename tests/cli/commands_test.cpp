// The commands as users run them, over the committed modules of Batteries.
#include "support/program_run.hpp"
#include "support/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

namespace leanhost::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

const std::string corpus = LEANHOST_SOURCE_DIR "/tests/corpus/olean/4.28.0/batteries";

ProgramRun leanhost(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), LEANHOST_COMMAND);
    return run_program(arguments);
}

ProgramRun query(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"query", "--path", corpus, "--allow-missing"});
    return leanhost(std::move(arguments));
}

std::vector<json> json_lines(const std::string& text) {
    std::vector<json> result;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        result.push_back(json::parse(line));
    return result;
}

json file_content(const std::string& path) {
    std::ifstream in(path);
    return json::parse(in);
}

TEST(QueryCommand, LooksANameUp) {
    const ProgramRun run = query({"RatCast.mk", "--types", "--facts"});
    EXPECT_EQ(run.exit_status, 0) << run.err;
    EXPECT_THAT(run.out, HasSubstr("constructor  RatCast.mk"));
    EXPECT_THAT(run.out, HasSubstr("type: ∀ {K : Type u}, (Rat → K) → @RatCast.{u} K"));
    EXPECT_THAT(run.out, HasSubstr("\"inductive\":\"RatCast\""));
}

TEST(QueryCommand, AnUnknownNameIsNamedAndTheStatus) {
    const ProgramRun run = query({"RatCast.mk", "RatCast.nothing"});
    EXPECT_EQ(run.exit_status, 66);
    EXPECT_THAT(run.out, HasSubstr("RatCast.mk"));
    EXPECT_THAT(run.err, HasSubstr("no imported module declares 'RatCast.nothing'"));
}

TEST(QueryCommand, StreamsJsonForAllThatMatch) {
    const ProgramRun run = query({"--prefix", "RatCast", "--dependencies", "--dependents",
                                  "--axioms", "--value-size", "--json"});
    const auto rows = json_lines(run.out);
    ASSERT_GE(rows.size(), 3U);
    for (const json& row : rows) {
        EXPECT_THAT(row["name"].get<std::string>(), testing::StartsWith("RatCast"));
        EXPECT_TRUE(row["dependencies"].is_array());
        EXPECT_TRUE(row["dependents"].is_array());
        EXPECT_TRUE(row["axioms"].is_array());
    }
    const ProgramRun count = query({"--prefix", "RatCast", "--count"});
    EXPECT_EQ(count.out, std::to_string(rows.size()) + "\n");
}

TEST(QueryCommand, ConditionsNarrowAndALimitStops) {
    const ProgramRun inductives = query({"--prefix", "RatCast", "--kind", "inductive", "--json"});
    ASSERT_EQ(json_lines(inductives.out).size(), 1U);
    EXPECT_EQ(json_lines(inductives.out)[0]["name"], "RatCast");
    EXPECT_EQ(json_lines(query({"--limit", "5", "--json"}).out).size(), 5U);
    EXPECT_EQ(query({"--kind", "lemma"}).exit_status, 64);
}

// Exit statuses are those that the Lean Kernel Arena expects of a checker.
TEST(CheckCommand, ExitStatusIsTheVerdict) {
    const TempDir folder;
    const std::string start =
        R"({"meta":{"exporter":{"name":"lean4export","version":"3.1.0"},"format":{"version":"3.1.0"},"lean":{"githash":"x","version":"4.29.0"}}}
{"in":1,"str":{"pre":0,"str":"p"}}
{"in":2,"str":{"pre":0,"str":"q"}}
{"ie":0,"sort":0}
{"axiom":{"isUnsafe":false,"levelParams":[],"name":1,"type":0}}
)";
    const auto write = [&](const char* name, const std::string& text) {
        const std::string path = (folder.path() / name).string();
        std::ofstream(path) << text;
        return path;
    };
    const std::string good = write("good.ndjson", start);
    const std::string bad = write(
        "bad.ndjson",
        start + "{\"axiom\":{\"isUnsafe\":false,\"levelParams\":[],\"name\":1,\"type\":0}}\n");
    const std::string broken = write("broken.ndjson", start + "{\n");

    const ProgramRun accepted = leanhost({"check", "--json", good});
    EXPECT_EQ(accepted.exit_status, 0) << accepted.err;
    const json report = json::parse(accepted.out);
    EXPECT_EQ(report["schema"], "leanhost.check/1");
    EXPECT_EQ(report["verdict"], "accepted");
    EXPECT_EQ(report["axioms"], json::array({"p"}));

    const ProgramRun rejected = leanhost({"check", "--json", "--jobs", "2", bad});
    EXPECT_EQ(rejected.exit_status, 1);
    EXPECT_EQ(json::parse(rejected.out)["reason"], "duplicate_name");
    EXPECT_EQ(json::parse(rejected.out)["declaration"], "p");

    const std::string uses = write("uses.ndjson", start + R"({"ie":1,"const":{"name":1,"us":[]}}
{"def":{"all":[2],"hints":"abbrev","levelParams":[],"name":2,"safety":"safe","type":0,"value":1}}
)");
    const ProgramRun unwanted = leanhost({"check", "--allow-axioms", "propext", "--", uses});
    EXPECT_EQ(unwanted.exit_status, 1);
    EXPECT_NE(unwanted.out.find("p by 1: q"), std::string::npos) << unwanted.out;
    EXPECT_EQ(leanhost({"check", "--allow-axioms", "p", "--", uses}).exit_status, 0);
    EXPECT_EQ(leanhost({"check", "--allow-axioms", "propext", "--", good}).exit_status, 0);
    const ProgramRun rests = leanhost({"check", "--axioms", "--json", uses});
    const json row = json_lines(rests.out).at(1);
    EXPECT_EQ(row["schema"], "leanhost.check.axioms/1");
    EXPECT_EQ(row["declaration"], "q");
    EXPECT_EQ(row["axioms"], json::array({"p"}));

    EXPECT_EQ(leanhost({"check", broken}).exit_status, 65);
    EXPECT_EQ(leanhost({"check", (folder.path() / "none").string()}).exit_status, 66);
    EXPECT_EQ(leanhost({"check", good, bad}).exit_status, 1);
}

TEST(StatsCommand, CountsAnExport) {
    const TempDir folder;
    const std::string file = (folder.path() / "small.ndjson").string();
    std::ofstream(file)
        << R"({"meta":{"exporter":{"name":"lean4export","version":"3.1.0"},"format":{"version":"3.1.0"},"lean":{"githash":"x","version":"4.29.0"}}}
{"in":1,"str":{"pre":0,"str":"p"}}
{"ie":0,"sort":0}
{"axiom":{"isUnsafe":false,"levelParams":[],"name":1,"type":0}}
)";
    const ProgramRun stats = leanhost({"stats", "--json", file});
    ASSERT_EQ(stats.exit_status, 0) << stats.err;
    EXPECT_EQ(json::parse(stats.out)["axiom"], 1);
    EXPECT_EQ(json::parse(stats.out)["extra"]["lines"], 4);

    const std::string out = (folder.path() / "modules").string();
    const ProgramRun convert = leanhost({"convert", file, "--out", out, "--root", "Small"});
    EXPECT_EQ(convert.exit_status, 0) << convert.err;
    const ProgramRun found =
        leanhost({"query", "--path", out, "--module", "Small", "p", "--types"});
    EXPECT_THAT(found.out, HasSubstr("axiom        p"));
    EXPECT_THAT(found.out, HasSubstr("type: Prop"));

    std::ofstream(file, std::ios::app) << "{\"ie\":1,\"app\":{\"fn\":0,\"arg\":7}}\n";
    const ProgramRun broken = leanhost({"stats", file});
    EXPECT_EQ(broken.exit_status, 65);
    EXPECT_THAT(broken.err, HasSubstr("small.ndjson:5:29: term 7 is used before"));
}

TEST(MemoryCommand, RunsAllColumnsAndWritesBothReports) {
    const TempDir folder;
    const std::string report = (folder.path() / "report.json").string();
    const std::string page = (folder.path() / "report.html").string();
    const ProgramRun run = leanhost({"memory", "--imports", "6", "--bulk", "4", "--path", corpus,
                                     "--allow-missing", "--json", report, "--html", page});
    EXPECT_EQ(run.exit_status, 0) << run.out << run.err;
    EXPECT_THAT(run.out, HasSubstr("after_host_capabilities"));
    EXPECT_THAT(run.out, Not(HasSubstr("[FAIL]")));
    const json columns = file_content(report)["columns"];
    const auto growth = [&](const char* column) {
        const auto gauge = [&](const std::string& checkpoint) {
            for (const json& c : columns[column]["checkpoints"]) {
                if (c["name"] == checkpoint)
                    return c["sample"]["gauge_bytes"].get<double>();
            }
            ADD_FAILURE() << column << " has no " << checkpoint;
            return 0.0;
        };
        return gauge("fresh_import_drop_6") - gauge("fresh_import_drop_1");
    };
    const double files = columns["native"]["import"]["region_bytes"];
    EXPECT_GE(growth("model"), 5 * files) << "each later import keeps its files";
    EXPECT_LT(growth("native"), files);
    if (columns.contains("shared")) {
        EXPECT_LT(growth("shared"), files);
        EXPECT_GT(columns["shared"]["region_sharing"]["shares"], 5);
    }
    EXPECT_GT(std::filesystem::file_size(page), 150'000U);
}

TEST(MemoryCommand, TellsWhatAFurtherEnvironmentCosts) {
    const TempDir folder;
    const std::string library = (folder.path() / "library").string();
    const std::string report = (folder.path() / "report.json").string();
    ASSERT_EQ(leanhost({"fixture", "--modules", "12", "--constants", "900", "--out", library})
                  .exit_status,
              0);
    const ProgramRun run =
        leanhost({"memory", "--mode", "pooled-distinct", "--path", library, "--json", report});
    ASSERT_EQ(run.exit_status, 0) << run.err;
    std::map<std::string, json> steps;
    const json all = file_content(report);
    for (const json& scenario : all["scenarios"])
        steps[scenario["name"]] = scenario["steps"];
    EXPECT_EQ(steps["processes"].size(), 8U);
    EXPECT_EQ(steps["alternating"].back()["regions"]["regions"], 0) << "all is given back";
    const auto mapped = [&](const char* scenario, std::size_t step) {
        return steps[scenario][step]["regions"]["mapped_bytes"].get<double>();
    };
    EXPECT_EQ(mapped("near_identical", 5), mapped("near_identical", 1)) << "files are shared";
    EXPECT_EQ(mapped("sessions", 8), mapped("sessions", 1));
    EXPECT_GT(steps["two_toolchains"][2]["sample"]["gauge_bytes"].get<double>(),
              steps["two_toolchains"][1]["sample"]["gauge_bytes"].get<double>() +
                  mapped("sessions", 1) / 2)
        << "the second copy is relocated";
}

// A small library in which everything is well typed and nothing is missing.
class WhnfCommand : public testing::Test {
protected:
    WhnfCommand() {
        const ProgramRun made = leanhost(
            {"fixture", "--out", folder.path().string(), "--modules", "4", "--constants", "400"});
        EXPECT_EQ(made.exit_status, 0) << made.err;
    }
    ProgramRun whnf(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), {"whnf", "--path", folder.path().string()});
        return leanhost(std::move(arguments));
    }
    TempDir folder;
};

TEST_F(WhnfCommand, PrintsTypesAndNormalForms) {
    const ProgramRun type = whnf({"Fixture.Bool.not", "--type"});
    EXPECT_EQ(type.exit_status, 0) << type.err;
    EXPECT_EQ(type.out, "∀ x0 : Fixture.Bool, (fun x1 : Fixture.Bool => Fixture.Bool) x0\n");
    const ProgramRun form = whnf({"Fixture.Bool.true"});
    EXPECT_EQ(form.out, "Fixture.Bool.true\n");
}

TEST_F(WhnfCommand, ChecksADeclarationAndNamesAnUnknownOne) {
    const ProgramRun accepted = whnf({"Fixture.Bool.not_not", "--check", "--axioms", "--json"});
    EXPECT_EQ(accepted.exit_status, 0) << accepted.err;
    const json verdict = json::parse(accepted.out);
    EXPECT_EQ(verdict["schema"], "leanhost.whnf/1");
    EXPECT_EQ(verdict["verdict"], "accepted");
    EXPECT_TRUE(verdict["axioms"].is_array());
    const ProgramRun declined =
        whnf({"Fixture.Bool.and_assoc", "--check", "--max-memory", "1", "--max-heartbeats", "1"});
    EXPECT_THAT(declined.exit_status, testing::AnyOf(0, 2)) << declined.err;
    EXPECT_EQ(whnf({"Nobody"}).exit_status, 66);
}

// What it prints as JSON it takes as JSON.
TEST_F(WhnfCommand, JsonTermsGoRoundTrip) {
    const ProgramRun given = whnf({"Fixture.Bool.not", "--unfold", "--json"});
    ASSERT_EQ(given.exit_status, 0) << given.err;
    const json term = json::parse(given.out)["term"];
    const auto file = folder.path() / "term.json";
    std::ofstream(file) << term.dump();
    const ProgramRun again =
        run_program({"/bin/sh", "-c",
                     std::string(LEANHOST_COMMAND) + " whnf --path " + folder.path().string() +
                         " - --json <" + file.string()});
    ASSERT_EQ(again.exit_status, 0) << again.err;
    EXPECT_EQ(json::parse(again.out)["text"], json::parse(given.out)["text"]);
}

TEST_F(WhnfCommand, WhatIsNoTermIsToldWhereItFails) {
    const auto ask = [&](const std::string& term) {
        const auto file = folder.path() / "term.json";
        std::ofstream(file) << term;
        return run_program({"/bin/sh", "-c",
                            std::string(LEANHOST_COMMAND) + " whnf --path " +
                                folder.path().string() + " - <" + file.string()});
    };
    EXPECT_EQ(ask("[").exit_status, 65);
    EXPECT_THAT(ask(R"({"terms":[["app",0,0]],"root":0})").err,
                HasSubstr("term 0: refers to term 0, there are 0 before it"));
    EXPECT_THAT(ask(R"({"terms":[["bvar"]],"root":0})").err, HasSubstr("0 fields, its kind has 1"));
    EXPECT_THAT(ask(R"({"terms":[["nat","12"]],"root":0})").err, HasSubstr("\"0x…\""));
    EXPECT_THAT(ask(R"({"terms":[["nat",5]]})").err, HasSubstr("no 'root'"));
    const ProgramRun rejected =
        ask(R"({"names":["Nobody"],"terms":[["constant",0,0,0]],"root":0})");
    EXPECT_EQ(rejected.exit_status, 1);
    EXPECT_THAT(rejected.out, HasSubstr("rejected: unknown_constant"));
}

} // namespace
} // namespace leanhost::test
