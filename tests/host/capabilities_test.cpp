#include "host/runtime_fixture.hpp"

#include <leanhost/capabilities.hpp>

#include <thread>

namespace leanhost {
namespace {

using test::fact;
using testing::ElementsAre;
using testing::HasSubstr;

class CapabilitiesTest : public test::RuntimeFixture {
protected:
    Capabilities example() const {
        return *Capabilities::load(runtime(), LEANHOST_EXAMPLE_CAPABILITY);
    }
};

RowSink into(std::vector<std::string>& rows) {
    return [&rows](std::string_view row) {
        rows.emplace_back(row);
        return SinkAnswer::proceed;
    };
}

TEST_F(CapabilitiesTest, LibrarySaysWhatItIsAndOffers) {
    const Capabilities library = example();
    EXPECT_EQ(library.name(), "example");
    EXPECT_EQ(library.version(), "1.0.0");
    EXPECT_THAT(library.names(), ElementsAre("word_count", "lines"));
}

TEST_F(CapabilitiesTest, BytesGiveBytes) {
    const auto counted = example().call("word_count", "to be  or\nnot");
    ASSERT_TRUE(counted) << counted.error().message();
    EXPECT_EQ(*counted, R"({"words": 4, "bytes": 13})");
    EXPECT_EQ(*example().call("word_count", ""), R"({"words": 0, "bytes": 0})");
}

TEST_F(CapabilitiesTest, BytesGiveRowsInOrderAndASummary) {
    std::vector<std::string> rows;
    const auto summary = example().call_rows("lines", "one\n\nthree", into(rows));
    ASSERT_TRUE(summary) << summary.error().message();
    EXPECT_THAT(rows, ElementsAre("one", "", "three"));
    EXPECT_EQ(summary->rows, 3U);
    EXPECT_EQ(summary->row_bytes, 8U);
    EXPECT_EQ(example().call_rows("lines", "", into(rows))->rows, 0U);
}

TEST_F(CapabilitiesTest, UnknownFunctionNamesWhatThereIs) {
    const auto result = example().call("word_cuont", "");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::not_found);
    EXPECT_THAT(result.error().message(), HasSubstr("'word_cuont'; it has: word_count, lines"));
    EXPECT_EQ(fact<std::string>(result.error(), "known"), "word_count, lines");
    EXPECT_LE(example().call(std::string(1 << 20, 'x'), "").error().message().size(),
              Error::max_message_bytes);
}

TEST_F(CapabilitiesTest, WrongKindOfCallSaysWhichIsRight) {
    std::vector<std::string> rows;
    const auto bytes = example().call("lines", "");
    ASSERT_FALSE(bytes);
    EXPECT_EQ(bytes.error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(bytes.error().message(), HasSubstr("use call_rows"));
    const auto as_rows = example().call_rows("word_count", "", into(rows));
    ASSERT_FALSE(as_rows);
    EXPECT_THAT(as_rows.error().message(), HasSubstr("use call"));
}

TEST_F(CapabilitiesTest, SinkThatStopsCancels) {
    int rows = 0;
    const auto result = example().call_rows("lines", "1\n2\n3\n4", [&](std::string_view) {
        return ++rows == 2 ? SinkAnswer::stop : SinkAnswer::proceed;
    });
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::cancelled);
    EXPECT_EQ(fact<std::uint64_t>(result.error(), "rows"), 2U);
    EXPECT_EQ(rows, 2);
}

TEST_F(CapabilitiesTest, SinkThatThrowsFailsTheCallAndTheLibraryLives) {
    const Capabilities library = example();
    const auto result = library.call_rows("lines", "1\n2", [](std::string_view) -> SinkAnswer {
        throw std::runtime_error("no room");
    });
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::sink_failed);
    EXPECT_THAT(result.error().message(), HasSubstr("no room"));
    EXPECT_TRUE(result.error().still_usable());
    const auto thrown =
        library.call_rows("lines", "1", [](std::string_view) -> SinkAnswer { throw 1; });
    EXPECT_EQ(thrown.error().code(), ErrorCode::sink_failed);
    EXPECT_EQ(library.call_rows("lines", "1", RowSink()).error().code(), ErrorCode::sink_failed);
    EXPECT_TRUE(library.call("word_count", "x"));
}

TEST_F(CapabilitiesTest, ProgressIsToldOfRowsAndMayStop) {
    std::vector<std::string> rows;
    std::uint64_t reports = 0;
    CallOptions options;
    options.progress = [&](const Progress& progress) {
        ++reports;
        EXPECT_EQ(progress.phase, "rows");
        EXPECT_EQ(progress.total, 0U) << "nobody knows how many there will be";
        return SinkAnswer::proceed;
    };
    EXPECT_TRUE(example().call_rows("lines", "1\n2\n3", into(rows), options));
    EXPECT_GE(reports, 1U);
    options.progress = [](const Progress&) { return SinkAnswer::stop; };
    EXPECT_EQ(example().call_rows("lines", "1\n2", into(rows), options).error().code(),
              ErrorCode::cancelled);
    EXPECT_EQ(example().call("word_count", "x", options).error().code(), ErrorCode::cancelled);
}

TEST_F(CapabilitiesTest, CallKeepsTheLibraryThatIsDroppedMeanwhile) {
    std::optional<Capabilities> library = example();
    std::vector<std::string> rows;
    const auto summary = library->call_rows("lines", "1\n2\n3", [&](std::string_view row) {
        library.reset();
        rows.emplace_back(row);
        return SinkAnswer::proceed;
    });
    ASSERT_TRUE(summary);
    EXPECT_THAT(rows, ElementsAre("1", "2", "3"));
    EXPECT_TRUE(is_free());
}

TEST_F(CapabilitiesTest, ManyThreadsCallAtOnce) {
    const Capabilities library = example();
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
        threads.emplace_back([library] {
            for (int i = 0; i < 100; ++i) {
                std::vector<std::string> rows;
                EXPECT_EQ(library.call_rows("lines", "1\n2\n3", into(rows))->rows, 3U);
                EXPECT_TRUE(library.call("word_count", "x y"));
            }
        });
    }
}

TEST_F(CapabilitiesTest, LibraryThatIsNoneIsRefused) {
    const auto absent = Capabilities::load(runtime(), folder.path() / "absent.so");
    ASSERT_FALSE(absent);
    EXPECT_EQ(absent.error().code(), ErrorCode::linking);
    const auto other = Capabilities::load(runtime(), LEANHOST_NOT_A_CAPABILITY);
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code(), ErrorCode::linking);
    EXPECT_THAT(other.error().message(), HasSubstr("leanhost_capability_table_v1"));
    EXPECT_TRUE(is_free());
}

} // namespace
} // namespace leanhost
