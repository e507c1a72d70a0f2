// MAP_FIXED, mprotect and mremap on regions; changes that the table does not see; calls that are
// none of its business.
#include "regions/table_test.hpp"

namespace leanhost::regions::test {
namespace {

using testing::IsEmpty;

class RegionTableOtherCalls : public TableTest {
protected:
    void map_for(int users) {
        for (int user = 0; user < users; ++user)
            ASSERT_EQ(map(fd, 4), base);
        system.take_calls();
    }
    std::intptr_t remap(std::size_t pages,
                        std::size_t new_pages,
                        int flags = MREMAP_MAYMOVE,
                        std::uintptr_t new_address = 0) {
        return table.remap(base, pages * page, new_pages * page, flags, new_address);
    }

    const int fd = system.add_module(base, 4);
};

TEST_F(RegionTableOtherCalls, MapFixedOverARegionOfOneUserForgetsIt) {
    map_for(1);
    EXPECT_EQ(map(anonymous(base + page, 1, MAP_FIXED)), base + page);
    expect_live(0, 0, 0);
    EXPECT_NE(map(fd, 4), base);
    EXPECT_EQ(unmap(base, 4), 0);
    EXPECT_EQ(system.page_at(base), nullptr);
    EXPECT_EQ(map(fd, 4), base);
}

TEST_F(RegionTableOtherCalls, MapFixedOverARegionOfSeveralKeepsTheirCount) {
    map_for(3);
    EXPECT_EQ(map(anonymous(base, 4, MAP_FIXED)), base);
    EXPECT_NE(map(fd, 4), base);
    EXPECT_EQ(stats.refused[LEANHOST_REGIONS_ALTERED], 1U);
    expect_live(1, 4, 8);
    EXPECT_EQ(unmap(base, 4), 0);
    EXPECT_EQ(unmap(base, 4), 0);
    EXPECT_NE(system.page_at(base), nullptr) << "still somebody's";
    EXPECT_EQ(unmap(base, 4), 0);
    EXPECT_EQ(system.page_at(base), nullptr);
    expect_live(0, 0, 0);
}

TEST_F(RegionTableOtherCalls, MapFixedThatFailsChangesNothing) {
    map_for(2);
    MapRequest request = request_for(77, 4);
    request.flags |= MAP_FIXED;
    EXPECT_EQ(table.map(request), -EBADF);
    EXPECT_EQ(map(fd, 4), base);
    expect_live(1, 4, 8);
}

// Twice: with the place given to a mapping that asked for none, and to one that asked for it.
TEST_F(RegionTableOtherCalls, RegionUnmappedUnseenIsForgottenWhenItsPlaceIsGivenAway) {
    for (const std::uintptr_t hint : {std::uintptr_t{0}, base}) {
        ASSERT_EQ(map(fd, 4), base);
        ASSERT_EQ(map(fd, 4), base);
        system.raw_unmap(base, 4);
        system.elsewhere = base;
        ASSERT_EQ(map(anonymous(hint, 4)), base);
        expect_live(0, 0, 0);
        ASSERT_EQ(unmap(base, 4), 0);
        EXPECT_EQ(system.page_at(base), nullptr) << "the anonymous mapping had one user";
    }
}

TEST_F(RegionTableOtherCalls, RegionUnmappedUnseenIsMappedAnew) {
    map_for(3);
    system.raw_unmap(base, 4);
    EXPECT_EQ(map(fd, 4), base);
    EXPECT_TRUE(system.shows(base, 4, fd));
    expect_live(1, 4, 0);
    EXPECT_EQ(stats.maps, 2U);
    EXPECT_EQ(stats.unmaps, 1U);
    EXPECT_EQ(unmap(base, 4), 0);
    EXPECT_EQ(system.mapped_pages(), 0U);
}

TEST_F(RegionTableOtherCalls, AnotherModuleAtThePlaceOfOneUnmappedUnseen) {
    map_for(2);
    system.raw_unmap(base, 4);
    const int rebuilt = system.add_module(base, 6);
    EXPECT_EQ(map(rebuilt, 6), base);
    EXPECT_EQ(map(rebuilt, 6), base);
    expect_live(1, 6, 6);
    EXPECT_EQ(stats.shares, 2U);
}

TEST_F(RegionTableOtherCalls, AFileThatIsNoModuleAtThePlaceOfOneUnmappedUnseen) {
    map_for(2);
    system.raw_unmap(base, 4);
    FakeFile plain;
    plain.content.assign(4 * page, 7);
    EXPECT_EQ(map(system.add_file(plain), 4), base);
    expect_live(0, 0, 0);
    EXPECT_EQ(unmap(base, 4), 0);
    EXPECT_EQ(system.mapped_pages(), 0U);
}

TEST_F(RegionTableOtherCalls, MprotectToWritableForgetsARegionOfOneUser) {
    map_for(1);
    EXPECT_EQ(table.protect(base, page, PROT_READ | PROT_WRITE), 0);
    EXPECT_EQ(system.page_at(base)->protection, PROT_READ | PROT_WRITE);
    expect_live(0, 0, 0);
    EXPECT_NE(map(fd, 4), base);
}

TEST_F(RegionTableOtherCalls, MprotectToWritableKeepsTheCountOfSeveralUsers) {
    map_for(2);
    EXPECT_EQ(table.protect(base + page, page, PROT_READ | PROT_WRITE), 0);
    EXPECT_NE(map(fd, 4), base);
    EXPECT_EQ(stats.refused[LEANHOST_REGIONS_ALTERED], 1U);
    EXPECT_EQ(unmap(base, 4), 0);
    EXPECT_NE(system.page_at(base), nullptr);
    expect_live(0, 0, 0);
    EXPECT_EQ(unmap(base, 4), 0);
    EXPECT_EQ(system.page_at(base), nullptr);
}

TEST_F(RegionTableOtherCalls, MprotectToReadOnlyChangesNothing) {
    map_for(1);
    EXPECT_EQ(table.protect(base, 4 * page, PROT_READ), 0);
    EXPECT_EQ(map(fd, 4), base);
    EXPECT_EQ(stats.shares, 1U);
}

TEST_F(RegionTableOtherCalls, MprotectsErrorPassesThrough) {
    map_for(1);
    system.protect_error = -EACCES;
    EXPECT_EQ(table.protect(base, page, PROT_WRITE), -EACCES);
}

TEST_F(RegionTableOtherCalls, MremapOfOneUserIsTheSystems) {
    map_for(1);
    EXPECT_EQ(remap(4, 2), static_cast<std::intptr_t>(base));
    expect_live(0, 0, 0);
    EXPECT_EQ(system.mapped_pages(), 2U);
    EXPECT_EQ(unmap(base, 2), 0);

    map_for(1);
    EXPECT_EQ(remap(4, 6), static_cast<std::intptr_t>(base));
    expect_live(0, 0, 0);
    EXPECT_EQ(system.mapped_pages(), 6U);
    EXPECT_EQ(unmap(base, 6), 0);

    map_for(1);
    constexpr std::uintptr_t target = base + 64 * page;
    EXPECT_EQ(remap(4, 4, MREMAP_MAYMOVE | MREMAP_FIXED, target),
              static_cast<std::intptr_t>(target));
    expect_live(0, 0, 0);
    EXPECT_TRUE(system.shows(target, 4, fd));
    EXPECT_EQ(map(fd, 4), base) << "its place is free";
}

TEST_F(RegionTableOtherCalls, MremapOfSeveralUsersOnlyShrinks) {
    map_for(2);
    EXPECT_EQ(remap(4, 6), -ENOMEM);
    EXPECT_EQ(remap(4, 4, MREMAP_MAYMOVE | MREMAP_FIXED, base + 64 * page), -ENOMEM);
    EXPECT_EQ(stats.refused[LEANHOST_REGIONS_NOT_MOVED], 2U);
    EXPECT_EQ(remap(4, 4), static_cast<std::intptr_t>(base));
    expect_live(1, 4, 4);
    EXPECT_EQ(remap(4, 1), static_cast<std::intptr_t>(base));
    EXPECT_THAT(system.take_calls(), IsEmpty());
    EXPECT_TRUE(system.shows(base, 4, fd));
    EXPECT_EQ(stats.live_shared_bytes, page);
    EXPECT_EQ(unmap(base, 4), 0) << "the one who did not shrink";
    EXPECT_EQ(system.mapped_pages(), 1U);
    EXPECT_EQ(unmap(base, 1), 0) << "the one who did";
    EXPECT_EQ(system.mapped_pages(), 0U);
    expect_live(0, 0, 0);
}

TEST_F(RegionTableOtherCalls, MremapOntoARegionKeepsItsCount) {
    const std::uintptr_t from = map(anonymous(base + 64 * page, 4));
    map_for(2);
    EXPECT_EQ(table.remap(from, 4 * page, 4 * page, MREMAP_MAYMOVE | MREMAP_FIXED, base),
              static_cast<std::intptr_t>(base));
    EXPECT_NE(map(fd, 4), base);
    EXPECT_EQ(stats.refused[LEANHOST_REGIONS_ALTERED], 1U);
    EXPECT_EQ(unmap(base, 4), 0);
    EXPECT_NE(system.page_at(base), nullptr);
    EXPECT_EQ(unmap(base, 4), 0);
    EXPECT_EQ(system.page_at(base), nullptr);
}

TEST_F(RegionTableOtherCalls, MremapOntoARegionOfOneUserForgetsIt) {
    const std::uintptr_t from = map(anonymous(base + 64 * page, 4));
    map_for(1);
    EXPECT_EQ(table.remap(from, 4 * page, 4 * page, MREMAP_MAYMOVE | MREMAP_FIXED, base),
              static_cast<std::intptr_t>(base));
    expect_live(0, 0, 0);
}

/// Calls far from any region, and near one, but not on it: the same to the system, and back.
class RegionTableUnrelated : public RegionTableOtherCalls,
                             public testing::WithParamInterface<std::uintptr_t> {
protected:
    template <class Call>
    void expect_the_same(const Call& call) {
        system.take_calls();
        const auto through_table = call(table);
        const auto calls = system.take_calls();
        ASSERT_EQ(calls.size(), 1U);
        const auto plain = call(system);
        EXPECT_EQ(system.take_calls(), calls);
        EXPECT_EQ(through_table, plain);
    }
};

TEST_P(RegionTableUnrelated, CallReachesTheSystemAsItCame) {
    map_for(2);
    const std::uintptr_t at = GetParam();
    expect_the_same([&](auto& to) { return to.map(anonymous(at, 3, MAP_FIXED)); });
    expect_the_same([&](auto& to) {
        const MapRequest request = anonymous(at, 3, MAP_FIXED_NOREPLACE);
        return to.map(request);
    });
    expect_the_same([&](auto& to) { return to.protect(at, 2 * page, PROT_READ); });
    expect_the_same([&](auto& to) { return to.protect(at, 2 * page, PROT_NONE); });
    expect_the_same([&](auto& to) { return to.protect(at + 1, page, PROT_NONE); });
    expect_the_same([&](auto& to) { return to.protect(at, 8 * page, PROT_READ); });
    expect_the_same([&](auto& to) { return to.remap(at, 2 * page, 2 * page, 0, 0); });
    expect_the_same([&](auto& to) { return to.remap(at, 2 * page, 0, 0, 0); });
    expect_the_same([&](auto& to) { return to.unmap(at, 2 * page); });
    expect_the_same([&](auto& to) { return to.unmap(at, 2 * page); });
    expect_the_same([&](auto& to) { return to.unmap(at, 0); });
    expect_the_same([&](auto& to) { return to.unmap(at + 1, page); });
    expect_live(1, 4, 4);
    EXPECT_EQ(refusals(), 0U);
}
INSTANTIATE_TEST_SUITE_P(FarAndNear,
                         RegionTableUnrelated,
                         testing::Values(0x400000000000, 0x123400000000 + 8 * page));

TEST_F(RegionTableOtherCalls, AddressesBeyondTheAddressSpaceAreTheSystemsBusiness) {
    map_for(2);
    constexpr std::uintptr_t beyond = ~std::uintptr_t{0} - 2 * page + 1;
    EXPECT_EQ(table.unmap(beyond, page), -EINVAL);
    EXPECT_EQ(table.unmap(beyond, 2 * page), -EINVAL);
    EXPECT_EQ(table.unmap(std::uintptr_t{1} << 60, page), -EINVAL);
    expect_live(1, 4, 4);
}

} // namespace
} // namespace leanhost::regions::test
