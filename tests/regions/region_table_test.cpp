// What is shared, and every reason not to share.
#include "regions/table_test.hpp"

#include <cstring>
#include <string>

namespace leanhost::regions::test {
namespace {

using RegionTableSharing = TableTest;

TEST_F(RegionTableSharing, SecondMapOfAModuleGetsTheMappingThatIsThere) {
    const int fd = system.add_module(base, 4);
    ASSERT_EQ(map(fd, 4), base);
    system.take_calls();
    EXPECT_EQ(map(fd, 4), base);
    EXPECT_EQ(map(fd, 4), base);
    EXPECT_THAT(system.take_calls(), testing::IsEmpty());
    EXPECT_TRUE(system.shows(base, 4, fd));
    EXPECT_EQ(stats.maps, 1U);
    EXPECT_EQ(stats.mapped_bytes, 4 * page);
    EXPECT_EQ(stats.shares, 2U);
    EXPECT_EQ(stats.shared_bytes, 8 * page);
    EXPECT_EQ(refusals(), 0U);
    EXPECT_GT(stats.table_bytes, 0U);
    expect_live(1, 4, 8);
}

TEST_F(RegionTableSharing, FirstMapReachesTheSystemAsItCame) {
    const int fd = system.add_module(base, 4);
    const MapRequest request{.address = base,
                             .length = 4 * page - 100,
                             .protection = PROT_READ,
                             .flags = MAP_PRIVATE | MAP_POPULATE | MAP_NORESERVE,
                             .fd = fd};
    EXPECT_EQ(map(request), base);
    const auto through_table = system.take_calls();
    system.map(request);
    EXPECT_EQ(through_table, system.take_calls());
}

TEST_F(RegionTableSharing, ASecondDescriptorOfTheSameFileWillDo) {
    const int fd = system.add_module(base, 4);
    const int again = system.add_file(system.file(fd));
    map(fd, 4);
    EXPECT_EQ(map(again, 4), base);
    EXPECT_EQ(stats.shares, 1U);
}

TEST_F(RegionTableSharing, LengthsThatEndInTheSamePageAreTheSame) {
    const int fd = system.add_module(base, 4, 3 * page + 8);
    MapRequest request = request_for(fd, 4);
    request.length = 3 * page + 8;
    ASSERT_EQ(map(request), base);
    EXPECT_EQ(map(fd, 4), base);
    EXPECT_EQ(stats.shares, 1U);
}

TEST_F(RegionTableSharing, GoesBackToTheSystemWithTheLastUser) {
    const int fd = system.add_module(base, 4);
    for (int user = 0; user < 3; ++user)
        map(fd, 4);
    system.take_calls();
    EXPECT_EQ(unmap(base, 4), 0);
    EXPECT_EQ(unmap(base, 4), 0);
    EXPECT_THAT(system.take_calls(), testing::IsEmpty());
    EXPECT_TRUE(system.shows(base, 4, fd));
    EXPECT_EQ(stats.releases, 2U);
    expect_live(1, 4, 0);
    EXPECT_EQ(unmap(base, 4), 0);
    EXPECT_EQ(system.mapped_pages(), 0U);
    EXPECT_EQ(stats.unmaps, 1U);
    expect_live(0, 0, 0);
    EXPECT_EQ(map(fd, 4), base) << "and it may come again";
    EXPECT_EQ(stats.maps, 2U);
}

TEST_F(RegionTableSharing, ManyModulesAreKeptApart) {
    constexpr std::size_t count = 2000;
    std::vector<int> fds;
    for (std::size_t i = 0; i < count; ++i) {
        fds.push_back(system.add_module(base + i * 3 * page, 2));
        ASSERT_EQ(map(fds[i], 2, base + i * 3 * page), base + i * 3 * page);
    }
    for (std::size_t i = 0; i < count; ++i)
        ASSERT_EQ(map(fds[i], 2, base + i * 3 * page), base + i * 3 * page);
    EXPECT_EQ(stats.shares, count);
    expect_live(count, 2 * count, 2 * count);
    for (std::size_t i = 0; i < 2 * count; ++i)
        ASSERT_EQ(unmap(base + i % count * 3 * page, 2), 0);
    EXPECT_EQ(system.mapped_pages(), 0U);
    expect_live(0, 0, 0);
}

TEST_F(RegionTableSharing, TheTableGivesItsMemoryBack) {
    {
        RegionTable<FakeSystem> other(system, *filter);
        other.set_mode(LEANHOST_REGIONS_ON);
        const int fd = system.add_module(base, 1);
        EXPECT_EQ(other.map(request_for(fd, 1)), static_cast<std::intptr_t>(base));
        EXPECT_GT(system.storage_bytes(), 0U);
    }
    EXPECT_EQ(system.storage_bytes(), 0U);
}

// A file system whose mappings show another device than fstat does: the path tells.
TEST_F(RegionTableSharing, SamePathWillDoWhereMappingsShowAnotherDevice) {
    const int fd = system.add_module(base, 4);
    system.file(fd).mapped_device = 99;
    map(fd, 4);
    EXPECT_EQ(map(fd, 4), base);
    EXPECT_EQ(stats.shares, 1U);
}

TEST_F(RegionTableSharing, OldKernelsListingWillDo) {
    system.can_query = false;
    const int fd = system.add_module(base, 4);
    map(fd, 4);
    system.time_ms += 2000;
    EXPECT_EQ(map(fd, 4), base);
    EXPECT_EQ(map(fd, 4), base);
    EXPECT_EQ(stats.shares, 2U);
    EXPECT_EQ(system.listings(), 1) << "one serves for a second";
}

/// Every reason not to share. The second mapping must then be the system's own, at another place.
class RegionTableRefusing : public TableTest {
protected:
    RegionTableRefusing() {
        fd = system.add_module(base, 4);
        EXPECT_EQ(map(fd, 4), base);
    }

    void expect_refused(LeanhostRegionsRefusal reason, const MapRequest& request) {
        const std::uint64_t before = stats.refused[reason];
        const std::uint64_t all_before = refusals();
        system.take_calls();
        const std::uintptr_t at = map(request);
        EXPECT_NE(at, base);
        EXPECT_THAT(system.take_calls(), testing::SizeIs(1)) << "not asked of the system";
        ASSERT_NE(system.page_at(at), nullptr);
        EXPECT_EQ(system.page_at(at)->file, request.fd);
        EXPECT_EQ(stats.refused[reason], before + 1);
        EXPECT_EQ(refusals(), all_before + 1);
        EXPECT_EQ(stats.shares, 0U);
        EXPECT_EQ(stats.live_shared_bytes, 0U);
    }
    // One that the table has no word for: it does not look like Lean's.
    void expect_not_looked_at(const MapRequest& request) {
        const LeanhostRegionsStats before = stats;
        system.take_calls();
        const std::intptr_t through_table = table.map(request);
        EXPECT_NE(through_table, static_cast<std::intptr_t>(base));
        const auto calls = system.take_calls();
        system.map(request);
        EXPECT_EQ(calls, system.take_calls()) << "not as it came";
        EXPECT_EQ(std::memcmp(&before, &stats, sizeof stats), 0) << "counted";
    }

    int fd = -1;
};

TEST_F(RegionTableRefusing, NothingWhenAllIsAsItShouldBe) {
    EXPECT_EQ(map(fd, 4), base);
    EXPECT_EQ(stats.shares, 1U);
}

struct OtherField {
    const char* name;
    void (*change)(FileIdentity&);
};
class RegionTableOtherFile : public RegionTableRefusing,
                             public ::testing::WithParamInterface<OtherField> {};

TEST_P(RegionTableOtherFile, IsNotShared) {
    FakeFile other = system.file(fd);
    const std::uint64_t size = other.identity.size;
    const int again = system.add_file(std::move(other));
    GetParam().change(system.file(again).identity);
    ASSERT_TRUE(system.file(again).identity.size == size || std::string("Size") == GetParam().name);
    expect_refused(LEANHOST_REGIONS_OTHER_FILE, request_for(again, 4));
}
INSTANTIATE_TEST_SUITE_P(
    EachField,
    RegionTableOtherFile,
    testing::Values(OtherField{"Device", [](FileIdentity& id) { ++id.device; }},
                    OtherField{"Inode", [](FileIdentity& id) { ++id.inode; }},
                    OtherField{"Size", [](FileIdentity& id) { ++id.size; }},
                    OtherField{"MtimeSeconds", [](FileIdentity& id) { ++id.mtime_s; }},
                    OtherField{"MtimeNanoseconds", [](FileIdentity& id) { ++id.mtime_ns; }},
                    OtherField{"CtimeSeconds", [](FileIdentity& id) { ++id.ctime_s; }},
                    OtherField{"CtimeNanoseconds", [](FileIdentity& id) { ++id.ctime_ns; }}),
    [](const auto& instance) { return std::string(instance.param.name); });

TEST_F(RegionTableRefusing, RegionThatBeginsElsewhere) {
    const int below = system.add_module(base - page, 2);
    EXPECT_NE(map(below, 2, base - page), base - page);
    const int inside = system.add_module(base + page, 2);
    EXPECT_NE(map(inside, 2, base + page), base + page);
    EXPECT_EQ(stats.refused[LEANHOST_REGIONS_OTHER_FILE], 2U);
    EXPECT_EQ(stats.shares, 0U);
}

TEST_F(RegionTableRefusing, OtherLength) {
    expect_refused(LEANHOST_REGIONS_OTHER_LENGTH, request_for(fd, 3));
    expect_refused(LEANHOST_REGIONS_OTHER_LENGTH, request_for(fd, 5));
}

// What its user may write to has one user: newer Lean asks for some modules so.
TEST_F(RegionTableRefusing, OtherProtection) {
    for (const int protection : {PROT_NONE, PROT_READ | PROT_WRITE, PROT_READ | PROT_EXEC}) {
        MapRequest request = request_for(fd, 4);
        request.protection = protection;
        expect_refused(LEANHOST_REGIONS_WRITABLE, request);
    }
}

TEST_F(RegionTableRefusing, OtherFlags) {
    MapRequest request = request_for(fd, 4);
    request.flags = MAP_PRIVATE | MAP_LOCKED;
    expect_refused(LEANHOST_REGIONS_WRITABLE, request);
    request.flags = MAP_SHARED;
    expect_not_looked_at(request);
    request = anonymous(base, 4);
    request.protection = PROT_READ;
    expect_not_looked_at(request);
}

TEST_F(RegionTableRefusing, FixedAddressThatIsTaken) {
    MapRequest request = request_for(fd, 4);
    request.flags = MAP_PRIVATE | MAP_FIXED_NOREPLACE;
    EXPECT_EQ(table.map(request), -EEXIST);
    EXPECT_EQ(stats.refused[LEANHOST_REGIONS_WRITABLE], 1U);
    expect_live(1, 4, 0);
}

TEST_F(RegionTableRefusing, OtherOffset) {
    MapRequest request = request_for(fd, 4);
    request.offset = page;
    expect_not_looked_at(request);
}

TEST_F(RegionTableRefusing, NoAddressOrOneInsideAPage) {
    expect_not_looked_at(request_for(fd, 4, 0));
    expect_not_looked_at(request_for(fd, 4, base + 16));
}

TEST_F(RegionTableRefusing, NoDescriptorOrNoLength) {
    expect_not_looked_at(request_for(-1, 4));
    expect_not_looked_at(request_for(fd, 0));
}

TEST_F(RegionTableRefusing, HeaderOfNoModule) {
    system.file(fd).content[0] = 'O';
    expect_refused(LEANHOST_REGIONS_NOT_A_MODULE, request_for(fd, 4));
}

TEST_F(RegionTableRefusing, HeaderOfAnotherBase) {
    const int other = system.add_module(base + 0x10000, 4);
    expect_refused(LEANHOST_REGIONS_NOT_A_MODULE, request_for(other, 4));
}

TEST_F(RegionTableRefusing, FileThatIsTooShortForAHeader) {
    system.file(fd).content.resize(4);
    expect_refused(LEANHOST_REGIONS_NOT_A_MODULE, request_for(fd, 4));
    system.file(fd).content.clear();
    expect_refused(LEANHOST_REGIONS_NOT_A_MODULE, request_for(fd, 4));
}

TEST_F(RegionTableRefusing, NoRegularFile) {
    system.file(fd).is_regular = false;
    expect_refused(LEANHOST_REGIONS_NOT_A_MODULE, request_for(fd, 4));
}

TEST_F(RegionTableRefusing, DescriptorThatIsNotOpen) {
    EXPECT_EQ(table.map(request_for(77, 4)), -EBADF);
    EXPECT_EQ(stats.refused[LEANHOST_REGIONS_NOT_A_MODULE], 1U);
    expect_live(1, 4, 0);
}

TEST_F(RegionTableRefusing, RegionMadeWritableSinceWithSeveralUsers) {
    map(fd, 4);
    ASSERT_EQ(table.protect(base, page, PROT_READ | PROT_WRITE), 0);
    ASSERT_EQ(table.protect(base, page, PROT_READ), 0);
    EXPECT_NE(map(fd, 4), base);
    EXPECT_EQ(stats.refused[LEANHOST_REGIONS_ALTERED], 1U);
    EXPECT_EQ(stats.shares, 1U);
}

TEST_F(RegionTableRefusing, RegionPartlyUnmappedByOneOfSeveralUsers) {
    map(fd, 4);
    map(fd, 4);
    unmap(base + 2 * page, 1);
    EXPECT_NE(map(fd, 4), base);
    EXPECT_EQ(stats.refused[LEANHOST_REGIONS_ALTERED], 1U);
    EXPECT_EQ(stats.shares, 2U);
}

TEST_F(RegionTableRefusing, RegionThatTheKernelNoLongerShows) {
    system.raw_unmap(base, 4);
    system.raw_map(base, 4, {-1, 0, PROT_READ, false});
    expect_refused(LEANHOST_REGIONS_UNVERIFIED, request_for(fd, 4));
}

TEST_F(RegionTableRefusing, RegionWithAHoleMadeUnseen) {
    system.raw_unmap(base + page, 1);
    expect_refused(LEANHOST_REGIONS_UNVERIFIED, request_for(fd, 4));
}

TEST_F(RegionTableRefusing, RegionMadeWritableUnseen) {
    system.raw_protect(base, 4, PROT_READ | PROT_WRITE);
    expect_refused(LEANHOST_REGIONS_UNVERIFIED, request_for(fd, 4));
}

TEST_F(RegionTableRefusing, RegionOverlaidBySharedPagesUnseen) {
    system.raw_map(base, 4, {fd, 0, PROT_READ, true});
    expect_refused(LEANHOST_REGIONS_UNVERIFIED, request_for(fd, 4));
}

TEST_F(RegionTableRefusing, RegionThatShowsTheFilesLaterPages) {
    system.raw_map(base, 4, {fd, page, PROT_READ, false});
    expect_refused(LEANHOST_REGIONS_UNVERIFIED, request_for(fd, 4));
}

TEST_F(RegionTableRefusing, RegionOfAnotherFileAtTheSamePlaceUnseen) {
    const int other = system.add_module(base, 4);
    system.raw_map(base, 4, {other, 0, PROT_READ, false});
    expect_refused(LEANHOST_REGIONS_UNVERIFIED, request_for(fd, 4));
}

TEST_F(RegionTableRefusing, RegionLackingInTheListing) {
    system.can_query = false;
    system.time_ms += 2000;
    system.raw_unmap(base, 4);
    system.raw_map(base, 4, {-1, 0, PROT_READ, false});
    expect_refused(LEANHOST_REGIONS_UNVERIFIED, request_for(fd, 4));
}

TEST_F(RegionTableRefusing, EverythingWithoutQueryAndListing) {
    system.can_query = false;
    system.can_list = false;
    system.time_ms += 2000;
    expect_refused(LEANHOST_REGIONS_UNVERIFIED, request_for(fd, 4));
}

TEST_F(RegionTableRefusing, OtherDeviceWithoutAPath) {
    system.file(fd).mapped_device = 99;
    system.file(fd).path = 0;
    expect_refused(LEANHOST_REGIONS_UNVERIFIED, request_for(fd, 4));
}

TEST_F(RegionTableRefusing, PlaceThatAStrangerHas) {
    constexpr std::uintptr_t other_base = base + 0x100000;
    const int other = system.add_module(other_base, 4);
    system.raw_map(other_base + page, 1, {-1, 0, PROT_READ, false});
    EXPECT_NE(map(other, 4, other_base), other_base);
    EXPECT_EQ(stats.refused[LEANHOST_REGIONS_ADDRESS_TAKEN], 1U);
    expect_live(1, 4, 0);
    EXPECT_NE(map(other, 4, other_base), other_base) << "nor is the mapping elsewhere remembered";
    EXPECT_EQ(stats.refused[LEANHOST_REGIONS_ADDRESS_TAKEN], 2U);
}

// As the newest Lean asks.
TEST_F(RegionTableRefusing, WritableModuleAtAFreePlaceIsNotRemembered) {
    constexpr std::uintptr_t other_base = base + 0x100000;
    MapRequest request = request_for(system.add_module(other_base, 4), 4, other_base);
    request.protection = PROT_READ | PROT_WRITE;
    request.flags = MAP_PRIVATE | MAP_FIXED_NOREPLACE;
    EXPECT_EQ(map(request), other_base);
    EXPECT_EQ(stats.refused[LEANHOST_REGIONS_WRITABLE], 1U);
    expect_live(1, 4, 0);
    EXPECT_EQ(table.map(request), -EEXIST);
    EXPECT_EQ(unmap(other_base, 4), 0);
    EXPECT_EQ(system.page_at(other_base), nullptr);
}

TEST_F(TableTest, WithoutMemoryMapsUnremembered) {
    system.has_memory = false;
    const int fd = system.add_module(base, 4);
    EXPECT_EQ(map(fd, 4), base);
    EXPECT_EQ(stats.refused[LEANHOST_REGIONS_NO_MEMORY], 1U);
    expect_live(0, 0, 0);
    system.has_memory = true;
    EXPECT_NE(map(fd, 4), base);
    EXPECT_EQ(stats.refused[LEANHOST_REGIONS_ADDRESS_TAKEN], 1U);
    EXPECT_EQ(unmap(base, 4), 0);
    EXPECT_EQ(system.page_at(base), nullptr);
}

} // namespace
} // namespace leanhost::regions::test
