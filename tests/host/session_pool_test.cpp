#include "host/runtime_fixture.hpp"
#include "support_modules/mapped_files.hpp"

#include <leanhost/session_pool.hpp>

#include <fmt/format.h>

namespace leanhost {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;

// The seed's counters, as it writes them.
std::string counters(const SessionPool& pool) {
    const PoolStats s = pool.stats();
    return fmt::format("imports={} reused={} acquired={} released_to_pool={} released_dropped={}",
                       s.imports, s.reused, s.acquired, s.released_to_pool, s.released_dropped);
}

class SessionPoolTest : public test::RuntimeFixture {
protected:
    // Takes a session and gives it back.
    static void use(SessionPool& pool, const ImportSet& imports) {
        const auto session = pool.acquire(imports);
        ASSERT_TRUE(session) << session.error().message();
    }
    // Whether the pool has a free session of these imports; takes it and gives it back.
    static bool has_free(SessionPool& pool, const ImportSet& imports) {
        const std::uint64_t before = pool.stats().reused;
        use(pool, imports);
        return pool.stats().reused > before;
    }
};

TEST_F(SessionPoolTest, CapacityZeroImportsAndDropsEachTime) {
    SessionPool pool(runtime(), {.capacity = 0});
    for (int i = 0; i < 5; ++i)
        use(pool, {"A"});
    EXPECT_EQ(counters(pool),
              "imports=5 reused=0 acquired=5 released_to_pool=0 released_dropped=5");
    const PoolStats stats = pool.stats();
    EXPECT_EQ(stats.imports_shared, 0U);
    EXPECT_EQ(stats.miss_reuse_disabled, 5U);
    EXPECT_EQ(stats.last_miss, PoolMiss::reuse_disabled);
    EXPECT_EQ(stats.free, 0U);
    EXPECT_THAT(test::mapped_files(folder.path()), IsEmpty());
}

TEST_F(SessionPoolTest, BoundedPoolReusesWhatWasHeldBefore) {
    SessionPool pool(runtime(), {.capacity = 4});
    {
        std::vector<PooledSession> held;
        for (int i = 0; i < 4; ++i)
            held.push_back(*pool.acquire({"A"}));
        EXPECT_EQ(pool.stats().checked_out, 4U);
        EXPECT_EQ(pool.stats().imports_shared, 3U) << "sessions of one closure share it";
    }
    EXPECT_EQ(pool.stats().free, 4U);
    for (int i = 0; i < 10; ++i)
        use(pool, {"A"});
    EXPECT_EQ(counters(pool),
              "imports=4 reused=10 acquired=14 released_to_pool=14 released_dropped=0");
    EXPECT_EQ(pool.stats().last_miss, PoolMiss::empty_pool);
    EXPECT_EQ(pool.stats().miss_empty_pool, 4U);
}

TEST_F(SessionPoolTest, ReturnBeyondTheCapacityDropsTheOldest) {
    SessionPool pool(runtime(), {.capacity = 2});
    {
        std::vector<PooledSession> held;
        for (int i = 0; i < 5; ++i)
            held.push_back(*pool.acquire({"A"}));
    }
    const PoolStats stats = pool.stats();
    EXPECT_EQ(stats.free, 2U);
    EXPECT_EQ(stats.released_to_pool, 5U);
    EXPECT_EQ(stats.evicted, 3U);
}

TEST_F(SessionPoolTest, LeastRecentlyUsedIsEvictedFirst) {
    SessionPool pool(runtime(), {.capacity = 2});
    use(pool, {"A"});
    use(pool, {"B"});
    use(pool, {"A"}); // now B is the older one
    use(pool, {"C"});
    EXPECT_EQ(pool.stats().evicted, 1U);
    EXPECT_TRUE(has_free(pool, {"A"}));
    EXPECT_TRUE(has_free(pool, {"C"}));
    EXPECT_FALSE(has_free(pool, {"B"})); // its import evicts A
    EXPECT_TRUE(has_free(pool, {"C"}));
    EXPECT_FALSE(has_free(pool, {"A"}));
}

TEST_F(SessionPoolTest, DrainLeavesCheckedOutSessionsValid) {
    SessionPool pool(runtime(), {.capacity = 4});
    auto held = pool.acquire({"A"});
    use(pool, {"B"});
    use(pool, {"C"});
    ASSERT_TRUE(held);
    pool.drain();
    EXPECT_EQ(pool.stats().drains, 1U);
    EXPECT_EQ(pool.stats().drained, 2U);
    EXPECT_EQ(pool.stats().free, 0U);
    EXPECT_TRUE(holds(**held, "a"));
    EXPECT_EQ(test::mapped_files(folder.path() / "C.olean").size(), 0U) << "gone with its session";
    held = Error(ErrorCode::internal, "");
    EXPECT_EQ(pool.stats().free, 1U) << "it is kept again";
    EXPECT_TRUE(has_free(pool, {"A"}));
    pool.drain();
    pool.drain();
    EXPECT_EQ(pool.stats().drains, 3U);
    EXPECT_EQ(pool.stats().drained, 3U);
}

TEST_F(SessionPoolTest, EveryMissHasItsReason) {
    SessionPool pool(runtime(0ms), {.capacity = 4});
    EXPECT_EQ(pool.stats().last_miss, PoolMiss::none);
    use(pool, {"A"});
    EXPECT_EQ(pool.stats().last_miss, PoolMiss::empty_pool);
    use(pool, {"C"});
    EXPECT_EQ(pool.stats().last_miss, PoolMiss::no_matching_key);
    test::write_module(folder.path(), "B", {}, {"b", "b2"});
    use(pool, {"A"});
    EXPECT_EQ(pool.stats().last_miss, PoolMiss::files_changed);
    const PoolStats stats = pool.stats();
    EXPECT_EQ(stats.miss_empty_pool, 1U);
    EXPECT_EQ(stats.miss_no_matching_key, 1U);
    EXPECT_EQ(stats.miss_files_changed, 1U);
    EXPECT_EQ(stats.stale, 1U);
    EXPECT_EQ(pool_miss_name(PoolMiss::files_changed), "files_changed");
    EXPECT_EQ(pool_miss_name(PoolMiss::none), "none");
}

TEST_F(SessionPoolTest, OrderProfileAndAllowMissingArePartOfTheKey) {
    SessionPool pool(runtime(), {.capacity = 8});
    use(pool, {"A", "C"});
    EXPECT_FALSE(has_free(pool, {"C", "A"}));
    EXPECT_FALSE(has_free(pool, {"A"}));
    EXPECT_FALSE(has_free(pool, ImportSet({"A", "C"}, Profile::exported)));
    EXPECT_FALSE(has_free(pool, ImportSet({"A", "C"}, Profile::all, true)));
    EXPECT_TRUE(has_free(pool, {"A", "C"}));
    EXPECT_EQ(pool.stats().miss_no_matching_key, 4U);
}

TEST_F(SessionPoolTest, RebuiltModuleIsNoticedWhenAskedToLook) {
    SessionPool pool(runtime(1h), {.capacity = 4});
    use(pool, {"A"});
    use(pool, {"C"});
    test::write_module(folder.path(), "B", {}, {"b", "b2"});
    EXPECT_TRUE(has_free(pool, {"A"})) << "inside revalidate_after nobody looks";
    pool.revalidate();
    EXPECT_EQ(pool.stats().stale, 1U);
    EXPECT_EQ(pool.stats().free, 1U);
    const auto session = pool.acquire({"A"});
    ASSERT_TRUE(session);
    EXPECT_TRUE(holds(**session, "b2"));
    EXPECT_EQ(pool.stats().last_miss, PoolMiss::no_matching_key);
    EXPECT_TRUE(has_free(pool, {"C"}));
}

TEST_F(SessionPoolTest, RebuiltModuleIsNoticedAfterTheTimeGiven) {
    SessionPool pool(runtime(0ms), {.capacity = 4});
    use(pool, {"A"});
    EXPECT_TRUE(has_free(pool, {"A"}));
    test::write_module(folder.path(), "B", {}, {"b", "b2"});
    const auto session = pool.acquire({"A"});
    ASSERT_TRUE(session);
    EXPECT_TRUE(holds(**session, "b2"));
    EXPECT_EQ(pool.stats().stale, 1U);
    EXPECT_EQ(pool.stats().imports_shared, 0U);
}

// A session that was checked out while its files changed comes back old; the next acquire must not
// get it.
TEST_F(SessionPoolTest, SessionThatGrewOldWhileCheckedOutIsNotReused) {
    SessionPool pool(runtime(0ms), {.capacity = 4});
    auto held = pool.acquire({"A"});
    ASSERT_TRUE(held);
    test::write_module(folder.path(), "B", {}, {"b", "b2"});
    EXPECT_FALSE(holds(**held, "b2"));
    held = Error(ErrorCode::internal, "");
    EXPECT_EQ(pool.stats().free, 1U);
    EXPECT_TRUE(holds(**pool.acquire({"A"}), "b2"));
}

TEST_F(SessionPoolTest, PooledSessionOutlivesPoolAndRuntimeHandle) {
    std::optional<PooledSession> session;
    {
        SessionPool pool(runtime(), {.capacity = 4});
        session = *pool.acquire({"A"});
    }
    EXPECT_TRUE(holds(**session, "a"));
    EXPECT_FALSE(is_free());
    session.reset();
    EXPECT_TRUE(is_free());
    EXPECT_THAT(test::mapped_files(folder.path()), IsEmpty());
}

TEST_F(SessionPoolTest, MovedSessionGoesBackOnce) {
    SessionPool pool(runtime(), {.capacity = 4});
    {
        PooledSession first = *pool.acquire({"A"});
        PooledSession second = std::move(first);
        EXPECT_EQ(pool.stats().checked_out, 1U);
        PooledSession third = *pool.acquire({"C"});
        third = std::move(second);
        EXPECT_EQ(pool.stats().checked_out, 1U) << "what was assigned over went back";
        EXPECT_TRUE(holds(*third, "a"));
        PooledSession& itself = third;
        third = std::move(itself);
        EXPECT_TRUE(holds(*third, "a"));
    }
    EXPECT_EQ(pool.stats().checked_out, 0U);
    EXPECT_EQ(pool.stats().released_to_pool, 2U);
}

TEST_F(SessionPoolTest, FailedImportDeliversNothingAndCountsAsNone) {
    SessionPool pool(runtime(), {.capacity = 4});
    const auto session = pool.acquire({"Missing"});
    ASSERT_FALSE(session);
    EXPECT_EQ(session.error().code(), ErrorCode::missing_module);
    EXPECT_EQ(counters(pool),
              "imports=0 reused=0 acquired=0 released_to_pool=0 released_dropped=0");
    EXPECT_EQ(pool.stats().checked_out, 0U);
}

TEST_F(SessionPoolTest, TwoPoolsShareClosuresButNotCounters) {
    const Runtime shared = runtime();
    SessionPool first(shared, {.capacity = 1});
    SessionPool second(shared, {.capacity = 1});
    use(first, {"A"});
    use(second, {"A"});
    EXPECT_EQ(second.stats().imports, 1U);
    EXPECT_EQ(second.stats().imports_shared, 1U);
    EXPECT_EQ(first.stats().imports, 1U);
}

} // namespace
} // namespace leanhost
