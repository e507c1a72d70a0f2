#include <leanhost/expected.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace leanhost {
namespace {

Error not_found() {
    return Error(ErrorCode::not_found, "no such thing");
}

TEST(Expected, HoldsAValue) {
    const Expected<std::string> held = std::string("value");
    ASSERT_TRUE(held);
    EXPECT_TRUE(held.has_value());
    EXPECT_EQ(*held, "value");
    EXPECT_EQ(held->size(), 5U);
}

TEST(Expected, HoldsAnError) {
    const Expected<int> held = not_found();
    ASSERT_FALSE(held);
    EXPECT_FALSE(held.has_value());
    EXPECT_EQ(held.error().code(), ErrorCode::not_found);
    EXPECT_EQ(held.error().message(), "no such thing");
}

TEST(Expected, GivesAwayAMoveOnlyValue) {
    Expected<std::unique_ptr<int>> held = std::make_unique<int>(7);
    const std::unique_ptr<int> taken = *std::move(held);
    EXPECT_EQ(*taken, 7);
}

TEST(Expected, ValueCanBeChangedInPlace) {
    Expected<std::vector<int>> held = std::vector<int>{1};
    held->push_back(2);
    (*held)[0] = 3;
    EXPECT_EQ(*held, (std::vector<int>{3, 2}));
}

TEST(Expected, MapAppliesToAValue) {
    auto length = Expected<std::string>("four").map([](std::string&& s) { return s.size(); });
    static_assert(std::is_same_v<decltype(length), Expected<std::size_t>>);
    ASSERT_TRUE(length);
    EXPECT_EQ(*length, 4U);
}

TEST(Expected, MapKeepsAnErrorAndDoesNotCall) {
    bool called = false;
    auto length = Expected<std::string>(not_found()).map([&](std::string&& s) {
        called = true;
        return s.size();
    });
    ASSERT_FALSE(length);
    EXPECT_EQ(length.error().code(), ErrorCode::not_found);
    EXPECT_FALSE(called);
}

TEST(Expected, AndThenChainsStepsThatMayFail) {
    const auto half = [](int n) -> Expected<int> {
        if (n % 2 != 0)
            return Error(ErrorCode::invalid_argument, "odd");
        return n / 2;
    };
    auto twice = Expected<int>(12).and_then(half).and_then(half);
    ASSERT_TRUE(twice);
    EXPECT_EQ(*twice, 3);

    auto thrice = Expected<int>(12).and_then(half).and_then(half).and_then(half);
    ASSERT_FALSE(thrice);
    EXPECT_EQ(thrice.error().message(), "odd");
}

TEST(Expected, AndThenStopsAtTheFirstError) {
    bool called = false;
    auto result = Expected<int>(not_found()).and_then([&](int) -> Expected<std::string> {
        called = true;
        return std::string();
    });
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::not_found);
    EXPECT_FALSE(called);
}

TEST(Expected, FailurePassesAnErrorToAnotherValueType) {
    const auto outer = []() -> Expected<std::string> {
        Expected<int> inner = not_found();
        if (!inner)
            return std::move(inner).failure();
        return std::string("unreached");
    };
    const auto result = outer();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message(), "no such thing");
}

TEST(Expected, OfVoidIsSuccessOrAnError) {
    const Expected<void> success;
    EXPECT_TRUE(success);

    Expected<void> failed = not_found();
    ASSERT_FALSE(failed);
    const Expected<int> passed_on = std::move(failed).failure();
    EXPECT_EQ(passed_on.error().code(), ErrorCode::not_found);
}

} // namespace
} // namespace leanhost
