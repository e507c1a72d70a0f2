// The bytes that docs/olean-format.md shows are in the file that it names.
#include "module/raw_olean.hpp"
#include "support_modules/corpus.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace leanhost::module {
namespace {

// "00000030: 0000 6b5a …  text": offset, then pairs of digits up to two spaces.
bool is_dump_line(const std::string& line) {
    return line.size() > 10 && line[8] == ':' && line.find_first_not_of("0123456789abcdef") == 8;
}

test::Bytes bytes_of(const std::string& line) {
    const std::string digits = line.substr(10, line.find("  ", 10) - 10);
    test::Bytes bytes;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
        if (digits[i] == ' ')
            ++i;
        bytes.push_back(std::byte(std::stoul(digits.substr(i, 2), nullptr, 16)));
    }
    return bytes;
}

TEST(OleanFormatDoc, ShowsBytesOfARealFile) {
    const test::Bytes file =
        test::read_file(test::corpus(test::v1_library) / "BPlusTreeLean/Basic.olean");
    std::ifstream doc(std::string(LEANHOST_SOURCE_DIR) + "/docs/olean-format.md");
    std::size_t num_lines = 0;
    for (std::string line; std::getline(doc, line);) {
        if (!is_dump_line(line))
            continue;
        ++num_lines;
        const std::size_t offset = std::stoul(line.substr(0, 8), nullptr, 16);
        const test::Bytes shown = bytes_of(line);
        ASSERT_LE(offset + shown.size(), file.size()) << line;
        EXPECT_TRUE(std::equal(shown.begin(), shown.end(), file.begin() + std::ptrdiff_t(offset)))
            << line;
        EXPECT_GE(shown.size(), 8U) << line;
    }
    EXPECT_EQ(num_lines, 19U);
}

} // namespace
} // namespace leanhost::module
