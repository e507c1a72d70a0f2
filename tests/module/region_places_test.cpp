// Modules whose place in the address space is taken: by anything, by another copy of themselves, by
// parts that another profile has mapped.
#include "module/module_stats.hpp"
#include "module/raw_modules.hpp"
#include "module/region_registry.hpp"
#include "object/expr_equal.hpp"
#include "object/module_data.hpp"
#include "support_modules/corpus.hpp"

#include <gmock/gmock.h>

namespace leanhost::module {
namespace {

using test::ModuleFiles;
using testing::ElementsAre;
using testing::SizeIs;

constexpr std::size_t room_bytes = 0x100000;
constexpr std::uint64_t part_distance = 0x10000; // the parts are smaller than 64 KiB

class Places : public testing::Test {
protected:
    Places()
        : base_(test::free_base_address(room_bytes)),
          files_(test::write_parts(dir_, "M", test::three_parts_with_text("M", base_))) {}

    RegionHandle acquire(std::size_t num_parts) {
        return registry_.acquire(test::open_module(files_, num_parts), Trust::stable);
    }
    void expect_whole(const RegionHandle& region) {
        ASSERT_THAT(region->parts(), SizeIs(3));
        EXPECT_THAT(test::texts(*region, 0), ElementsAre("M0"));
        EXPECT_THAT(test::texts(*region, 1), ElementsAre("M0", "M1"));
        EXPECT_THAT(test::texts(*region, 2), ElementsAre("M0", "M2"));
    }
    void expect_public(const RegionHandle& region) {
        ASSERT_THAT(region->parts(), SizeIs(1));
        EXPECT_EQ(region->parts()[0].kind, PartKind::olean);
        EXPECT_THAT(test::texts(*region), ElementsAre("M0"));
    }
    void expect_nothing_left() {
        const RegistryStats stats = registry_.stats();
        EXPECT_EQ(stats.regions, 0U);
        EXPECT_EQ(stats.mapped_parts, 0U);
        EXPECT_EQ(stats.relocated_bytes, 0U);
    }
    std::uint64_t file_bytes() {
        std::uint64_t sum = 0;
        for (const auto& file : files_)
            sum += std::filesystem::file_size(file);
        return sum;
    }

    test::TempDir dir_;
    std::uint64_t base_;
    ModuleFiles files_;
    RegionRegistry registry_;
};

TEST_F(Places, ThreePartsAreMappedWhereTheyBelong) {
    const RegionHandle region = acquire(3);
    EXPECT_FALSE(region->is_relocated());
    EXPECT_EQ(registry_.stats().mapped_parts, 3U);
    expect_whole(region);
}

TEST_F(Places, ATakenBaseMakesAPrivateCopy) {
    const test::TakenPlace taken(base_, 4096);
    const RegionHandle region = acquire(3);
    EXPECT_TRUE(region->is_relocated());
    expect_whole(region);
    EXPECT_EQ(registry_.stats().relocated_bytes, file_bytes());
    EXPECT_EQ(registry_.stats().mapped_parts, 0U);
    EXPECT_EQ(&*region, &*acquire(3));
}

TEST_F(Places, ATakenPlaceOfALaterPartRelocatesTheWholeModule) {
    for (const std::uint64_t part : {1U, 2U}) {
        const test::TakenPlace taken(base_ + part * part_distance, 4096);
        const RegionHandle region = acquire(3);
        EXPECT_TRUE(region->is_relocated());
        expect_whole(region);
        EXPECT_EQ(registry_.stats().mapped_parts, 0U);
    }
    expect_nothing_left();
}

TEST_F(Places, TwoProfilesShareTheFirstPart) {
    {
        const RegionHandle narrow = acquire(1);
        const RegionHandle wide = acquire(3);
        EXPECT_FALSE(wide->is_relocated());
        EXPECT_EQ(registry_.stats().mapped_parts, 3U);
        EXPECT_EQ(narrow->parts()[0].bytes.data(), wide->parts()[0].bytes.data());
        expect_public(narrow);
        expect_whole(wide);
    }
    expect_nothing_left();
}

TEST_F(Places, TwoProfilesShareTheFirstPartInTheOtherOrderToo) {
    RegionHandle wide = acquire(3);
    const RegionHandle narrow = acquire(1);
    EXPECT_EQ(narrow->parts()[0].bytes.data(), wide->parts()[0].bytes.data());
    EXPECT_EQ(registry_.stats().validated_bytes, file_bytes());
    wide = {};
    EXPECT_EQ(registry_.stats().mapped_parts, 1U);
    expect_public(narrow);
}

TEST_F(Places, AMappedFirstPartStaysWhenTheWholeModuleMustMove) {
    const RegionHandle narrow = acquire(1);
    const test::TakenPlace taken(base_ + part_distance, 4096);
    const RegionHandle wide = acquire(3);
    EXPECT_FALSE(narrow->is_relocated());
    EXPECT_TRUE(wide->is_relocated());
    expect_public(narrow);
    expect_whole(wide);
}

// The region of more parts was once handed out for fewer, so that a session with the public profile
// saw private declarations.
TEST_F(Places, ARelocatedModuleServesFewerPartsWithoutShowingTheOthers) {
    const test::TakenPlace taken(base_, 4096);
    RegionHandle wide = acquire(3);
    const RegionHandle narrow = acquire(1);
    EXPECT_TRUE(narrow->is_relocated());
    EXPECT_EQ(narrow->parts()[0].bytes.data(), wide->parts()[0].bytes.data());
    EXPECT_EQ(registry_.stats().relocated_bytes, file_bytes());
    wide = {};
    expect_public(narrow);
    EXPECT_EQ(registry_.stats().relocated_bytes, file_bytes()); // the copy is one block
    EXPECT_EQ(registry_.stats().regions, 1U);
}

TEST_F(Places, ARelocatedFirstPartDoesNotServeMoreParts) {
    {
        std::optional<test::TakenPlace> taken(std::in_place, base_, 4096);
        const RegionHandle narrow = acquire(1);
        EXPECT_TRUE(narrow->is_relocated());
        const RegionHandle wide = acquire(3);
        EXPECT_TRUE(wide->is_relocated());
        taken.reset();
        const RegionHandle two = acquire(2); // served by the copy of three
        EXPECT_TRUE(two->is_relocated());
        expect_public(narrow);
        expect_whole(wide);
        EXPECT_EQ(registry_.stats().regions, 3U);
        const std::uint64_t first_part = std::filesystem::file_size(files_[0]);
        EXPECT_EQ(registry_.stats().relocated_bytes, file_bytes() + first_part);
    }
    expect_nothing_left();
}

// ---- real modules: two toolchains' copies have the same base address

void expect_same_terms(const Region& a, const Region& b, std::size_t part) {
    const object::ModuleDataRef left(a.root(part));
    const object::ModuleDataRef right(b.root(part));
    ASSERT_EQ(left.constants().size(), right.constants().size());
    for (std::size_t i = 0; i < left.constants().size(); ++i) {
        const auto c = left.constant(i);
        const auto d = right.constant(i);
        EXPECT_NE(c.object(), d.object());
        EXPECT_TRUE(c.name() == d.name());
        EXPECT_TRUE(is_same_term(c.type(), d.type())) << c.name().to_string();
        EXPECT_TRUE(!c.has_value() || is_same_term(c.value(), d.value())) << c.name().to_string();
    }
}

void expect_same_stats(const Region& a, const Region& b, std::size_t part) {
    const ModuleStats left = module_stats_of(a, part);
    const ModuleStats right = module_stats_of(b, part);
    for (const auto columns : {stats_columns(), stats_extra_columns()}) {
        for (const StatsColumn& column : columns) {
            if (column.name == "file" || column.name == "baseIsModule")
                continue; // of the path
            EXPECT_EQ(column.value(left), column.value(right)) << column.name;
        }
    }
}

TEST(TwoToolchains, CopiesOfAModuleLieSideBySide) {
    const test::TempDir dir;
    RegionRegistry registry;
    for (const auto& files : test::find_modules(test::corpus(test::batteries))) {
        ModuleFiles copies;
        for (const auto& file : files) {
            copies.push_back(dir.path() / file.filename());
            std::filesystem::copy_file(file, copies.back());
        }
        const RegionHandle first = registry.acquire(test::open_module(files), Trust::stable);
        const RegionHandle second = registry.acquire(test::open_module(copies), Trust::stable);
        EXPECT_NE(&*first, &*second);
        EXPECT_TRUE(second->is_relocated());
        for (std::size_t part = 0; part < files.size(); ++part) {
            expect_same_terms(*first, *second, part);
            expect_same_stats(*first, *second, part);
        }
    }
}

TEST(TwoToolchains, RelocationKeepsBigNumbers) {
    const ModuleFiles files = {test::corpus(test::v2_library) / "zkEVM/EVMDiv.olean"};
    RegionRegistry registry;
    RegionRegistry other;
    const RegionHandle first = registry.acquire(test::open_module(files), Trust::stable);
    const RegionHandle second = other.acquire(test::open_module(files), Trust::stable);
    EXPECT_TRUE(second->is_relocated());
    EXPECT_GT(module_stats_of(*second, 0).objects.big_numbers, 0U);
    expect_same_terms(*first, *second, 0);
    expect_same_stats(*first, *second, 0);
}

} // namespace
} // namespace leanhost::module
