#include <leanhost/cancellation.hpp>

#include <gtest/gtest.h>

#include <optional>
#include <thread>

namespace leanhost {
namespace {

TEST(Cancellation, DefaultTokenIsNeverCancelled) {
    EXPECT_FALSE(CancellationToken().is_cancelled());
}

TEST(Cancellation, CancelReachesEveryToken) {
    CancellationSource source;
    const CancellationToken first = source.token();
    const CancellationToken copy = first; // NOLINT(performance-unnecessary-copy-initialization)
    EXPECT_FALSE(first.is_cancelled());
    source.cancel();
    EXPECT_TRUE(first.is_cancelled());
    EXPECT_TRUE(copy.is_cancelled());
    EXPECT_TRUE(source.token().is_cancelled());
}

TEST(Cancellation, SourcesAreIndependent) {
    CancellationSource cancelled;
    CancellationSource other;
    cancelled.cancel();
    EXPECT_FALSE(other.token().is_cancelled());
}

TEST(Cancellation, TokenOutlivesItsSource) {
    std::optional<CancellationSource> source(std::in_place);
    const CancellationToken token = source->token();
    source->cancel();
    source.reset();
    EXPECT_TRUE(token.is_cancelled());
}

TEST(Cancellation, CrossesThreads) {
    CancellationSource source;
    // Ends only when the flag arrives; ctest's timeout is the failure.
    std::thread worker([token = source.token()] {
        while (!token.is_cancelled())
            std::this_thread::yield();
    });
    source.cancel();
    worker.join();
    EXPECT_TRUE(source.token().is_cancelled());
}

} // namespace
} // namespace leanhost
