#include "live.hpp"
#include "memory/thread_stack_mark.hpp"

#include <thread>

namespace leanhost::memory {
namespace {

constexpr std::size_t touched_bytes = 2 * test::mebibyte;

std::uint64_t stacks_gauge() {
    const auto attribution = attribute_this_process();
    EXPECT_TRUE(attribution.has_value());
    return attribution ? attribution->of(MappingClass::stacks).gauge_bytes() : 0;
}

[[gnu::noinline]] std::uint64_t stacks_gauge_with_a_deep_frame() {
    std::byte frame[touched_bytes];
    test::touch_pages(frame);
    const std::uint64_t gauge = stacks_gauge();
    test::read_pages(frame);
    return gauge;
}

TEST(ThreadStackMark, MakesTheStackKnown) {
    const std::uint64_t before = stacks_gauge();
    std::uint64_t during = 0;
    std::thread([&] {
        const ThreadStackMark mark;
        during = stacks_gauge_with_a_deep_frame();
    }).join();
    EXPECT_GE(during, before + touched_bytes);
    EXPECT_LE(during, before + touched_bytes + test::mebibyte);
}

TEST(ThreadStackMark, EndsWithItsScope) {
    std::thread([] {
        const std::uint64_t before = stacks_gauge();
        {
            const ThreadStackMark mark;
            EXPECT_GT(stacks_gauge(), before);
        }
        if (stacks_gauge() != before)
            GTEST_SKIP() << "the kernel keeps names, and with them the mark";
    }).join();
}

TEST(ThreadStackMark, IsHarmlessOnTheMainThreadAndTwice) {
    const ThreadStackMark on_main;
    std::thread([] {
        const ThreadStackMark mark;
        const std::uint64_t once = stacks_gauge();
        {
            const ThreadStackMark again;
            EXPECT_NEAR(test::growth(once, stacks_gauge()), 0, 256 * 1024);
        }
        EXPECT_NEAR(test::growth(once, stacks_gauge()), 0, 256 * 1024) << "the first one stands";
    }).join();
}

TEST(ThreadStackMark, MainStackNeedsNone) {
    EXPECT_GT(stacks_gauge(), 0);
}

} // namespace
} // namespace leanhost::memory
