// docs/version-matrix.md says what the table of versions says.
#include "module/olean_versions.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <vector>

namespace leanhost::module {
namespace {

std::string trimmed(const std::string& text) {
    const std::size_t first = text.find_first_not_of(' ');
    if (first == std::string::npos)
        return "";
    return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::vector<std::string> cells(const std::string& line) {
    std::vector<std::string> result;
    std::istringstream in(line);
    std::string cell;
    std::getline(in, cell, '|');
    while (std::getline(in, cell, '|'))
        result.push_back(trimmed(cell));
    return result;
}

// The rows of the first table, without its two head lines.
std::vector<std::vector<std::string>> documented_rows() {
    std::ifstream in(std::string(LEANHOST_SOURCE_DIR) + "/docs/version-matrix.md");
    std::vector<std::vector<std::string>> rows;
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("|")) {
            rows.push_back(cells(line));
        } else if (!rows.empty()) {
            break;
        }
    }
    if (rows.size() < 2)
        return {};
    return {rows.begin() + 2, rows.end()};
}

std::vector<std::string> row_of(const OleanVersion& version, const std::string& told_by) {
    return {std::string(version.id),
            told_by,
            std::to_string(version.header_bytes),
            std::string(version.first_release),
            std::string(version.last_release),
            version.has_base_address ? "stated" : "none",
            version.root_is_last ? "last word" : "first word",
            version.has_flags ? "bit 0: GMP" : "none"};
}

TEST(VersionMatrix, HasTheRowsOfTheTable) {
    const auto rows = documented_rows();
    ASSERT_EQ(rows.size(), olean_versions().size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        ASSERT_GE(rows[i].size(), 2U);
        EXPECT_EQ(rows[i], row_of(olean_versions()[i], rows[i][1]));
        EXPECT_NE(rows[i][1], "");
    }
}

} // namespace
} // namespace leanhost::module
