// One mapping for each module that anybody uses, and none for those that nobody does.
#include "module/raw_modules.hpp"
#include "module/region_registry.hpp"
#include "support_modules/corpus.hpp"
#include "support_modules/mapped_files.hpp"

#include <gmock/gmock.h>

namespace leanhost::module {
namespace {

using test::ModuleFiles;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::size_t room_bytes = 0x100000;

class Registry : public testing::Test {
protected:
    ModuleFiles write(std::string_view name) {
        return test::write_part(dir_, name,
                                test::module_with_text(name, test::free_base_address(room_bytes)));
    }
    RegionHandle acquire(const ModuleFiles& files) {
        return registry_.acquire(test::open_module(files), Trust::stable);
    }
    std::size_t num_mapped() { return test::mapped_files(dir_.path()).size(); }

    test::TempDir dir_;
    RegionRegistry registry_;
};

TEST_F(Registry, MapsAModuleAtItsBaseAddress) {
    const ModuleFiles files = write("M");
    const RegionHandle region = acquire(files);
    EXPECT_FALSE(region->is_relocated());
    EXPECT_THAT(test::mapped_files(dir_.path()), ElementsAre(std::filesystem::canonical(files[0])));
    const Region::Part& part = region->parts()[0];
    EXPECT_EQ(reinterpret_cast<std::uint64_t>(part.bytes.data()), part.header.base_address);
    EXPECT_THAT(test::texts(*region), ElementsAre("M"));
    const RegistryStats stats = registry_.stats();
    EXPECT_EQ(stats.mapped_bytes, std::filesystem::file_size(files[0]));
    EXPECT_EQ(stats.relocated_bytes, 0U);
}

TEST_F(Registry, SharesAModuleByTheIdentityOfItsFile) {
    const ModuleFiles files = write("M");
    std::filesystem::create_hard_link(files[0], dir_.path() / "Other.olean");
    const RegionHandle first = acquire(files);
    const RegionHandle second = acquire(files);
    const RegionHandle third = acquire({dir_.path() / "Other.olean"});
    EXPECT_EQ(&*first, &*second);
    EXPECT_EQ(&*first, &*third);
    EXPECT_EQ(num_mapped(), 1U);
    const RegistryStats stats = registry_.stats();
    EXPECT_EQ(stats.regions, 1U);
    EXPECT_EQ(stats.mapped_parts, 1U);
    EXPECT_EQ(stats.acquired, 3U);
    EXPECT_EQ(stats.shared, 2U);
    EXPECT_EQ(stats.validated_bytes, std::filesystem::file_size(files[0]));
}

TEST_F(Registry, UnmapsWithTheLastHandle) {
    const ModuleFiles files = write("M");
    RegionHandle first = acquire(files);
    RegionHandle copy = first;
    first = {};
    EXPECT_EQ(num_mapped(), 1U);
    EXPECT_THAT(test::texts(*copy), ElementsAre("M"));
    RegionHandle moved = std::move(copy);
    EXPECT_FALSE(copy); // NOLINT(bugprone-use-after-move): empty, as promised
    EXPECT_EQ(num_mapped(), 1U);
    moved = {};
    EXPECT_EQ(num_mapped(), 0U);
    EXPECT_EQ(registry_.stats().regions, 0U);
    EXPECT_EQ(registry_.stats().mapped_parts, 0U);
}

TEST_F(Registry, MapsAnewAfterTheLastHandle) {
    const ModuleFiles files = write("M");
    static_cast<void>(acquire(files));
    const RegionHandle again = acquire(files);
    EXPECT_FALSE(again->is_relocated());
    EXPECT_EQ(registry_.stats().shared, 0U);
    EXPECT_EQ(registry_.stats().validated_bytes, 2 * std::filesystem::file_size(files[0]));
}

TEST_F(Registry, HandlesOutliveIt) {
    const ModuleFiles files = write("M");
    RegionHandle region;
    {
        RegionRegistry short_lived;
        region = short_lived.acquire(test::open_module(files), Trust::stable);
    }
    EXPECT_THAT(test::texts(*region), ElementsAre("M"));
    EXPECT_EQ(num_mapped(), 1U);
    region = {};
    EXPECT_EQ(num_mapped(), 0U);
}

TEST_F(Registry, KeepsNoDescriptors) {
    const auto num_descriptors = [] {
        return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
    };
    const ModuleFiles mapped = write("M");
    const auto before = num_descriptors();
    const RegionHandle region = acquire(mapped);
    const RegionHandle again = acquire(mapped);
    RegionRegistry other;
    const RegionHandle relocated = other.acquire(test::open_module(mapped), Trust::stable);
    const RegionHandle sealed =
        registry_.acquire(test::open_module(mapped, 1, Trust::hostile), Trust::hostile);
    EXPECT_EQ(num_descriptors(), before);
}

TEST_F(Registry, AnotherRegistryRelocates) {
    const ModuleFiles files = write("M");
    const RegionHandle region = acquire(files);
    RegionRegistry other;
    const RegionHandle copy = other.acquire(test::open_module(files), Trust::stable);
    EXPECT_TRUE(copy->is_relocated());
    EXPECT_EQ(test::texts(*copy), test::texts(*region));
}

TEST_F(Registry, KeepsNothingAfterAFailure) {
    auto bytes = test::module_with_text("M", test::free_base_address(room_bytes));
    test::store(bytes, bytes.size() - 16, 2); // a pointer of the root object
    const ModuleFiles files = test::write_part(dir_, "M", bytes);
    EXPECT_THROW(static_cast<void>(acquire(files)), Failure);
    EXPECT_EQ(num_mapped(), 0U);
    EXPECT_EQ(registry_.stats().regions, 0U);
    EXPECT_EQ(registry_.stats().mapped_parts, 0U);
    EXPECT_EQ(registry_.stats().relocated_bytes, 0U);
}

TEST_F(Registry, KeepsNothingAfterAFailureInALaterPart) {
    auto parts = test::three_parts_with_text("M", test::free_base_address(room_bytes));
    test::store(parts[2], parts[2].size() - 16, 2);
    const ModuleFiles files = test::write_parts(dir_, "M", parts);
    const RegionHandle first_part = registry_.acquire(test::open_module(files, 1), Trust::stable);
    EXPECT_THROW(static_cast<void>(acquire(files)), Failure);
    EXPECT_EQ(num_mapped(), 1U);
    EXPECT_EQ(registry_.stats().mapped_parts, 1U);
    EXPECT_THAT(test::texts(*first_part), ElementsAre("M0"));
}

TEST_F(Registry, FindsPlacesInItsFiles) {
    const auto parts = test::three_parts_with_text("M", test::free_base_address(room_bytes));
    const RegionHandle region = acquire(test::write_parts(dir_, "M", parts));
    for (std::size_t i = 0; i < 3; ++i) {
        const auto place = region->find(region->root(i).word());
        ASSERT_TRUE(place);
        EXPECT_EQ(place->part, &region->parts()[i]);
        EXPECT_EQ(place->offset, test::load(parts[i], 88) - test::load(parts[i], 80));
    }
    EXPECT_FALSE(region->find(12));
    EXPECT_EQ(region->size_bytes(), parts[0].size() + parts[1].size() + parts[2].size());
}

TEST_F(Registry, SharesTheFormatWithoutBaseAddressesAsOneCopy) {
    const ModuleFiles files = {test::corpus(test::v0_library) / "test.olean"};
    RegionHandle first = acquire(files);
    const RegionHandle second = acquire(files);
    EXPECT_TRUE(first->is_relocated());
    EXPECT_EQ(&*first, &*second);
    EXPECT_EQ(registry_.stats().relocated_bytes, std::filesystem::file_size(files[0]));
    EXPECT_EQ(registry_.stats().mapped_parts, 0U);
}

TEST(RegionHandles, OfAnImmortalRegionAreNotCounted) {
    static const Region region({}, false);
    const RegionHandle handle(region);
    RegionHandle copy = handle;
    EXPECT_EQ(&*copy, &region);
    copy = {};
    EXPECT_FALSE(copy);
    EXPECT_TRUE(handle);
}

} // namespace
} // namespace leanhost::module
