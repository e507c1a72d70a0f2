#include "memory/range_registry.hpp"

#include <gtest/gtest.h>

namespace leanhost::memory {
namespace {

constexpr auto relocated = MappingClass::relocated_copies;
constexpr auto index_class = MappingClass::index;

TEST(RangeRegistry, FindsNothingInAnEmptyOne) {
    RangeRegistry registry;
    EXPECT_EQ(RangeRegistry::Reading(registry).first_run(0, ~std::uintptr_t{0}), std::nullopt);
}

TEST(RangeRegistry, ClipsARangeToWhatIsAsked) {
    RangeRegistry registry;
    ASSERT_TRUE(registry.try_add({100, 200, relocated}));
    const RangeRegistry::Reading reading(registry);
    EXPECT_EQ(reading.first_run(0, 300), (ClassRange{100, 200, relocated}));
    EXPECT_EQ(reading.first_run(150, 300), (ClassRange{150, 200, relocated}));
    EXPECT_EQ(reading.first_run(0, 150), (ClassRange{100, 150, relocated}));
    EXPECT_EQ(reading.first_run(120, 130), (ClassRange{120, 130, relocated}));
    EXPECT_EQ(reading.first_run(0, 100), std::nullopt);
    EXPECT_EQ(reading.first_run(200, 300), std::nullopt);
    EXPECT_EQ(reading.first_run(150, 150), std::nullopt) << "inside, but empty";
}

TEST(RangeRegistry, JoinsAdjacentRangesOfOneClass) {
    RangeRegistry registry;
    ASSERT_TRUE(registry.try_add({300, 400, relocated}));
    ASSERT_TRUE(registry.try_add({100, 200, relocated}));
    ASSERT_TRUE(registry.try_add({200, 300, relocated}));
    ASSERT_TRUE(registry.try_add({400, 500, index_class}));
    ASSERT_TRUE(registry.try_add({600, 700, index_class}));
    const RangeRegistry::Reading reading(registry);
    EXPECT_EQ(reading.first_run(0, 1000), (ClassRange{100, 400, relocated}));
    EXPECT_EQ(reading.first_run(0, 250), (ClassRange{100, 250, relocated}));
    EXPECT_EQ(reading.first_run(400, 1000), (ClassRange{400, 500, index_class}));
    EXPECT_EQ(reading.first_run(500, 1000), (ClassRange{600, 700, index_class}));
}

TEST(RangeRegistry, TheFirstOwnerOfAnAddressStands) {
    RangeRegistry registry;
    ASSERT_TRUE(registry.try_add({100, 200, relocated}));
    EXPECT_FALSE(registry.try_add({100, 200, index_class}));
    EXPECT_FALSE(registry.try_add({50, 101, index_class}));
    EXPECT_FALSE(registry.try_add({199, 300, index_class}));
    EXPECT_FALSE(registry.try_add({120, 130, index_class}));
    EXPECT_FALSE(registry.try_add({50, 300, index_class}));
    EXPECT_TRUE(registry.try_add({200, 300, index_class}));
    EXPECT_TRUE(registry.try_add({50, 100, index_class}));
}

TEST(RangeRegistry, RefusesEmptyRanges) {
    RangeRegistry registry;
    EXPECT_FALSE(registry.try_add({100, 100, relocated}));
    EXPECT_FALSE(registry.try_add({200, 100, relocated}));
}

TEST(RangeRegistry, ForgetsWhatIsRemoved) {
    RangeRegistry registry;
    ASSERT_TRUE(registry.try_add({100, 200, relocated}));
    registry.remove(100);
    EXPECT_EQ(RangeRegistry::Reading(registry).first_run(0, 300), std::nullopt);
    EXPECT_TRUE(registry.try_add({150, 250, index_class}));
}

// Memory that nobody else registers.
const char own_bytes[10] = {};
const auto own_begin = reinterpret_cast<std::uintptr_t>(own_bytes);

std::optional<ClassRange> known_of_own_bytes() {
    return RangeRegistry::Reading(RangeRegistry::of_this_process())
        .first_run(own_begin, own_begin + sizeof own_bytes);
}

TEST(RangeRegistration, LastsAsLongAsItsLastHolder) {
    {
        RangeRegistration outer;
        {
            RangeRegistration inner(own_bytes, sizeof own_bytes, relocated);
            outer = std::move(inner);
        }
        EXPECT_TRUE(known_of_own_bytes());
    }
    EXPECT_FALSE(known_of_own_bytes());
}

TEST(RangeRegistration, OfATakenRangeRemovesNothing) {
    const RangeRegistration first(own_bytes, sizeof own_bytes, relocated);
    { const RangeRegistration second(own_bytes, sizeof own_bytes, index_class); }
    EXPECT_EQ(known_of_own_bytes(),
              (ClassRange{own_begin, own_begin + sizeof own_bytes, relocated}));
}

} // namespace
} // namespace leanhost::memory
