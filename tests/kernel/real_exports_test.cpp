#include "kernel/export_text.hpp"
#include "support/test_data.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <regex>
#include <sstream>

namespace leanhost::kernel::test {
namespace {

using leanhost::test::test_data;

ExportReport check_file(const std::filesystem::path& path) {
    Monitor monitor;
    return check_export(path, {}, monitor);
}

std::vector<std::filesystem::path> exports_in(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
}

TEST(RealExports, EveryGoodCaseIsAccepted) {
    LEANHOST_NEEDS_DATA("arena/good");
    const auto files = exports_in(test_data("arena/good"));
    EXPECT_GE(files.size(), 58U);
    for (const auto& file : files) {
        const ExportReport report = check_file(file);
        EXPECT_EQ(report.verdict.kind, VerdictKind::accepted)
            << file << ": " << report.declaration << ": " << report.verdict.message;
    }
}

TEST(RealExports, EveryBadCaseIsRejectedForAReason) {
    LEANHOST_NEEDS_DATA("arena/bad");
    const auto files = exports_in(test_data("arena/bad"));
    EXPECT_GE(files.size(), 25U);
    for (const auto& file : files) {
        const ExportReport report = check_file(file);
        EXPECT_EQ(report.verdict.kind, VerdictKind::rejected) << file;
        EXPECT_FALSE(report.verdict.reason.empty()) << file;
        EXPECT_FALSE(report.declaration.empty()) << file;
    }
}

TEST(RealExports, BadCasesAreRejectedForWhatIsWrongWithThem) {
    LEANHOST_NEEDS_DATA("arena/bad");
    const std::pair<const char*, const char*> expected[] = {
        {"009_forallSortBad", "sort_expected"},
        {"011_nonPropThm", "theorem_not_a_proposition"},
        {"045_inductWrongCtorResLevel", "bad_constructor"},
        {"047_indNeg", "positivity"},
        {"054_typeWithTooHighTypeField.mk", "universe_too_small"},
        {"083_projProp4", "bad_projection"},
        {"088_projIndexData2", "bad_projection"},
        {"091_ruleKbad", "value_type_mismatch"},
        {"114_propLargeElim", "bad_recursor"},
        {"120_dup_defs", "duplicate_name"},
        {"self-referential-def", "unknown_constant"},
        {"wrong-k-large-elim", "bad_recursor"},
        {"wrong-recursor-numparams", "bad_recursor"},
    };
    for (const auto& [file, reason] : expected) {
        const ExportReport report =
            check_file(test_data(std::string("arena/bad/") + file + ".ndjson"));
        EXPECT_EQ(report.verdict.reason, reason) << file << ": " << report.verdict.message;
    }
}

TEST(RealExports, RealLibrariesAreAcceptedWhole) {
    LEANHOST_NEEDS_DATA("large/init-2021.ndjson.zst");
    const std::pair<const char*, std::uint64_t> expected[] = {
        {"init-prelude.ndjson", 2059},
        {"init-medium.ndjson", 3653},
        {"large/init-2021.ndjson.zst", 5989},
    };
    for (const auto& [file, num_constants] : expected) {
        const ExportReport report = check_file(test_data(file));
        EXPECT_EQ(report.verdict.kind, VerdictKind::accepted)
            << file << ": " << report.declaration << ": " << report.verdict.message;
        std::uint64_t found = 0;
        for (const std::uint64_t count : report.constants)
            found += count;
        EXPECT_EQ(found, num_constants) << file;
    }
}

TEST(RealExports, OlderFormatsAreAcceptedAsWell) {
    LEANHOST_NEEDS_DATA("exports/3.0.0");
    std::size_t num_files = 0;
    for (const char* folder : {"exports/3.0.0", "exports/3.1.0"}) {
        for (const auto& file : exports_in(test_data(folder))) {
            for (const unsigned jobs : {1U, 3U}) {
                Monitor monitor;
                CheckOptions options;
                options.jobs = jobs;
                const ExportReport report = check_export(file, options, monitor);
                EXPECT_EQ(report.verdict.kind, VerdictKind::accepted)
                    << file << ": " << report.declaration << ": " << report.verdict.message;
            }
            ++num_files;
        }
    }
    EXPECT_EQ(num_files, 27U);
}

// The rules of division rest on what the library's own definitions were found to be.
TEST(RealExports, LiteralsOfARealLibraryAreComputed) {
    LEANHOST_NEEDS_DATA("init-medium.ndjson");
    std::ifstream file(test_data("init-medium.ndjson"));
    std::stringstream whole;
    whole << file.rdbuf();
    struct Case {
        const char* function;
        const char* lhs;
        const char* rhs;
        const char* result;
        bool holds;
    };
    const char* const big = "100000000000000000000000000000000000000007";
    for (const Case& c :
         {Case{"Nat.div", big, "1000000007", "99999999300000004899999965700000", true},
          Case{"Nat.div", big, "0", "0", true}, Case{"Nat.div", big, "0", "1", false},
          Case{"Nat.mod", big, "1000", "7", true}, Case{"Nat.mod", big, "1000", "8", false},
          Case{"Nat.mod", big, "0", big, true}, Case{"Nat.gcd", "12", "18", "6", true},
          Case{"Nat.land", "255", "3855", "15", true},
          Case{"Nat.shiftRight", "1267650600228229401496703205376", "90", "1024", true}}) {
        ExportText text(50000000);
        const auto nat = text.constant("Nat");
        const auto one = text.level_succ(0);
        const auto call = text.app(text.constant(c.function), {text.nat(c.lhs), text.nat(c.rhs)});
        const auto result = text.nat(c.result);
        const auto type = text.app(text.constant("Eq", {one}), {nat, call, result});
        text.theorem("test", type, text.app(text.constant("Eq.refl", {one}), {nat, result}));
        const ExportReport report = check_text(whole.str() + text.text());
        EXPECT_EQ(report.verdict.kind, c.holds ? VerdictKind::accepted : VerdictKind::rejected)
            << c.function << " " << c.lhs << " " << c.rhs << ": " << report.verdict.message;
    }
}

// In a handful of steps numbers of 2 MiB are made and divided: they cost what they take.
TEST(RealExports, LargeNumbersCostHeartbeats) {
    LEANHOST_NEEDS_DATA("init-medium.ndjson");
    std::ifstream file(test_data("init-medium.ndjson"));
    std::stringstream whole;
    whole << file.rdbuf();
    ExportText text(50000000);
    const auto nat = text.constant("Nat");
    const auto one = text.level_succ(0);
    const auto power = text.app(text.constant("Nat.pow"), {text.nat("2"), text.nat("16777216")});
    const auto call = text.app(text.constant("Nat.mod"), {power, text.nat("3")});
    const auto type = text.app(text.constant("Eq", {one}), {nat, call, text.nat("1")});
    text.theorem("test", type, text.app(text.constant("Eq.refl", {one}), {nat, text.nat("1")}));
    CheckOptions options;
    EXPECT_EQ(check_text(whole.str() + text.text(), options).verdict.kind, VerdictKind::accepted);
    options.max_heartbeats = 200'000; // everything before takes less
    const ExportReport report = check_text(whole.str() + text.text(), options);
    EXPECT_EQ(report.verdict.kind, VerdictKind::declined);
    EXPECT_EQ(report.declaration, "test") << report.verdict.message;
}

/// Each number of the export's last inductive block or of a recursor, one more than it says.
TEST(RealExports, ACountThatIsWrongByOneIsRejected) {
    LEANHOST_NEEDS_DATA("arena/good/110_rtreeRecReduction.ndjson");
    std::ifstream file(test_data("arena/good/110_rtreeRecReduction.ndjson"));
    std::stringstream whole;
    whole << file.rdbuf();
    const std::string text = whole.str();
    const std::regex count(
        R"(\"(cidx|numFields|numParams|numIndices|numMotives|numMinors|numNested|nfields)\":(\d+))");
    std::size_t num_mutants = 0;
    for (auto at = std::sregex_iterator(text.begin(), text.end(), count);
         at != std::sregex_iterator(); ++at) {
        std::string mutant = text;
        mutant.replace(static_cast<std::size_t>(at->position(2)),
                       static_cast<std::size_t>(at->length(2)),
                       std::to_string(std::stoul((*at)[2]) + 1));
        const ExportReport report = check_text(mutant);
        EXPECT_EQ(report.verdict.kind, VerdictKind::rejected)
            << text.substr(static_cast<std::size_t>(at->position(0)), 40);
        ++num_mutants;
    }
    EXPECT_GT(num_mutants, 30U);
}

TEST(RealExports, AFlagThatIsWrongIsRejected) {
    LEANHOST_NEEDS_DATA("arena/good/110_rtreeRecReduction.ndjson");
    std::ifstream file(test_data("arena/good/110_rtreeRecReduction.ndjson"));
    std::stringstream whole;
    whole << file.rdbuf();
    const std::string text = whole.str();
    const std::regex flag(R"(\"(isRec|isReflexive|k)\":(true|false))");
    for (auto at = std::sregex_iterator(text.begin(), text.end(), flag);
         at != std::sregex_iterator(); ++at) {
        std::string mutant = text;
        mutant.replace(static_cast<std::size_t>(at->position(2)),
                       static_cast<std::size_t>(at->length(2)),
                       (*at)[2] == "true" ? "false" : "true");
        EXPECT_EQ(check_text(mutant).verdict.kind, VerdictKind::rejected)
            << text.substr(static_cast<std::size_t>(at->position(0)), 40);
    }
}

} // namespace
} // namespace leanhost::kernel::test
