#include <leanhost/error.hpp>

#include <gtest/gtest.h>

#include <string>

namespace leanhost {
namespace {

constexpr std::size_t bound = Error::max_message_bytes;
constexpr std::string_view ellipsis = " …";

std::string message_of(std::string text) {
    return Error(ErrorCode::invalid_input, std::move(text)).message();
}

bool ends_with(const std::string& text, std::string_view end) {
    return text.size() >= end.size() &&
           text.compare(text.size() - end.size(), end.size(), end) == 0;
}

TEST(Error, MessageAtTheBoundIsKeptWhole) {
    const std::string text(bound, 'a');
    EXPECT_EQ(message_of(text), text);
}

TEST(Error, LongerMessageIsCutToTheBound) {
    const std::string message = message_of(std::string(bound + 1, 'a'));
    EXPECT_EQ(message.size(), bound);
    EXPECT_TRUE(ends_with(message, ellipsis));
}

// Four-byte characters, shifted by 0 to 3 bytes: the cut falls on each of their bytes once.
TEST(Error, MessageIsCutBetweenCharacters) {
    for (std::size_t shift = 0; shift < 4; ++shift) {
        std::string text(shift, 'a');
        while (text.size() <= bound)
            text += "𝕃";
        const std::string message = message_of(text);
        ASSERT_LE(message.size(), bound);
        ASSERT_GT(message.size(), bound - 4);
        ASSERT_TRUE(ends_with(message, ellipsis));
        const std::size_t kept = message.size() - ellipsis.size();
        EXPECT_EQ((kept - shift) % 4, 0U) << "shift " << shift;
        EXPECT_EQ(message.compare(0, kept, text, 0, kept), 0) << "shift " << shift;
    }
}

TEST(Error, ControlCharactersBecomeBlanks) {
    using namespace std::string_literals;
    EXPECT_EQ(message_of("a\nb\tc\x1b[31md\0e\x7f f"s), "a b c [31md e  f");
}

TEST(Error, CharactersBeyondAsciiStay) {
    EXPECT_EQ(message_of("∀ α, α → α"), "∀ α, α → α");
}

TEST(Error, FactsAreFoundByKey) {
    const Error error = Error(ErrorCode::io, "short read", {{"offset", std::uint64_t{40}}})
                            .with("path", std::string("A.olean"))
                            .with("mapped", true);
    ASSERT_NE(error.find_fact("offset"), nullptr);
    EXPECT_EQ(std::get<std::uint64_t>(*error.find_fact("offset")), 40U);
    ASSERT_NE(error.find_fact("path"), nullptr);
    EXPECT_EQ(std::get<std::string>(*error.find_fact("path")), "A.olean");
    ASSERT_NE(error.find_fact("mapped"), nullptr);
    EXPECT_TRUE(std::get<bool>(*error.find_fact("mapped")));
    EXPECT_EQ(error.find_fact("size"), nullptr);
    EXPECT_EQ(error.facts().size(), 3U);
}

TEST(Error, InternalLeavesTheReporterUnusable) {
    EXPECT_FALSE(Error(ErrorCode::internal, "").still_usable());
    EXPECT_TRUE(Error(ErrorCode::cancelled, "").still_usable());
}

} // namespace
} // namespace leanhost
