#include "regions/region_tree.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <random>

namespace leanhost::regions {
namespace {

struct Heap {
    void* storage(std::size_t bytes) {
        if (is_empty)
            return nullptr;
        taken += bytes;
        return std::malloc(bytes);
    }
    void give_back(void* memory, std::size_t bytes) {
        taken -= bytes;
        std::free(memory);
    }
    bool is_empty = false;
    std::size_t taken = 0;
};

Region region_at(std::uintptr_t begin, std::uintptr_t end) {
    Region region;
    region.begin = begin;
    region.end = end;
    return region;
}

class RegionTreeTest : public testing::Test {
protected:
    bool add(std::uintptr_t begin, std::uintptr_t end) {
        if (!tree->reserve(1))
            return false;
        tree->insert(region_at(begin, end));
        return true;
    }
    std::uintptr_t first_in(std::uintptr_t address, std::uintptr_t limit) {
        const Region* const region = tree->first_in(address, limit);
        return region == nullptr ? 0 : region->begin;
    }

    Heap heap;
    std::unique_ptr<RegionTree<Heap>> tree = std::make_unique<RegionTree<Heap>>(heap);
};

TEST_F(RegionTreeTest, FindsNothingInAnEmptyOne) {
    EXPECT_EQ(tree->first_in(0, ~std::uintptr_t{0}), nullptr);
    EXPECT_EQ(tree->size(), 0U);
    EXPECT_EQ(tree->storage_bytes(), 0U);
    tree->erase(100);
}

TEST_F(RegionTreeTest, FindsTheLowestThatReachesIn) {
    ASSERT_TRUE(add(300, 400));
    ASSERT_TRUE(add(100, 200));
    ASSERT_TRUE(add(200, 250));
    EXPECT_EQ(first_in(0, 1000), 100U);
    EXPECT_EQ(first_in(0, 100), 0U) << "the limit is outside";
    EXPECT_EQ(first_in(0, 101), 100U);
    EXPECT_EQ(first_in(199, 200), 100U);
    EXPECT_EQ(first_in(200, 1000), 200U) << "a region's end is outside";
    EXPECT_EQ(first_in(250, 300), 0U);
    EXPECT_EQ(first_in(250, 301), 300U);
    EXPECT_EQ(first_in(400, ~std::uintptr_t{0}), 0U);
}

TEST_F(RegionTreeTest, ForgetsWhatIsErased) {
    ASSERT_TRUE(add(100, 200));
    ASSERT_TRUE(add(300, 400));
    tree->erase(100);
    EXPECT_EQ(first_in(0, 1000), 300U);
    EXPECT_EQ(tree->size(), 1U);
    tree->erase(150);
    tree->erase(301);
    EXPECT_EQ(tree->size(), 1U) << "no region begins there";
}

TEST_F(RegionTreeTest, SaysWhenThereIsNoMemoryAndKeepsWhatItHas) {
    for (std::uintptr_t i = 1; tree->reserve(1); ++i) {
        tree->insert(region_at(i * 10, i * 10 + 5));
        heap.is_empty = true;
    }
    const std::size_t held = tree->size();
    EXPECT_GE(held, 1U);
    EXPECT_FALSE(add(5, 6));
    EXPECT_EQ(tree->size(), held);
    tree->erase(10);
    EXPECT_TRUE(add(10, 15)) << "the place of an erased one is free";
    heap.is_empty = false;
    EXPECT_TRUE(add(5, 6));
    EXPECT_EQ(first_in(0, 10), 5U);
    EXPECT_EQ(first_in(10, 11), 10U);
}

TEST_F(RegionTreeTest, OwnsItsStorage) {
    for (std::uintptr_t i = 1; i < 3000; ++i)
        ASSERT_TRUE(add(i * 10, i * 10 + 5));
    EXPECT_EQ(heap.taken, tree->storage_bytes());
    tree.reset();
    EXPECT_EQ(heap.taken, 0U);
}

TEST_F(RegionTreeTest, PlacesOfErasedRegionsAreUsedAgain) {
    ASSERT_TRUE(add(10, 20));
    const std::size_t bytes = tree->storage_bytes();
    for (int i = 0; i < 10'000; ++i) {
        tree->erase(10);
        ASSERT_TRUE(add(10, 20));
    }
    EXPECT_EQ(tree->storage_bytes(), bytes);
}

// Ascending addresses are what a loader gives; a tree that followed them would be a list, and too
// deep for the recursion of split and merge.
TEST_F(RegionTreeTest, AscendingRegionsStayShallow) {
    constexpr std::uintptr_t count = 200'000;
    for (std::uintptr_t i = 1; i <= count; ++i)
        ASSERT_TRUE(add(i * 10, i * 10 + 5));
    for (std::uintptr_t i = 1; i <= count; ++i)
        ASSERT_EQ(first_in(i * 10 + 4, i * 10 + 5), i * 10);
    for (std::uintptr_t i = 1; i <= count; ++i)
        tree->erase(i * 10);
    EXPECT_EQ(tree->size(), 0U);
}

TEST_F(RegionTreeTest, AnswersAsAMapDoes) {
    std::map<std::uintptr_t, std::uintptr_t> model; // begin to end
    std::mt19937 random(1);
    for (int step = 0; step < 20'000; ++step) {
        const std::uintptr_t begin = random() % 500 * 10;
        if (model.contains(begin)) {
            model.erase(begin);
            tree->erase(begin);
        } else {
            model[begin] = begin + 1 + random() % 10;
            ASSERT_TRUE(add(begin, model[begin]));
        }
        const std::uintptr_t from = random() % 5000;
        const std::uintptr_t limit = from + 1 + random() % 100;
        auto expected = model.begin();
        while (expected != model.end() && expected->second <= from)
            ++expected;
        const Region* const found = tree->first_in(from, limit);
        if (expected == model.end() || expected->first >= limit) {
            ASSERT_EQ(found, nullptr) << step;
        } else {
            ASSERT_NE(found, nullptr) << step;
            ASSERT_EQ(found->begin, expected->first) << step;
            ASSERT_EQ(found->end, expected->second) << step;
        }
        ASSERT_EQ(tree->size(), model.size());
    }
}

} // namespace
} // namespace leanhost::regions
