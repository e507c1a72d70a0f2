#pragma once

#include "regions/fake_system.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

namespace leanhost::regions::test {

/// A table over a fake system, as a program's first thread finds it, and what a program does.
class TableTest : public ::testing::Test {
protected:
    static constexpr std::uintptr_t base = 0x123400000000;

    TableTest() {
        table.count_into(stats);
        table.set_mode(LEANHOST_REGIONS_ON);
    }
    void TearDown() override {
        EXPECT_EQ(system.blocked(), 0) << "signals stay blocked";
        // A counter below zero is a huge one.
        constexpr std::uint64_t huge = std::uint64_t{1} << 50;
        EXPECT_LT(stats.live_regions, huge);
        EXPECT_LT(stats.live_bytes, huge);
        EXPECT_LT(stats.live_shared_bytes, huge);
        EXPECT_LE(stats.live_regions * page, stats.live_bytes);
    }

    /// As Lean asks for a module.
    static MapRequest request_for(int fd, std::size_t pages, std::uintptr_t at = base) {
        return {.address = at,
                .length = pages * page,
                .protection = PROT_READ,
                .flags = MAP_PRIVATE,
                .fd = fd};
    }
    std::uintptr_t map(const MapRequest& request) {
        return static_cast<std::uintptr_t>(table.map(request));
    }
    std::uintptr_t map(int fd, std::size_t pages, std::uintptr_t at = base) {
        return map(request_for(fd, pages, at));
    }
    /// A mapping that has nothing to do with modules.
    static MapRequest anonymous(std::uintptr_t at, std::size_t pages, int more_flags = 0) {
        return {.address = at,
                .length = pages * page,
                .protection = PROT_READ | PROT_WRITE,
                .flags = MAP_PRIVATE | MAP_ANONYMOUS | more_flags};
    }
    int unmap(std::uintptr_t at, std::size_t pages) { return table.unmap(at, pages * page); }

    void expect_live(std::size_t regions, std::size_t pages, std::size_t shared_pages) const {
        EXPECT_EQ(stats.live_regions, regions);
        EXPECT_EQ(stats.live_bytes, pages * page);
        EXPECT_EQ(stats.live_shared_bytes, shared_pages * page);
    }
    std::uint64_t refusals() const {
        std::uint64_t sum = 0;
        for (const std::uint64_t count : stats.refused)
            sum += count;
        return sum;
    }

    FakeSystem system;
    std::unique_ptr<AddressFilter> filter = std::make_unique<AddressFilter>();
    RegionTable<FakeSystem> table{system, *filter};
    LeanhostRegionsStats stats{};
};

} // namespace leanhost::regions::test
