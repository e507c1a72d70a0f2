#include "host/runtime_fixture.hpp"
#include "support_modules/mapped_files.hpp"

#include <leanhost/session_pool.hpp>

#include <atomic>
#include <mutex>
#include <thread>

namespace leanhost {
namespace {

using namespace std::chrono_literals;

class SessionPoolThreads : public test::RuntimeFixture {};

// What must hold of a pool that nobody uses at the moment, whatever happened before.
void expect_balanced(const PoolStats& stats, std::size_t capacity) {
    EXPECT_EQ(stats.acquired, stats.imports + stats.reused);
    EXPECT_EQ(stats.released_to_pool + stats.released_dropped, stats.acquired);
    EXPECT_EQ(stats.released_to_pool,
              stats.reused + stats.free + stats.evicted + stats.drained + stats.stale);
    EXPECT_EQ(stats.miss_empty_pool + stats.miss_no_matching_key + stats.miss_files_changed +
                  stats.miss_reuse_disabled,
              stats.imports);
    EXPECT_EQ(stats.checked_out, 0U);
    EXPECT_LE(stats.free, capacity);
}

TEST_F(SessionPoolThreads, EverythingAtOnceForASecond) {
    constexpr std::size_t capacity = 3;
    {
        SessionPool pool(runtime(0ms), {.capacity = capacity});
        const std::pair<ImportSet, Name> wanted[] = {
            {{"A"}, "a"}, {{"B"}, "b"}, {{"C"}, "c"}, {{"A", "C"}, "c"}, {{"C", "A"}, "b"}};
        const auto end = std::chrono::steady_clock::now() + 1s;
        {
            std::vector<std::jthread> threads;
            for (unsigned thread = 0; thread < 8; ++thread) {
                threads.emplace_back([&, thread] {
                    for (unsigned i = thread; std::chrono::steady_clock::now() < end; ++i) {
                        const auto& [imports, name] = wanted[i % std::size(wanted)];
                        const auto session = pool.acquire(imports);
                        ASSERT_TRUE(session) << session.error().message();
                        EXPECT_TRUE(holds(**session, name));
                        if (i % 97 == 0)
                            pool.drain();
                        if (i % 31 == 0)
                            pool.revalidate();
                        EXPECT_LE(pool.stats().free, capacity);
                    }
                });
            }
        }
        expect_balanced(pool.stats(), capacity);
        EXPECT_GT(pool.stats().reused, 0U);
        pool.drain();
        EXPECT_THAT(test::mapped_files(folder.path()), testing::IsEmpty());
    }
    EXPECT_TRUE(is_free());
}

TEST_F(SessionPoolThreads, SessionsAreReturnedFromOtherThreads) {
    SessionPool pool(runtime(), {.capacity = 2});
    constexpr int count = 200;
    std::mutex mutex;
    std::vector<PooledSession> on_their_way; // guarded by mutex
    std::atomic<bool> is_over = false;
    std::jthread returner([&] {
        for (bool is_last = false; !is_last;) {
            is_last = is_over;
            std::vector<PooledSession> dropped;
            const std::lock_guard lock(mutex);
            dropped.swap(on_their_way);
        }
    });
    for (int i = 0; i < count; ++i) {
        PooledSession session = *pool.acquire({"A"});
        const std::lock_guard lock(mutex);
        on_their_way.push_back(std::move(session));
    }
    is_over = true;
    returner.join();
    expect_balanced(pool.stats(), 2);
    EXPECT_EQ(pool.stats().acquired, std::uint64_t{count});
}

TEST_F(SessionPoolThreads, MemoryPolicyHoldsForImportsSideBySide) {
    SessionPool pool(runtime(), {.capacity = 0, .memory_policy = {.max_fresh_imports = 5}});
    std::atomic<int> admitted = 0;
    {
        std::vector<std::jthread> threads;
        for (int thread = 0; thread < 8; ++thread) {
            threads.emplace_back([&] {
                for (int i = 0; i < 20; ++i) {
                    if (pool.acquire({"A"}))
                        ++admitted;
                }
            });
        }
    }
    EXPECT_EQ(admitted, 5);
    EXPECT_EQ(pool.stats().refused, 8U * 20 - 5);
}

// The pool goes while its sessions are still in use elsewhere.
TEST_F(SessionPoolThreads, PoolIsDroppedUnderItsSessions) {
    for (int round = 0; round < 30; ++round) {
        std::vector<std::jthread> threads;
        std::optional<SessionPool> pool(std::in_place, runtime(),
                                        SessionPoolOptions{.capacity = 4});
        for (int thread = 0; thread < 4; ++thread) {
            threads.emplace_back(
                [session = *pool->acquire({"A"})] { EXPECT_TRUE(holds(*session, "a")); });
        }
        pool.reset();
    }
    EXPECT_TRUE(is_free());
}

} // namespace
} // namespace leanhost
