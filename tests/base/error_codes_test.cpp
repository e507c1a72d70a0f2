// The table of error codes against itself and against docs/errors.md.
#include <leanhost/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace leanhost {
namespace {

struct Row {
    ErrorCode code;
    std::string name;
    std::string id;
    int cli_exit_code;
    bool still_usable;
};

const std::vector<Row> table = {
#define LEANHOST_ERROR_CODE(name, id, cli_exit_code, still_usable)                                 \
    {ErrorCode::name, #name, id, cli_exit_code, still_usable},
#include <leanhost/error_codes.def>
#undef LEANHOST_ERROR_CODE
};

// One section of the document: "## `id`", "Exit status N, session still usable.", "Cause: …", "Fix:
// …".
struct Section {
    int exit_status = -1;
    bool still_usable = false;
    std::string cause;
    std::string fix;
};

std::map<std::string, Section> read_document() {
    std::ifstream file(LEANHOST_SOURCE_DIR "/docs/errors.md");
    const std::regex heading("^## `(.+)`$");
    const std::regex facts("^Exit status (\\d+), session (still usable|no longer usable)\\.$");
    const std::regex cause("^Cause: (.+)$");
    const std::regex fix("^Fix: (.+)$");
    std::map<std::string, Section> sections;
    Section* section = nullptr;
    std::smatch found;
    for (std::string line; std::getline(file, line);) {
        if (std::regex_match(line, found, heading)) {
            section = &sections[found[1]];
        } else if (section == nullptr) {
            continue;
        } else if (std::regex_match(line, found, facts)) {
            section->exit_status = std::stoi(found[1]);
            section->still_usable = found[2] == "still usable";
        } else if (std::regex_match(line, found, cause)) {
            section->cause = found[1];
        } else if (std::regex_match(line, found, fix)) {
            section->fix = found[1];
        }
    }
    return sections;
}

TEST(ErrorCodes, IdsAreUniqueAndSpellTheName) {
    std::set<std::string> seen;
    for (const Row& row : table) {
        EXPECT_TRUE(seen.insert(row.id).second) << row.id << " stands twice";
        EXPECT_EQ(row.id, "leanhost." + row.name);
    }
}

TEST(ErrorCodes, FunctionsAnswerFromTheTable) {
    for (const Row& row : table) {
        EXPECT_EQ(error_code_id(row.code), row.id);
        EXPECT_EQ(cli_exit_code(row.code), row.cli_exit_code);
        EXPECT_EQ(Error(row.code, "").still_usable(), row.still_usable);
    }
}

// 0 to 2 are verdicts of `check`, 126 and above belong to the shell; `bound_failed` is a verdict by
// design.
TEST(ErrorCodes, ExitStatusesAreNotVerdictsNorTheShells) {
    for (const Row& row : table) {
        if (row.code == ErrorCode::bound_failed)
            continue;
        EXPECT_GT(row.cli_exit_code, 2) << row.id;
        EXPECT_LT(row.cli_exit_code, 126) << row.id;
    }
}

TEST(ErrorCodes, EveryCodeIsInTheDocumentWithCauseAndFix) {
    const auto document = read_document();
    for (const Row& row : table) {
        const auto it = document.find(row.id);
        ASSERT_NE(it, document.end()) << "docs/errors.md lacks a section for " << row.id;
        const Section& section = it->second;
        EXPECT_EQ(section.exit_status, row.cli_exit_code) << row.id;
        EXPECT_EQ(section.still_usable, row.still_usable) << row.id;
        EXPECT_NE(section.cause, "") << row.id;
        EXPECT_NE(section.fix, "") << row.id;
    }
}

TEST(ErrorCodes, TheDocumentNamesNoOtherCode) {
    std::set<std::string> ids;
    for (const Row& row : table)
        ids.insert(row.id);
    for (const auto& [id, section] : read_document()) {
        EXPECT_TRUE(ids.count(id) == 1)
            << "docs/errors.md describes " << id << ", which is no code";
    }
}

} // namespace
} // namespace leanhost
