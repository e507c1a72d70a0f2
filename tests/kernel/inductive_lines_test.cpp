#include "kernel/export_text.hpp"
#include "support/test_data.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <functional>

namespace leanhost::kernel::test {
namespace {

using leanhost::test::test_data;
using Json = nlohmann::ordered_json;

/// What becomes of the lines of one block.
using Arrange = std::function<void(std::vector<std::string>& lines)>;

std::string one_line(const char* key, const Json& constant) {
    return Json{{key, constant}}.dump() + "\n";
}

/// The export with a line for each inductive type, constructor and recursor, as before format 3.0:
/// types first, recursors last, if `arrange` does not change that.
std::string with_separate_lines(const std::filesystem::path& file, const Arrange& arrange = {}) {
    std::ifstream stream(file);
    std::string result;
    for (std::string line; std::getline(stream, line);) {
        if (line.find("\"inductive\"") == std::string::npos) {
            result += line + "\n";
            continue;
        }
        const Json block = Json::parse(line)["inductive"];
        std::vector<std::string> lines;
        for (const Json& type : block["types"])
            lines.push_back(one_line("inductInfo", type));
        for (const Json& constructor : block["ctors"])
            lines.push_back(one_line("ctorInfo", constructor));
        for (const Json& recursor : block["recs"])
            lines.push_back(one_line("recInfo", recursor));
        if (arrange)
            arrange(lines);
        for (const std::string& part : lines)
            result += part;
    }
    return result;
}

CheckOptions with_jobs(unsigned jobs) {
    CheckOptions options;
    options.jobs = jobs;
    return options;
}

TEST(InductiveLines, EveryCaseHasTheVerdictThatItHasInBlocks) {
    LEANHOST_NEEDS_DATA("arena/good");
    std::size_t num_files = 0;
    for (const char* folder : {"arena/good", "arena/bad", "exports/3.1.0"}) {
        for (const auto& entry : std::filesystem::directory_iterator(test_data(folder))) {
            Monitor monitor;
            const ExportReport in_blocks = check_export(entry.path(), {}, monitor);
            const std::string separate = with_separate_lines(entry.path());
            for (const unsigned jobs : {1U, 2U}) {
                const ExportReport report = check_text(separate, with_jobs(jobs));
                EXPECT_EQ(report.verdict.kind, in_blocks.verdict.kind)
                    << entry.path() << ": " << report.verdict.message;
                if (in_blocks.verdict.kind == VerdictKind::accepted) {
                    EXPECT_EQ(report.constants, in_blocks.constants) << entry.path();
                }
            }
            ++num_files;
        }
    }
    EXPECT_GE(num_files, 90U);
}

// The anonymous name, here of a type and in a constructor's mention of it, stands for none.
TEST(InductiveLines, WhatNothingCanBeCalledIsRejected) {
    ExportText type;
    type.sort(0);
    type.line(R"({"inductInfo":{"all":[0],"ctors":[],"isRec":false,"isReflexive":false,)"
              R"("isUnsafe":false,"levelParams":[],"name":0,"numIndices":0,"numNested":0,)"
              R"("numParams":0,"type":0}})");
    EXPECT_EQ(type.check().verdict.reason, "bad_block");
    ExportText constructor;
    constructor.sort(0);
    constructor.line(R"({"ctorInfo":{"cidx":0,"induct":0,"isUnsafe":false,"levelParams":[],)"
                     R"("name":0,"numFields":0,"numParams":0,"type":0}})");
    EXPECT_EQ(constructor.check().verdict.kind, VerdictKind::rejected);
}

TEST(InductiveLines, ConstructorsMayComeInAnyOrder) {
    LEANHOST_NEEDS_DATA("arena/good");
    const auto file = test_data("arena/good/073_RBTree.id_spec.ndjson");
    const std::string text = with_separate_lines(
        file, [](std::vector<std::string>& lines) { std::reverse(lines.begin(), lines.end()); });
    const ExportReport report = check_text(text);
    EXPECT_EQ(report.verdict.kind, VerdictKind::accepted) << report.verdict.message;
}

// The rules of a block's recursors speak of each other: one of them alone would leave a name open
// that anything could be declared under.
TEST(InductiveLines, AllRecursorsOfABlockOrNone) {
    LEANHOST_NEEDS_DATA("arena/good");
    const auto file = test_data("arena/good/109_rTreeRec.ndjson");
    const auto without = [&](std::size_t count) {
        std::size_t most_dropped = 0;
        const std::string text = with_separate_lines(file, [&](std::vector<std::string>& lines) {
            std::size_t dropped = 0;
            while (dropped < count && lines.back().find("recInfo") != std::string::npos) {
                lines.pop_back();
                ++dropped;
            }
            most_dropped = std::max(most_dropped, dropped);
        });
        EXPECT_EQ(most_dropped, count);
        return check_text(text);
    };
    EXPECT_EQ(without(0).verdict.kind, VerdictKind::accepted);
    EXPECT_EQ(without(1).verdict.kind, VerdictKind::rejected);
}

/// Nat on lines of its own; `parts` says which, in which order.
ExportReport check_nat(const std::string& parts) {
    ExportText blocks;
    blocks.nat_type();
    std::istringstream stream(blocks.text());
    std::string text;
    for (std::string line; std::getline(stream, line);) {
        if (line.find("\"inductive\"") == std::string::npos) {
            text += line + "\n";
            continue;
        }
        const Json block = Json::parse(line)["inductive"];
        for (const char part : parts) {
            if (part == 't')
                text += one_line("inductInfo", block["types"][0]);
            else if (part == 'r')
                text += one_line("recInfo", block["recs"][0]);
            else
                text += one_line("ctorInfo", block["ctors"][part == 'z' ? 0 : 1]);
        }
    }
    return check_text(text);
}

TEST(InductiveLines, ARecursorMayBeMissing) {
    const ExportReport report = check_nat("tzs");
    EXPECT_EQ(report.verdict.kind, VerdictKind::accepted) << report.verdict.message;
    EXPECT_EQ(report.num_declarations, 1U);
    EXPECT_EQ(check_nat("tzsr").num_declarations, 2U);
    EXPECT_EQ(check_nat("tzsr").verdict.kind, VerdictKind::accepted);
}

TEST(InductiveLines, WhatIsIncompleteIsRejectedAtTheEnd) {
    EXPECT_EQ(check_nat("tz").verdict.reason, "bad_constructor");
    EXPECT_EQ(check_nat("t").verdict.reason, "bad_constructor");
    EXPECT_EQ(check_nat("zs").verdict.reason, "bad_inductive");
    EXPECT_EQ(check_nat("r").verdict.kind, VerdictKind::rejected);
    EXPECT_EQ(check_nat("tzr").verdict.kind, VerdictKind::rejected);
}

TEST(InductiveLines, NothingIsDeclaredTwice) {
    for (const char* parts : {"tzst", "tzsz", "tzsrr", "ttzs", "tzzs"})
        EXPECT_EQ(check_nat(parts).verdict.kind, VerdictKind::rejected) << parts;
}

} // namespace
} // namespace leanhost::kernel::test
