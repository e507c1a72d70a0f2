#include "host/runtime_fixture.hpp"
#include "support_modules/mapped_files.hpp"

#include <leanhost/session_pool.hpp>

namespace leanhost {
namespace {

using test::fact;
using testing::IsEmpty;

class SessionPoolPolicy : public test::RuntimeFixture {};

TEST_F(SessionPoolPolicy, ImportAtTheLimitIsRefusedBeforeAnythingIsMapped) {
    const Runtime runtime = this->runtime();
    SessionPool pool(runtime, {.capacity = 4, .memory_policy = {.max_fresh_imports = 1}});
    ASSERT_TRUE(pool.acquire({"C"})) << "just below the limit";
    const std::uint64_t validated_bytes = runtime.region_facts().validated_bytes;
    const auto refused = pool.acquire({"A"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::import_refused);
    EXPECT_EQ(fact<std::string>(refused.error(), "rule"), "fresh_imports");
    EXPECT_EQ(fact<std::uint64_t>(refused.error(), "limit"), 1U);
    EXPECT_EQ(fact<std::uint64_t>(refused.error(), "current"), 1U);
    EXPECT_FALSE(fact<bool>(refused.error(), "work_entered_engine"));
    EXPECT_TRUE(refused.error().still_usable());
    EXPECT_EQ(runtime.region_facts().validated_bytes, validated_bytes);
    EXPECT_THAT(test::mapped_files(folder.path() / "A.olean"), IsEmpty());
    EXPECT_EQ(pool.stats().refused, 1U);
    EXPECT_EQ(pool.stats().imports, 1U);
    EXPECT_EQ(pool.stats().acquired, 1U);
    EXPECT_EQ(pool.stats().checked_out, 0U);
}

TEST_F(SessionPoolPolicy, ReuseIsNotRefused) {
    SessionPool pool(runtime(), {.capacity = 4, .memory_policy = {.max_fresh_imports = 1}});
    for (int i = 0; i < 3; ++i)
        EXPECT_TRUE(pool.acquire({"A"}));
    pool.drain();
    EXPECT_FALSE(pool.acquire({"A"})) << "imports are counted over the pool's life";
}

TEST_F(SessionPoolPolicy, ImportThatFailedDoesNotCount) {
    SessionPool pool(runtime(), {.capacity = 4, .memory_policy = {.max_fresh_imports = 1}});
    EXPECT_EQ(pool.acquire({"Missing"}).error().code(), ErrorCode::missing_module);
    EXPECT_TRUE(pool.acquire({"A"}));
}

TEST_F(SessionPoolPolicy, LimitOfZeroRefusesTheFirst) {
    SessionPool pool(runtime(), {.capacity = 4, .memory_policy = {.max_fresh_imports = 0}});
    const auto refused = pool.acquire({"A"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(fact<std::uint64_t>(refused.error(), "current"), 0U);
}

TEST_F(SessionPoolPolicy, AnonymousBytesAreThoseOfThisProcess) {
    const Runtime runtime = this->runtime();
    SessionPool tight(runtime, {.capacity = 4, .memory_policy = {.max_anonymous_bytes = 1}});
    const auto refused = tight.acquire({"A"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(fact<std::string>(refused.error(), "rule"), "anonymous_bytes");
    EXPECT_EQ(fact<std::uint64_t>(refused.error(), "limit"), 1U);
    EXPECT_GT(fact<std::uint64_t>(refused.error(), "current"), 4096U);
    EXPECT_EQ(runtime.region_facts().regions, 0U);
    SessionPool wide(runtime,
                     {.capacity = 4, .memory_policy = {.max_anonymous_bytes = UINT64_MAX}});
    EXPECT_TRUE(wide.acquire({"A"}));
}

TEST_F(SessionPoolPolicy, BytesAreNamedWhenBothLimitsAreReached) {
    SessionPool pool(
        runtime(),
        {.capacity = 4, .memory_policy = {.max_anonymous_bytes = 1, .max_fresh_imports = 0}});
    EXPECT_EQ(fact<std::string>(pool.acquire({"A"}).error(), "rule"), "anonymous_bytes");
}

} // namespace
} // namespace leanhost
