#include "regions/table_test.hpp"

#include <gtest/gtest.h>

namespace leanhost::regions::test {
namespace {

using RegionTableRegression = TableTest;

// A user was dropped before the kernel refused the rest of the range.
TEST_F(RegionTableRegression, UnmapOfTooLongARangeChangesNothing) {
    const int fd = system.add_module(base, 4);
    map(fd, 4);
    map(fd, 4);
    EXPECT_EQ(table.unmap(base, std::size_t{1} << 50), -EINVAL);
    expect_live(1, 4, 4);
}

TEST_F(RegionTableRegression, AFailureBehindASharedRegionTakesNoUser) {
    const int fd = system.add_module(base, 4);
    map(fd, 4);
    map(fd, 4);
    map(anonymous(base + 4 * page, 1));
    system.unmap_error = -ENOMEM;
    EXPECT_EQ(unmap(base, 5), -ENOMEM);
    expect_live(1, 4, 4);
}

// Room for the pieces of a region was made before one was known to be cut.
TEST_F(RegionTableRegression, ALongUnrelatedUnmapNeedsNoMemory) {
    system.has_memory = false;
    EXPECT_EQ(table.unmap(0x400000000000, std::size_t{8} << 30), 0);
}

TEST_F(RegionTableRegression, WhileOffALongUnmapTakesNoMemory) {
    table.set_mode(LEANHOST_REGIONS_OFF);
    EXPECT_EQ(table.unmap(0x400000000000, std::size_t{8} << 30), 0);
    EXPECT_EQ(system.storage_bytes(), 0U);
}

TEST_F(RegionTableRegression, AnUnrelatedUnmapBesideAFullTableNeedsNoMemory) {
    for (std::size_t i = 0; i < 256; ++i) {
        const std::uintptr_t at = base + i * 2 * page;
        ASSERT_EQ(map(system.add_module(at, 1), 1, at), at);
    }
    map(anonymous(base + page, 1));
    system.has_memory = false;
    EXPECT_EQ(unmap(base + page, 1), 0);
}

TEST_F(RegionTableRegression, RemapOfASharedRegionFailsAsTheKernelWould) {
    const int fd = system.add_module(base, 4);
    map(fd, 4);
    map(fd, 4);
    EXPECT_EQ(table.remap(base, 4 * page, 0, 0, 0), -EINVAL);
    EXPECT_EQ(table.remap(base + 8, 4 * page, page, 0, 0), -EINVAL);
}

// A moved mapping whose new place a region had until it was unmapped unseen: its users were taken
// for the new one's.
TEST_F(RegionTableRegression, RemapOntoThePlaceOfARegionThatIsGoneForgetsIt) {
    const int fd = system.add_module(base, 4);
    map(fd, 4);
    map(fd, 4);
    system.raw_unmap(base, 4);
    const auto from = map(anonymous(0x400000000000, 2));
    map(anonymous(0x400000000000 + 2 * page, 1));
    system.elsewhere = base;
    ASSERT_EQ(table.remap(from, 2 * page, 4 * page, MREMAP_MAYMOVE, 0),
              static_cast<std::intptr_t>(base));
    EXPECT_EQ(unmap(base, 4), 0);
    EXPECT_EQ(system.page_at(base), nullptr);
}

// The parent's report page is a shared mapping: it goes on changing while the child starts.
TEST_F(RegionTableRegression, AForkedChildBeginsWithWhatWasLiveAtTheFork) {
    const int fd = system.add_module(base, 4);
    map(fd, 4);
    map(fd, 4);
    table.before_fork();
    stats.live_regions = 0; // the parent, in another process, has unmapped both
    stats.live_bytes = 0;
    stats.live_shared_bytes = 0;
    LeanhostRegionsStats childs{};
    table.after_fork_in_child(childs);
    EXPECT_EQ(childs.live_regions, 1U);
    EXPECT_EQ(childs.live_bytes, 4 * page);
    EXPECT_EQ(childs.live_shared_bytes, 4 * page);
    stats = childs;
}

// A rebuilt file at the old path, mapped unseen by us: the path alone let it pass for the old file,
// which somebody still had open.
TEST_F(RegionTableRegression, AnotherFileOfTheSamePathAndDeviceIsNotShared) {
    const int old = system.add_module(base, 4);
    const int rebuilt = system.add_module(base, 4);
    system.file(rebuilt).path = system.file(old).path;
    for (const bool can_query : {true, false}) {
        system.can_query = can_query;
        system.time_ms += 10'000;
        ASSERT_EQ(map(old, 4), base);
        system.raw_unmap(base, 4);
        system.raw_map(base, 4, {rebuilt, 0, PROT_READ, false});
        const std::uint64_t shares = stats.shares;
        EXPECT_NE(map(old, 4), base) << "would show the rebuilt file";
        EXPECT_EQ(stats.shares, shares);
        unmap(base, 4);
    }
    EXPECT_EQ(stats.refused[LEANHOST_REGIONS_UNVERIFIED], 2U);
}

} // namespace
} // namespace leanhost::regions::test
