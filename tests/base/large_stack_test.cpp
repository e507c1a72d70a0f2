#include "base/guard.hpp"
#include "base/large_stack.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <limits>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace leanhost {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::size_t mebibyte = std::size_t{1} << 20U;

// What this thread runs on, as pthreads has it: [bottom, bottom + bytes).
struct Stack {
    char* bottom = nullptr;
    std::size_t bytes = 0;
};

Stack current_stack() {
    pthread_attr_t attributes;
    ::pthread_getattr_np(::pthread_self(), &attributes);
    void* bottom = nullptr;
    Stack stack;
    ::pthread_attr_getstack(&attributes, &bottom, &stack.bytes);
    ::pthread_attr_destroy(&attributes);
    stack.bottom = static_cast<char*>(bottom);
    return stack;
}

// The line of /proc/self/maps whose range holds `address`, or "".
std::string mapping_at(const char* address) {
    const auto wanted = reinterpret_cast<std::uintptr_t>(address);
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        std::uintptr_t start = 0;
        std::uintptr_t end = 0;
        char dash = 0;
        std::istringstream(line) >> std::hex >> start >> dash >> end;
        if (start <= wanted && wanted < end)
            return line;
    }
    return "";
}

// Touches about a KiB of stack per level and does not become a loop.
[[gnu::noinline]] std::size_t descend(std::size_t levels) {
    volatile char frame[1024];
    frame[levels % sizeof frame] = 1;
    if (levels == 0)
        return 0;
    return descend(levels - 1) + static_cast<std::size_t>(frame[levels % sizeof frame]);
}

TEST(LargeStack, ReturnsTheResult) {
    EXPECT_EQ(run_on_large_stack(mebibyte, [] { return 42; }), 42);
}

TEST(LargeStack, ReturnsAMoveOnlyResult) {
    const auto result = run_on_large_stack(mebibyte, [] { return std::make_unique<int>(7); });
    EXPECT_EQ(*result, 7);
}

TEST(LargeStack, RunsAVoidBodyAndWaitsForIt) {
    int written = 0;
    run_on_large_stack(mebibyte, [&] { written = 1; });
    EXPECT_EQ(written, 1);
}

TEST(LargeStack, CallsAMovableBodyAsAnRvalue) {
    struct Body {
        std::unique_ptr<int> value;
        int operator()() && { return *std::exchange(value, nullptr); }
    };
    EXPECT_EQ(run_on_large_stack(mebibyte, Body{std::make_unique<int>(3)}), 3);
}

TEST(LargeStack, RethrowsTheExceptionOfTheBody) {
    try {
        run_on_large_stack(mebibyte, [] { throw std::out_of_range("deep below"); });
        FAIL() << "nothing was thrown";
    } catch (const std::out_of_range& error) {
        EXPECT_STREQ(error.what(), "deep below");
    }
}

// 64 MiB is eight times the main thread's usual stack: without the stack that was asked for this
// dies.
TEST(LargeStack, IsAsDeepAsAsked) {
    const std::size_t levels = std::size_t{48} * 1024;
    EXPECT_EQ(run_on_large_stack(256 * mebibyte, [&] { return descend(levels); }), levels);
}

TEST(LargeStack, BodyHasAtLeastTheBytesAskedFor) {
    const std::size_t odd_size = mebibyte + 1;
    const Stack stack = run_on_large_stack(odd_size, current_stack);
    EXPECT_GE(stack.bytes, odd_size);
}

TEST(LargeStack, TinySizeStillRuns) {
    EXPECT_EQ(run_on_large_stack(1, [] { return 5; }), 5);
}

TEST(LargeStack, GuardPageLiesBelow) {
    const std::string below =
        run_on_large_stack(mebibyte, [] { return mapping_at(current_stack().bottom - 1); });
    EXPECT_THAT(below, HasSubstr(" ---p "));
}

TEST(LargeStack, StackIsUnmappedAtReturn) {
    const Stack stack = run_on_large_stack(mebibyte, [] {
        const Stack own = current_stack();
        EXPECT_EQ(::msync(own.bottom, own.bytes, MS_ASYNC), 0) << "not mapped while in use";
        return own;
    });
    EXPECT_EQ(::msync(stack.bottom, stack.bytes, MS_ASYNC), -1);
    EXPECT_EQ(errno, ENOMEM);
}

TEST(LargeStack, StackIsUnmappedAfterAnExceptionToo) {
    Stack stack;
    EXPECT_THROW(run_on_large_stack(mebibyte,
                                    [&] {
                                        stack = current_stack();
                                        throw std::runtime_error("");
                                    }),
                 std::runtime_error);
    EXPECT_EQ(::msync(stack.bottom, stack.bytes, MS_ASYNC), -1);
}

TEST(LargeStack, StacksNestAndRunSideBySide) {
    std::vector<std::thread> threads;
    std::vector<std::size_t> results(4);
    for (std::size_t i = 0; i < results.size(); ++i) {
        threads.emplace_back([&results, i] {
            results[i] = run_on_large_stack(4 * mebibyte, [i] {
                return run_on_large_stack(4 * mebibyte, [i] { return descend(100 * i); });
            });
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    for (std::size_t i = 0; i < results.size(); ++i)
        EXPECT_EQ(results[i], 100 * i);
}

TEST(LargeStack, ImpossibleSizeIsResourceExhausted) {
    for (const std::size_t size :
         {std::numeric_limits<std::size_t>::max(), std::numeric_limits<std::size_t>::max() / 2}) {
        const auto result =
            guarded("test", [&] { return run_on_large_stack(size, [] { return 1; }); });
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().code(), ErrorCode::resource_exhausted);
        EXPECT_THAT(result.error().message(), StartsWith("no address space for a stack of "));
        EXPECT_NE(result.error().find_fact("stack_bytes"), nullptr);
    }
}

} // namespace
} // namespace leanhost
