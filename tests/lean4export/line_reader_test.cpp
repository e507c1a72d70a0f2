#include "base/failure.hpp"
#include "lean4export/reading.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leanhost::module::lean4export {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> lines_of(std::string text, std::size_t piece_bytes) {
    LineReader reader(std::make_unique<test::TextSource>(std::move(text), piece_bytes), "x");
    std::vector<std::string> lines;
    while (const auto line = reader.next()) {
        lines.emplace_back(*line);
        EXPECT_EQ(reader.line_number(), lines.size());
        // The bytes behind are readable; the address sanitizer looks.
        volatile char sum = 0;
        for (std::size_t i = 0; i < LineReader::padding_bytes; ++i)
            sum = static_cast<char>(sum + line->data()[line->size() + i]);
    }
    return lines;
}

TEST(LineReader, GivesLinesWithoutNewlines) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{1000}}) {
        EXPECT_THAT(lines_of("", piece), ElementsAre());
        EXPECT_THAT(lines_of("a", piece), ElementsAre("a"));
        EXPECT_THAT(lines_of("a\n", piece), ElementsAre("a"));
        EXPECT_THAT(lines_of("\n", piece), ElementsAre(""));
        EXPECT_THAT(lines_of("\n\na\r\nbc", piece), ElementsAre("", "", "a\r", "bc"));
    }
}

TEST(LineReader, GivesLinesOfAllLengthsAroundItsBuffer) {
    constexpr std::size_t buffer = std::size_t{1} << 20;
    for (const std::size_t piece : {std::size_t{4093}, buffer / 2, SIZE_MAX}) {
        for (const std::size_t first : {buffer - 65, buffer - 1, buffer, buffer + 1, 3 * buffer}) {
            const std::string a(first, 'a');
            const std::string b(buffer / 3, 'b');
            const std::string c(2 * buffer + 7, 'c');
            std::string text = a;
            text += "\n" + b + "\n" + c + "\n" + b;
            const std::vector<std::string> lines = lines_of(std::move(text), piece);
            ASSERT_EQ(lines.size(), 4U);
            EXPECT_TRUE(lines[0] == a && lines[1] == b && lines[2] == c && lines[3] == b);
        }
    }
}

TEST(LineReader, CountsBytesAndLines) {
    LineReader reader(std::make_unique<test::TextSource>("ab\n\nc"), "file");
    EXPECT_EQ(reader.line_number(), 0U);
    reader.next();
    EXPECT_EQ(reader.bytes_read(), 3U);
    reader.next();
    EXPECT_EQ(reader.bytes_read(), 4U);
    reader.next();
    EXPECT_EQ(reader.bytes_read(), 5U);
    EXPECT_EQ(reader.line_number(), 3U);
    EXPECT_FALSE(reader.next());
    EXPECT_FALSE(reader.next());
    EXPECT_EQ(reader.path(), "file");
}

// Never ends, never sends a newline once `lines` short ones are out.
class Endless final : public ByteSource {
public:
    explicit Endless(std::uint64_t& given, std::size_t piece_bytes)
        : given_(given), piece_bytes_(piece_bytes) {}
    std::size_t read(char* to, std::size_t size) override {
        const std::size_t n = std::min(size, piece_bytes_);
        std::fill_n(to, n, 'x');
        if (given_ == 0)
            to[0] = '\n';
        given_ += n;
        return n;
    }

private:
    std::uint64_t& given_;
    std::size_t piece_bytes_;
};

TEST(LineReader, RefusesAnEndlessLineAfterItsLimit) {
    for (const std::size_t piece : {std::size_t{65536}, SIZE_MAX}) {
        std::uint64_t given = 0;
        LineReader reader(std::make_unique<Endless>(given, piece), "endless");
        EXPECT_EQ(reader.next(), "");
        try {
            reader.next();
            FAIL() << "an endless line ended";
        } catch (const Failure& failure) {
            EXPECT_EQ(failure.error().code(), ErrorCode::invalid_input);
            EXPECT_EQ(failure.error().message(), "endless:2: a line of more than 64 MiB");
            EXPECT_EQ(std::get<std::uint64_t>(*failure.error().find_fact("line")), 2U);
        }
        EXPECT_GT(given, LineReader::max_line_bytes);
        EXPECT_LE(given, LineReader::max_line_bytes * 5 / 2);
    }
}

TEST(LineReader, GivesALineOfItsLimit) {
    std::string text(LineReader::max_line_bytes, 'x');
    text += "\nnext";
    LineReader reader(std::make_unique<test::TextSource>(std::move(text)), "x");
    const auto line = reader.next();
    ASSERT_TRUE(line);
    EXPECT_EQ(line->size(), LineReader::max_line_bytes);
    EXPECT_EQ(reader.next(), "next");
}

// A line may be refused or not by how its bytes arrived, which depends on pipes and packing.
TEST(LineReader, RefusesALineBeyondItsLimitHoweverItArrives) {
    for (const std::size_t piece : {std::size_t{65536}, SIZE_MAX}) {
        std::string text(LineReader::max_line_bytes + 1, 'x');
        text += "\nnext";
        LineReader reader(std::make_unique<test::TextSource>(std::move(text), piece), "x");
        EXPECT_THROW(reader.next(), Failure) << piece;
    }
}

} // namespace
} // namespace leanhost::module::lean4export
