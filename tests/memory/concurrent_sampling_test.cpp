#include "memory/named_mapping.hpp"
#include "memory/thread_stack_mark.hpp"

#include <leanhost/memory_sample.hpp>

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

namespace leanhost::memory {
namespace {

TEST(ConcurrentSampling, MayBeDoneFromManyThreads) {
    std::vector<std::jthread> threads;
    threads.reserve(8);
    for (int t = 0; t < 8; ++t)
        threads.emplace_back([] {
            for (int i = 0; i < 10; ++i) {
                EXPECT_TRUE(sample_this_process().gauge_bytes());
                EXPECT_TRUE(sample_anonymous_fast(::getpid()));
                EXPECT_TRUE(attribute_this_process());
            }
        });
}

// A range that outlived its memory would charge a class with what malloc put there next.
TEST(ConcurrentSampling, NeverChargesAClassWithMoreThanItsMappingsHold) {
    constexpr int maker_count = 4;
    constexpr std::size_t mapping_bytes = 64 * 1024UL;
    const auto index_bytes = [] {
        return attribute_this_process().value_or(MemoryAttribution{}).of(MappingClass::index);
    };
    const MappingClassBytes before = index_bytes();
    std::atomic<bool> stop = false;
    std::vector<std::jthread> makers;
    makers.reserve(maker_count);
    for (int t = 0; t < maker_count; ++t)
        makers.emplace_back([&stop] {
            const ThreadStackMark mark;
            while (!stop.load(std::memory_order_relaxed)) {
                NamedMapping mapping(mapping_bytes, MappingClass::index);
                mapping.data()[0] = std::byte{1};
                mapping.seal_read_only();
            }
        });
    for (int i = 0; i < 50; ++i) {
        const MappingClassBytes now = index_bytes();
        EXPECT_LE(now.mapped_bytes - before.mapped_bytes, maker_count * mapping_bytes);
        EXPECT_LE(now.gauge_bytes() - before.gauge_bytes(), maker_count * 4096U);
    }
    stop = true;
    makers.clear();
    EXPECT_EQ(index_bytes(), before);
}

} // namespace
} // namespace leanhost::memory
