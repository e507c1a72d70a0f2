// Libraries that fail, or break the rules of the interface: misbehaving_capability.cpp.
#include "host/runtime_fixture.hpp"

#include <leanhost/capabilities.hpp>

#include <thread>

namespace leanhost {
namespace {

using test::fact;
using testing::EndsWith;
using testing::HasSubstr;

class CapabilityFailures : public test::RuntimeFixture {
protected:
    Expected<std::string> call(std::string_view function, std::string_view input = "") const {
        return library.call(function, input);
    }
    // The message of a call that failed as the library's own failure.
    std::string failure(std::string_view function) const {
        const auto result = call(function);
        if (result)
            return "it succeeded";
        EXPECT_EQ(result.error().code(), ErrorCode::capability_failed) << function;
        EXPECT_TRUE(result.error().still_usable());
        return result.error().message();
    }
    static RowSink counter(int& rows, SinkAnswer answer) {
        return [&rows, answer](std::string_view) {
            ++rows;
            return answer;
        };
    }

    Capabilities library = *Capabilities::load(runtime(), LEANHOST_MISBEHAVING_CAPABILITY);
};

TEST_F(CapabilityFailures, FailureCarriesTheLibrarysLastMessage) {
    const auto result = call("fails");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message(), "misbehaving 0.1, function 'fails': the disk is full");
    EXPECT_EQ(fact<std::string>(result.error(), "capability"), "misbehaving");
    EXPECT_EQ(fact<std::string>(result.error(), "function"), "fails");
    EXPECT_EQ(fact<std::string>(result.error(), "status"), "7");
}

TEST_F(CapabilityFailures, FailureWithoutAMessageIsStillOne) {
    EXPECT_THAT(failure("fails_without_a_word"), HasSubstr("gave no reason"));
    EXPECT_THAT(failure("reports_null"), HasSubstr("gave no reason"));
}

TEST_F(CapabilityFailures, MessageIsBoundedAtACharacter) {
    const std::string message = failure("fails_at_length");
    EXPECT_LT(message.size(), 1200U);
    EXPECT_THAT(message, EndsWith("→→"));
}

TEST_F(CapabilityFailures, MessageBeforeSuccessIsNoFailure) {
    EXPECT_EQ(*call("reports_but_succeeds"), "fine");
}

TEST_F(CapabilityFailures, ExceptionThatLeavesTheLibraryIsCaught) {
    EXPECT_THAT(failure("throws"), HasSubstr("an exception left the library: thrown on purpose"));
    EXPECT_THAT(failure("throws_a_number"), HasSubstr("unknown type"));
}

TEST_F(CapabilityFailures, GuardTurnsExceptionsIntoFailures) {
    EXPECT_THAT(failure("guarded_throw"), EndsWith("'guarded_throw': caught inside"));
    EXPECT_THAT(failure("guarded_number"), EndsWith("an exception of unknown type"));
}

TEST_F(CapabilityFailures, BytesThatCannotBeAreRefused) {
    EXPECT_THAT(failure("gives_null"), HasSubstr("bytes that cannot be"));
    EXPECT_THAT(failure("gives_more_than_there_is"), HasSubstr("bytes that cannot be"));
}

TEST_F(CapabilityFailures, NothingAndPiecesAreResults) {
    EXPECT_EQ(*call("gives_nothing"), "");
    EXPECT_EQ(*call("gives_pieces"), "one two");
    const std::string binary("a\0\xff b", 5);
    EXPECT_EQ(*call("echo", binary), binary);
    EXPECT_EQ(*call("echo", ""), "");
}

TEST_F(CapabilityFailures, RowsAfterAStopAreNotDelivered) {
    int rows = 0;
    const auto result = library.call_rows("is_deaf", "", counter(rows, SinkAnswer::stop));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::cancelled);
    EXPECT_EQ(rows, 1);
}

// Who stopped first is to blame: the library's own failure after it is an echo.
TEST_F(CapabilityFailures, StopComesBeforeTheStatusThatFollowsIt) {
    int rows = 0;
    const auto stopped = library.call_rows("counts", "", counter(rows, SinkAnswer::stop));
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().code(), ErrorCode::cancelled);
    const auto failed = library.call_rows(
        "counts", "", [](std::string_view) -> SinkAnswer { throw std::runtime_error("no room"); });
    EXPECT_EQ(failed.error().code(), ErrorCode::sink_failed);
}

TEST_F(CapabilityFailures, CancellationReachesRowsAndLongWork) {
    for (const bool gives_rows : {true, false}) {
        CancellationSource source;
        const CallOptions options{.cancellation = source.token()};
        int rows = 0;
        std::jthread canceller([&] { source.cancel(); });
        const auto code =
            gives_rows
                ? library.call_rows("counts", "", counter(rows, SinkAnswer::proceed), options)
                      .error()
                      .code()
                : library.call("waits", "", options).error().code();
        EXPECT_EQ(code, ErrorCode::cancelled);
    }
}

TEST_F(CapabilityFailures, CallThatIsCancelledBeforehandDoesNotBegin) {
    CancellationSource source;
    source.cancel();
    EXPECT_EQ(library.call("echo", "x", {.cancellation = source.token()}).error().code(),
              ErrorCode::cancelled);
}

} // namespace
} // namespace leanhost
