#include "base/guard.hpp"
#include "base/require.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <new>
#include <stdexcept>
#include <string>
#include <system_error>

namespace leanhost {
namespace {

using testing::HasSubstr;

// The Error that `guarded` makes of what `body` throws.
template <class F>
Error error_from(F&& body) {
    Expected<int> result = guarded("test", [&]() -> int {
        body();
        return 0;
    });
    return result ? Error(ErrorCode::internal, "nothing was thrown") : result.error();
}

TEST(Guard, PassesAValueThrough) {
    const Expected<std::string> result = guarded("test", [] { return std::string("value"); });
    ASSERT_TRUE(result);
    EXPECT_EQ(*result, "value");
}

TEST(Guard, OfAVoidBodyIsSuccess) {
    bool ran = false;
    const Expected<void> result = guarded("test", [&] { ran = true; });
    EXPECT_TRUE(result);
    EXPECT_TRUE(ran);
}

TEST(Guard, DoesNotNestAnExpected) {
    auto value = guarded("test", []() -> Expected<int> { return 3; });
    static_assert(std::is_same_v<decltype(value), Expected<int>>);
    ASSERT_TRUE(value);
    EXPECT_EQ(*value, 3);

    const auto error =
        guarded("test", []() -> Expected<int> { return Error(ErrorCode::not_found, "gone"); });
    ASSERT_FALSE(error);
    EXPECT_EQ(error.error().code(), ErrorCode::not_found);
}

TEST(Guard, CatchesInAnExpectedBodyToo) {
    const auto result = guarded("test", []() -> Expected<int> { throw std::bad_alloc(); });
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::resource_exhausted);
}

TEST(Guard, KeepsAFailureWithItsFacts) {
    const Error error = error_from([] {
        fail(ErrorCode::file_changed, "size differs", {{"size", std::uint64_t{5}}});
    });
    EXPECT_EQ(error.code(), ErrorCode::file_changed);
    EXPECT_EQ(error.message(), "size differs");
    EXPECT_NE(error.find_fact("size"), nullptr);
}

TEST(Guard, BrokenRequirementIsInternalAndNamesTheCondition) {
    const Error error = error_from([] { LEANHOST_REQUIRE(1 + 1 == 3); });
    EXPECT_EQ(error.code(), ErrorCode::internal);
    EXPECT_THAT(error.message(), HasSubstr("1 + 1 == 3"));
    EXPECT_THAT(error.message(), HasSubstr("guard_test.cpp"));
    EXPECT_FALSE(error.still_usable());
}

TEST(Guard, OutOfMemoryIsResourceExhausted) {
    const Error error = error_from([] { throw std::bad_alloc(); });
    EXPECT_EQ(error.code(), ErrorCode::resource_exhausted);
    EXPECT_EQ(error.message(), "test: out of memory");
}

TEST(Guard, SystemErrorIsIo) {
    const Error error =
        error_from([] { throw std::system_error(ENOSPC, std::generic_category(), "A.olean"); });
    EXPECT_EQ(error.code(), ErrorCode::io);
    EXPECT_THAT(error.message(), HasSubstr("test: A.olean: No space left on device"));
}

TEST(Guard, OtherExceptionIsInternal) {
    const Error error = error_from([] { throw std::runtime_error("surprise"); });
    EXPECT_EQ(error.code(), ErrorCode::internal);
    EXPECT_EQ(error.message(), "test: surprise");
}

TEST(Guard, WhatIsNoExceptionIsInternalToo) {
    const Error error = error_from([] { throw 42; });
    EXPECT_EQ(error.code(), ErrorCode::internal);
    EXPECT_EQ(error.message(), "test: an exception of unknown type");
}

TEST(Guard, ValueOrThrowIsItsInverse) {
    EXPECT_EQ(value_or_throw(Expected<int>(4)), 4);
    const auto again = guarded("test", [] {
        return value_or_throw(Expected<int>(Error(ErrorCode::cancelled, "stopped")));
    });
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code(), ErrorCode::cancelled);
}

} // namespace
} // namespace leanhost
