// munmap: whole, in part, over several regions, and what fails.
#include "regions/table_test.hpp"

namespace leanhost::regions::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string munmap_call(std::uintptr_t at, std::size_t pages) {
    char text[60];
    std::snprintf(text, sizeof text, "munmap %zx %zx", at, pages * page);
    return text;
}

/// A module of eight pages, mapped by as many users as the test says.
class RegionTableUnmapping : public TableTest {
protected:
    void map_for(int users) {
        for (int user = 0; user < users; ++user)
            ASSERT_EQ(map(fd, 8), base);
        system.take_calls();
    }
    bool all_there() const { return system.shows(base, 8, fd); }

    const int fd = system.add_module(base, 8);
};

struct Part {
    const char* name;
    std::size_t first;
    std::size_t count;
};
class RegionTablePart : public RegionTableUnmapping, public testing::WithParamInterface<Part> {};

TEST_P(RegionTablePart, OfOneUserGoesBackAndTheRestIsForgotten) {
    const auto [name, first, count] = GetParam();
    map_for(1);
    EXPECT_EQ(unmap(base + first * page, count), 0);
    EXPECT_THAT(system.take_calls(), ElementsAre(munmap_call(base + first * page, count)));
    expect_live(0, 0, 0);
    EXPECT_EQ(stats.unmaps, 1U);
    EXPECT_EQ(system.mapped_pages(), 8 - count);
    EXPECT_EQ(unmap(base, 8), 0);
    EXPECT_EQ(system.mapped_pages(), 0U);
}

TEST_P(RegionTablePart, OfTwoUsersStaysForTheOther) {
    const auto [name, first, count] = GetParam();
    map_for(2);
    EXPECT_EQ(unmap(base + first * page, count), 0);
    EXPECT_THAT(system.take_calls(), IsEmpty());
    EXPECT_TRUE(all_there());
    EXPECT_EQ(stats.live_shared_bytes, (8 - count) * page);
    EXPECT_EQ(stats.releases, 1U);
    // The other user gives back all of it, the first what it has left.
    EXPECT_EQ(unmap(base, 8), 0);
    for (std::size_t i = 0; i < 8; ++i)
        EXPECT_EQ(system.page_at(base + i * page) == nullptr, i >= first && i < first + count) << i;
    EXPECT_EQ(unmap(base, first), first == 0 ? -EINVAL : 0);
    EXPECT_EQ(unmap(base + (first + count) * page, 8 - first - count),
              first + count == 8 ? -EINVAL : 0);
    EXPECT_EQ(system.mapped_pages(), 0U);
    expect_live(0, 0, 0);
}

TEST_P(RegionTablePart, OfThreeUsersIsCountedByPage) {
    const auto [name, first, count] = GetParam();
    map_for(3);
    EXPECT_EQ(unmap(base + first * page, count), 0);
    EXPECT_EQ(stats.live_shared_bytes, (16 - count) * page);
    EXPECT_EQ(unmap(base + first * page, count), 0);
    EXPECT_EQ(stats.live_shared_bytes, (16 - 2 * count) * page);
    EXPECT_TRUE(all_there());
    EXPECT_EQ(unmap(base + first * page, count), 0);
    EXPECT_EQ(system.mapped_pages(), 8 - count) << "three users, three times";
    EXPECT_EQ(stats.live_shared_bytes, (16 - 2 * count) * page);
}

INSTANTIATE_TEST_SUITE_P(HeadMiddleTail,
                         RegionTablePart,
                         testing::Values(Part{"Head", 0, 3},
                                         Part{"Middle", 2, 3},
                                         Part{"Tail", 5, 3}),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST_F(RegionTableUnmapping, BytesInsideAPageMeanThePage) {
    map_for(2);
    EXPECT_EQ(table.unmap(base, 7 * page + 1), 0);
    expect_live(1, 8, 0);
    EXPECT_EQ(table.unmap(base, 7 * page + 1), 0);
    EXPECT_EQ(system.mapped_pages(), 0U);
}

TEST_F(RegionTableUnmapping, CutsAtManyPlacesKeepTheCounts) {
    map_for(3);
    for (std::size_t i = 0; i < 8; i += 2)
        ASSERT_EQ(unmap(base + i * page, 1), 0);
    EXPECT_TRUE(all_there());
    expect_live(8, 8, 12);
    ASSERT_EQ(unmap(base, 8), 0);
    EXPECT_TRUE(all_there());
    EXPECT_EQ(stats.live_shared_bytes, 4 * page);
    ASSERT_EQ(unmap(base, 8), 0);
    EXPECT_EQ(system.mapped_pages(), 4U) << "the odd ones have a third user";
    for (std::size_t i = 1; i < 8; i += 2)
        ASSERT_EQ(unmap(base + i * page, 1), 0);
    EXPECT_EQ(system.mapped_pages(), 0U);
    expect_live(0, 0, 0);
}

// Three modules with gaps, strangers' pages in the gaps, all in one munmap.
TEST_F(RegionTableUnmapping, AcrossRegionsAndGapsTakesFewCalls) {
    map_for(1);
    const std::uintptr_t second = base + 16 * page;
    const std::uintptr_t third = base + 32 * page;
    const std::uintptr_t fourth = base + 48 * page;
    const int fd2 = system.add_module(second, 8);
    const int fd3 = system.add_module(third, 8);
    const int fd4 = system.add_module(fourth, 8);
    map(fd2, 8, second);
    map(fd3, 8, third);
    map(fd3, 8, third);
    map(fd4, 8, fourth);
    map(anonymous(base + 10 * page, 2));
    map(anonymous(base + 42 * page, 2));
    system.take_calls();
    EXPECT_EQ(unmap(base, 64), 0);
    EXPECT_THAT(system.take_calls(),
                ElementsAre(munmap_call(base, 32), munmap_call(base + 40 * page, 24)));
    EXPECT_TRUE(system.shows(third, 8, fd3));
    EXPECT_EQ(system.mapped_pages(), 8U);
    EXPECT_EQ(stats.unmaps, 3U);
    EXPECT_EQ(stats.releases, 1U);
    expect_live(1, 8, 0);
}

TEST_F(RegionTableUnmapping, BeginningAndEndingInsideSharedRegionsSparesTheOthers) {
    map_for(2);
    const std::uintptr_t second = base + 8 * page;
    const int fd2 = system.add_module(second, 8);
    map(fd2, 8, second);
    map(fd2, 8, second);
    system.take_calls();
    EXPECT_EQ(unmap(base + 4 * page, 8), 0);
    EXPECT_THAT(system.take_calls(), IsEmpty());
    EXPECT_EQ(stats.live_shared_bytes, 8 * page);
    EXPECT_EQ(unmap(base, 16), 0);
    EXPECT_THAT(system.take_calls(), ElementsAre(munmap_call(base + 4 * page, 8)));
    expect_live(0, 0, 0);
}

TEST_F(RegionTableUnmapping, ErrorOfTheSystemPassesThroughAndNothingIsForgotten) {
    map_for(1);
    system.unmap_error = -ENOMEM;
    EXPECT_EQ(unmap(base, 4), -ENOMEM);
    expect_live(1, 8, 0);
    EXPECT_EQ(map(fd, 8), base);
    EXPECT_EQ(stats.shares, 1U);
}

TEST_F(RegionTableUnmapping, WithoutMemoryForTheCutsFailsAndNothingHappens) {
    map_for(2);
    // Fills the table's first storage, so that a cut needs more.
    for (std::size_t i = 1; i < 256; ++i) {
        const std::uintptr_t at = base + i * 16 * page;
        ASSERT_EQ(map(system.add_module(at, 1), 1, at), at);
    }
    system.has_memory = false;
    EXPECT_EQ(unmap(base + page, 1), -ENOMEM);
    EXPECT_EQ(stats.live_shared_bytes, 8 * page);
    system.has_memory = true;
    EXPECT_EQ(unmap(base + page, 1), 0);
    EXPECT_EQ(stats.live_shared_bytes, 7 * page);
}

TEST_F(RegionTableUnmapping, WhatTheKernelWouldRefuseReachesIt) {
    map_for(2);
    EXPECT_EQ(table.unmap(base, 0), -EINVAL);
    EXPECT_EQ(table.unmap(base + 8, page), -EINVAL);
    EXPECT_EQ(table.unmap(base, ~std::size_t{0}), -EINVAL);
    expect_live(1, 8, 8);
}

// A second place of the same file: Lean's answer to "elsewhere" is to unmap that at once.
TEST_F(RegionTableUnmapping, OfAMappingElsewhereLeavesTheRegion) {
    map_for(2);
    const int other = system.add_module(base, 8);
    const std::uintptr_t elsewhere = map(other, 8);
    ASSERT_NE(elsewhere, base);
    EXPECT_EQ(unmap(elsewhere, 8), 0);
    EXPECT_TRUE(all_there());
    EXPECT_EQ(system.mapped_pages(), 8U);
    expect_live(1, 8, 8);
}

} // namespace
} // namespace leanhost::regions::test
