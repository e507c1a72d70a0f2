#include "lean4export/real_exports.hpp"
#include "lean4export/two_paths.hpp"
#include "module/lean4export/fast_line.hpp"
#include "module/lean4export/json_line.hpp"

#include <gtest/gtest.h>

namespace leanhost::module::lean4export {
namespace {

// Every line of every real export by both ways; the JSON path is the same for a line with a blank
// behind its brace, so it is called straight.
TEST(TwoPathsData, AgreeOnEveryLineOfRealExports) {
    LEANHOST_NEEDS_DATA("init-medium.ndjson");
    std::uint64_t lines = 0;
    std::uint64_t fast_lines = 0;
    std::vector<Id> levels;
    JsonLineParser parser;
    for (const auto& path : test::real_exports()) {
        LineReader reader(open_byte_source(path), path);
        while (const auto line = reader.next()) {
            test::RecordingSink fast;
            test::RecordingSink json;
            ++lines;
            parser.take(*line, json);
            ASSERT_EQ(json.calls.size(), 1U) << *line;
            if (!take_fast_line(*line, fast, levels)) {
                ASSERT_TRUE(fast.calls.empty()) << *line;
                continue;
            }
            ++fast_lines;
            ASSERT_EQ(fast.calls, json.calls) << path << ":" << lines;
        }
    }
    EXPECT_GT(lines, 400'000U);
    EXPECT_GT(fast_lines, lines * 9 / 10);
}

TEST(TwoPathsData, AFileWithBlanksIsReadWhollyByTheJsonPath) {
    LEANHOST_NEEDS_DATA("init-prelude.ndjson");
    const test::TempDir folder;
    const auto path = test::test_data("init-prelude.ndjson");
    std::string spaced;
    LineReader reader(open_byte_source(path), path);
    while (const auto line = reader.next())
        spaced.append("{ ").append(line->substr(1)).append("\n");
    const test::Reading plain = test::read_calls(path);
    const test::Reading other = test::read_calls(folder.write("spaced.ndjson", spaced));
    ASSERT_FALSE(plain.error || other.error);
    EXPECT_GT(plain.facts.fast_lines, plain.facts.lines / 2);
    EXPECT_EQ(other.facts.fast_lines, 0U);
    EXPECT_TRUE(plain.calls == other.calls);
}

} // namespace
} // namespace leanhost::module::lean4export
