// The modes, where the counters are, and fork.
#include "regions/table_test.hpp"

#include <unistd.h>

#include <cstring>
#include <string>

namespace leanhost::regions::test {
namespace {

using RegionTableOff = TableTest;

TEST_F(RegionTableOff, PassesEverythingOnAndCountsNothing) {
    table.set_mode(LEANHOST_REGIONS_OFF);
    EXPECT_EQ(table.mode(), LEANHOST_REGIONS_OFF);
    const int fd = system.add_module(base, 4);
    EXPECT_EQ(map(fd, 4), base);
    const std::uintptr_t second = map(fd, 4);
    EXPECT_NE(second, base);
    EXPECT_EQ(unmap(second, 4), 0);
    EXPECT_EQ(unmap(base, 4), 0);
    EXPECT_EQ(system.mapped_pages(), 0U);
    EXPECT_EQ(system.take_calls().size(), 4U);
    const LeanhostRegionsStats zeros{};
    EXPECT_EQ(std::memcmp(&stats, &zeros, sizeof stats), 0);
}

TEST_F(TableTest, LogModeShares) {
    table.set_mode(LEANHOST_REGIONS_LOG);
    const int fd = system.add_module(base, 4);
    map(fd, 4);
    EXPECT_EQ(map(fd, 4), base);
    EXPECT_EQ(stats.shares, 1U);
}

TEST_F(TableTest, CountsGoOnInANewPlace) {
    const int fd = system.add_module(base, 4);
    map(fd, 4);
    map(fd, 4);
    LeanhostRegionsStats other{};
    table.count_into(other);
    EXPECT_EQ(other.maps, 1U);
    EXPECT_EQ(other.live_shared_bytes, 4 * page);
    map(fd, 4);
    EXPECT_EQ(other.shares, 2U);
    EXPECT_EQ(stats.shares, 1U) << "no longer written";
}

TEST_F(TableTest, ForkHoldsTheLockAndSignalsUntilBothGoOn) {
    table.before_fork();
    EXPECT_EQ(system.blocked(), 1);
    table.after_fork();
    EXPECT_EQ(system.blocked(), 0);
    EXPECT_EQ(map(system.add_module(base, 1), 1), base) << "the lock is free";
}

TEST_F(TableTest, AForkedChildCountsAnewFromWhatIsLive) {
    const int fd = system.add_module(base, 4);
    for (int user = 0; user < 3; ++user)
        map(fd, 4);
    unmap(base, 4);
    FakeFile plain;
    plain.content.assign(page, 1);
    map(system.add_file(plain), 1);
    ASSERT_EQ(refusals(), 1U);

    LeanhostRegionsStats childs{};
    childs.shares = 77;
    table.before_fork();
    table.after_fork_in_child(childs);
    EXPECT_EQ(system.blocked(), 0);
    EXPECT_EQ(childs.maps, 0U);
    EXPECT_EQ(childs.mapped_bytes, 0U);
    EXPECT_EQ(childs.shares, 0U);
    EXPECT_EQ(childs.shared_bytes, 0U);
    EXPECT_EQ(childs.releases, 0U);
    EXPECT_EQ(childs.unmaps, 0U);
    for (const std::uint64_t count : childs.refused)
        EXPECT_EQ(count, 0U);
    EXPECT_EQ(childs.live_regions, 1U);
    EXPECT_EQ(childs.live_bytes, 4 * page);
    EXPECT_EQ(childs.live_shared_bytes, 4 * page);
    EXPECT_EQ(childs.table_bytes, stats.table_bytes);

    EXPECT_EQ(map(fd, 4), base);
    EXPECT_EQ(childs.shares, 1U);
    EXPECT_EQ(stats.shares, 2U) << "the parent's page is the parent's";
    for (int user = 0; user < 3; ++user)
        EXPECT_EQ(unmap(base, 4), 0);
    EXPECT_EQ(system.page_at(base), nullptr);
    EXPECT_EQ(childs.live_regions, 0U);
}

TEST_F(TableTest, AForkedChildMayCountWhereItsParentDid) {
    map(system.add_module(base, 4), 4);
    table.before_fork();
    table.after_fork_in_child(stats);
    EXPECT_EQ(stats.maps, 0U);
    expect_live(1, 4, 0);
}

// MADV_DONTFORK: the parent's listing says nothing about the child.
TEST_F(TableTest, AForkedChildListsAnew) {
    system.can_query = false;
    const int fd = system.add_module(base, 4);
    map(fd, 4);
    system.time_ms += 2000;
    ASSERT_EQ(map(fd, 4), base);
    system.raw_unmap(base, 4);
    table.before_fork();
    table.after_fork_in_child(stats);
    EXPECT_EQ(map(fd, 4), base);
    EXPECT_TRUE(system.shows(base, 4, fd));
    EXPECT_EQ(stats.maps, 1U);
    expect_live(1, 4, 0);
}

/// Private mode copies to the address itself, so the modules' base is that of real memory.
class RegionTablePrivate : public TableTest {
protected:
    static constexpr std::size_t pages = 4;

    RegionTablePrivate() {
        table.set_mode(LEANHOST_REGIONS_PRIVATE);
        memory_ = ::mmap(nullptr, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                         -1, 0);
        place = reinterpret_cast<std::uintptr_t>(memory_);
        fd = system.add_module(place, pages, pages * page - 100);
        original = system.file(fd).content;
    }
    ~RegionTablePrivate() override { ::munmap(memory_, pages * page); }

    std::uintptr_t map_module(int module) {
        MapRequest request = request_for(module, pages, place);
        request.length = system.file(module).content.size();
        return map(request);
    }
    bool is_a_copy() const {
        for (std::size_t i = 0; i < pages; ++i) {
            const FakePage* const there = system.page_at(place + i * page);
            if (there == nullptr || *there != FakePage{-1, 0, PROT_READ, false})
                return false;
        }
        return std::memcmp(memory_, original.data(), original.size()) == 0;
    }

    int fd = -1;
    std::uintptr_t place = 0;
    std::vector<unsigned char> original;

private:
    void* memory_ = nullptr;
};

TEST_F(RegionTablePrivate, CopiesOnceAndShares) {
    EXPECT_EQ(map_module(fd), place);
    EXPECT_TRUE(is_a_copy());
    EXPECT_EQ(map_module(fd), place);
    EXPECT_EQ(stats.maps, 1U);
    EXPECT_EQ(stats.shares, 1U);
    EXPECT_EQ(unmap(place, pages), 0);
    EXPECT_TRUE(is_a_copy());
    EXPECT_EQ(unmap(place, pages), 0);
    EXPECT_EQ(system.mapped_pages(), 0U);
}

TEST_F(RegionTablePrivate, SurvivesTheFileBeingOverwrittenOrCut) {
    map_module(fd);
    std::fill(system.file(fd).content.begin() + 96, system.file(fd).content.end(),
              static_cast<unsigned char>(0xee));
    ++system.file(fd).identity.mtime_ns;
    EXPECT_TRUE(is_a_copy());
    EXPECT_NE(map_module(fd), place) << "no longer the same file";
    EXPECT_EQ(stats.refused[LEANHOST_REGIONS_OTHER_FILE], 1U);
    system.file(fd).content.resize(1);
    EXPECT_TRUE(is_a_copy());
}

TEST_F(RegionTablePrivate, FallsBackToTheFileWhenItChangesDuringCopying) {
    system.on_read = [&](int changed) { ++system.file(changed).identity.mtime_ns; };
    EXPECT_EQ(map_module(fd), place);
    EXPECT_TRUE(system.shows(place, pages, fd));
    EXPECT_EQ(unmap(place, pages), 0);
    EXPECT_EQ(system.mapped_pages(), 0U);
}

TEST_F(RegionTablePrivate, FallsBackToTheFileWhenItIsCutDuringCopying) {
    system.on_read = [&](int changed) { system.file(changed).content.resize(2 * page); };
    MapRequest request = request_for(fd, pages, place);
    request.length = original.size();
    EXPECT_EQ(map(request), place);
    EXPECT_TRUE(system.shows(place, pages, fd));
}

TEST_F(RegionTablePrivate, FallsBackToTheFileWhenTheCopyCannotBeProtected) {
    system.protect_error = -ENOMEM;
    EXPECT_EQ(map_module(fd), place);
    EXPECT_TRUE(system.shows(place, pages, fd));
}

TEST_F(RegionTablePrivate, OfATakenPlaceIsTheFileElsewhere) {
    system.raw_map(place, 1, {-1, 0, PROT_READ, false});
    const std::uintptr_t at = map_module(fd);
    EXPECT_NE(at, place);
    EXPECT_TRUE(system.shows(at, pages, fd));
    EXPECT_EQ(system.mapped_pages(), pages + 1) << "the try left nothing";
    expect_live(0, 0, 0);
}

TEST_F(RegionTablePrivate, IsVerifiedAsAnonymousMemory) {
    map_module(fd);
    system.raw_map(place, pages, {-1, 0, PROT_READ | PROT_WRITE, false});
    EXPECT_NE(map_module(fd), place);
    EXPECT_EQ(stats.refused[LEANHOST_REGIONS_UNVERIFIED], 1U);
}

// The kernel joins anonymous mappings that touch.
TEST_F(RegionTablePrivate, IsVerifiedInAGreaterAnonymousMapping) {
    map_module(fd);
    system.raw_map(place + pages * page, 1, {-1, 0, PROT_READ, false});
    EXPECT_EQ(map_module(fd), place);
    EXPECT_EQ(stats.shares, 1U);
}

} // namespace
} // namespace leanhost::regions::test
