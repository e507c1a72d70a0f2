#include "base/require.hpp"

#include <gtest/gtest.h>

namespace leanhost {
namespace {

TEST(Require, HoldsSilentlyAndThrowsWhenBroken) {
    int evaluated = 0;
    EXPECT_NO_THROW(LEANHOST_REQUIRE(++evaluated == 1));
    EXPECT_EQ(evaluated, 1);
    EXPECT_THROW(LEANHOST_REQUIRE(evaluated == 2), RequirementFailed);
}

#ifdef LEANHOST_DEVELOPMENT_CHECKS
TEST(Assert, ThrowsInADevelopmentBuild) {
    EXPECT_THROW(LEANHOST_ASSERT(1 == 2), RequirementFailed);
}
#else
TEST(Assert, IsNotEvaluatedInAReleaseBuild) {
    [[maybe_unused]] int evaluated = 0;
    LEANHOST_ASSERT(++evaluated == 2);
    EXPECT_EQ(evaluated, 0);
}
#endif

} // namespace
} // namespace leanhost
