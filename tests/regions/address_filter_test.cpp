#include "regions/address_filter.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace leanhost::regions {
namespace {

constexpr std::uintptr_t granule = std::uintptr_t{1} << 26;

class AddressFilterTest : public testing::Test {
protected:
    bool may_hold(std::uintptr_t begin, std::uintptr_t end) const {
        return filter->may_hold(begin, end);
    }
    const std::unique_ptr<AddressFilter> filter = std::make_unique<AddressFilter>();
};

TEST_F(AddressFilterTest, HoldsNothingAtFirst) {
    EXPECT_FALSE(may_hold(0, granule));
    EXPECT_FALSE(may_hold(0x7f0000000000, 0x7f0000000000 + 60 * granule));
}

TEST_F(AddressFilterTest, NeverDeniesWhatWasAdded) {
    filter->add(10 * granule + 4096, 10 * granule + 8192);
    EXPECT_TRUE(may_hold(10 * granule + 4096, 10 * granule + 8192));
    EXPECT_TRUE(may_hold(10 * granule + 8191, 10 * granule + 8192));
    EXPECT_TRUE(may_hold(9 * granule, 11 * granule));
    EXPECT_FALSE(may_hold(9 * granule, 10 * granule)) << "the end is outside";
    EXPECT_FALSE(may_hold(11 * granule, 12 * granule));
}

TEST_F(AddressFilterTest, KeepsEveryGranuleOfALongRegion) {
    filter->add(10 * granule + 4096, 200 * granule);
    for (std::uintptr_t at = 10; at < 200; ++at)
        EXPECT_TRUE(may_hold(at * granule, at * granule + 1)) << at;
    EXPECT_FALSE(may_hold(200 * granule, 200 * granule + 1));
    EXPECT_FALSE(may_hold(9 * granule, 10 * granule));
}

TEST_F(AddressFilterTest, OfAnEmptyOrReversedRangeHoldsNothing) {
    filter->add(0, 4 * granule);
    EXPECT_FALSE(may_hold(granule, granule));
    EXPECT_FALSE(may_hold(2 * granule, granule)) << "as an overflowing length makes it";
}

TEST_F(AddressFilterTest, SaysMaybeOfWhatIsTooLongToLookAt) {
    EXPECT_TRUE(may_hold(0, 100 * granule));
}

TEST_F(AddressFilterTest, SaysMaybeBeyondTheAddressesItKnows) {
    constexpr std::uintptr_t beyond = std::uintptr_t{1} << 47;
    EXPECT_FALSE(may_hold(beyond - granule, beyond));
    EXPECT_TRUE(may_hold(beyond - granule, beyond + 1));
    EXPECT_TRUE(may_hold(beyond, beyond + 4096));
    EXPECT_TRUE(may_hold(~std::uintptr_t{0} - 4096, ~std::uintptr_t{0}));
    filter->add(beyond - 4096, beyond + granule);
    EXPECT_TRUE(may_hold(beyond - 1, beyond));
}

} // namespace
} // namespace leanhost::regions
