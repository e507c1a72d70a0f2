#include "memory/meter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <type_traits>
#include <vector>

namespace leanhost::memory {
namespace {

std::ptrdiff_t readings_named(const std::string& name) {
    const auto readings = meter_readings();
    return std::count_if(readings.begin(), readings.end(),
                         [&](const auto& r) { return r.name == name; });
}

TEST(Meter, CountsBytesObjectsAndPeak) {
    Meter meter("test.counts");
    meter.acquire(100);
    meter.acquire(50, 2);
    meter.release(100);
    const MeterReading reading = meter.read();
    EXPECT_EQ(reading.name, "test.counts");
    EXPECT_EQ(reading.bytes, 50);
    EXPECT_EQ(reading.objects, 2);
    EXPECT_EQ(reading.peak_bytes, 150);
    EXPECT_EQ(reading.total_acquired_bytes, 150);
    EXPECT_EQ(reading.total_released_bytes, 100);
}

TEST(Meter, IsListedWhileItLives) {
    EXPECT_EQ(readings_named("test.listed"), 0);
    {
        const Meter one("test.listed");
        const Meter other("test.listed");
        EXPECT_EQ(readings_named("test.listed"), 2);
    }
    EXPECT_EQ(readings_named("test.listed"), 0);
}

TEST(Meter, BalancesUnderEightThreads) {
    constexpr int thread_count = 8;
    constexpr int rounds = 20000;
    Meter meter("test.threads");
    {
        std::vector<std::jthread> threads;
        threads.reserve(thread_count);
        for (int t = 0; t < thread_count; ++t)
            threads.emplace_back([&meter] {
                for (int i = 0; i < rounds; ++i) {
                    MeteredBytes held(meter, 10);
                    held.resize(30);
                    const MeteredBytes moved = std::move(held);
                }
            });
        for (int i = 0; i < 100; ++i)
            EXPECT_LE(meter.read().bytes, 8 * 30U);
    }
    const MeterReading reading = meter.read();
    EXPECT_EQ(reading.bytes, 0);
    EXPECT_EQ(reading.objects, 0);
    EXPECT_EQ(reading.total_acquired_bytes, std::uint64_t{thread_count} * rounds * 30);
    EXPECT_EQ(reading.total_released_bytes, reading.total_acquired_bytes);
    EXPECT_GE(reading.peak_bytes, 30);
    EXPECT_LE(reading.peak_bytes, 8 * 30);
}

TEST(Meter, ListMayBeReadWhileMetersComeAndGo) {
    std::vector<std::jthread> threads;
    threads.reserve(4);
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([] {
            for (int i = 0; i < 500; ++i) {
                Meter meter("test.come_and_go");
                meter.acquire(1);
                EXPECT_GE(readings_named("test.come_and_go"), 1);
            }
        });
    threads.clear();
    EXPECT_EQ(readings_named("test.come_and_go"), 0);
}

TEST(MeteredBytes, ReleasesWhatItHoldsOnce) {
    Meter meter("test.raii");
    {
        MeteredBytes held(meter, 10);
        MeteredBytes moved(std::move(held));
        EXPECT_EQ(moved.bytes(), 10);
        moved.resize(4);
        EXPECT_EQ(meter.bytes(), 4);
        moved.reset();
        EXPECT_EQ(meter.bytes(), 0);
    }
    EXPECT_EQ(meter.read().objects, 0);
    EXPECT_EQ(meter.read().total_released_bytes, 10);
}

TEST(MeteredBytes, AssignmentReleasesWhatWasHeldBefore) {
    Meter meter("test.assign");
    MeteredBytes held(meter, 10);
    held = MeteredBytes(meter, 3);
    EXPECT_EQ(meter.bytes(), 3);
    EXPECT_EQ(meter.read().objects, 1);
    held = MeteredBytes();
    EXPECT_EQ(meter.bytes(), 0);
}

static_assert(!std::is_copy_constructible_v<MeteredBytes>);
static_assert(!std::is_move_constructible_v<Meter>);

} // namespace
} // namespace leanhost::memory
