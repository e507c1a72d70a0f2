#include "module/lean4export/id_map.hpp"

#include <gtest/gtest.h>

#include <random>
#include <unordered_map>

namespace leanhost::module::lean4export {
namespace {

constexpr Id greatest_id = std::numeric_limits<Id>::max();

TEST(IdMap, FindsNothingInAnEmptyMap) {
    const IdMap map;
    for (const Id id : {Id{0}, Id{1}, Id{4096}, greatest_id})
        EXPECT_EQ(map.find(id), IdMap::none);
    EXPECT_EQ(map.greatest(), std::nullopt);
    EXPECT_EQ(map.memory_bytes(), 0U);
}

TEST(IdMap, FindsDenseIds) {
    IdMap map;
    constexpr std::uint32_t count = 100'000;
    for (std::uint32_t i = 0; i < count; ++i)
        ASSERT_TRUE(map.add(i, i * 2));
    for (std::uint32_t i = 0; i < count; ++i)
        ASSERT_EQ(map.find(i), i * 2);
    EXPECT_EQ(map.find(count), IdMap::none);
    EXPECT_EQ(map.greatest(), count - 1);
    EXPECT_LE(map.memory_bytes(), count * sizeof(std::uint32_t) * 2);
}

TEST(IdMap, FindsIdsGivenBackwards) {
    IdMap map;
    constexpr std::uint32_t count = 20'000;
    for (std::uint32_t i = count; i-- > 0;)
        ASSERT_TRUE(map.add(i, i));
    for (std::uint32_t i = 0; i < count; ++i)
        ASSERT_EQ(map.find(i), i);
    EXPECT_EQ(map.greatest(), count - 1);
}

TEST(IdMap, SparseIdsTakeMemoryForTheirNumberOnly) {
    IdMap map;
    constexpr std::uint32_t count = 10'000;
    for (std::uint32_t i = 0; i < count; ++i)
        ASSERT_TRUE(map.add(greatest_id - Id{i} * 1'000'003, i));
    for (std::uint32_t i = 0; i < count; ++i)
        ASSERT_EQ(map.find(greatest_id - Id{i} * 1'000'003), i);
    EXPECT_EQ(map.find(greatest_id - 1), IdMap::none);
    EXPECT_EQ(map.find(0), IdMap::none);
    EXPECT_EQ(map.greatest(), greatest_id);
    EXPECT_LE(map.memory_bytes(), std::size_t{1} << 20);
}

TEST(IdMap, RefusesAnIdTwice) {
    IdMap map;
    for (const Id id : {Id{0}, Id{5}, Id{4096}, Id{4097}, Id{1'000'000}, greatest_id}) {
        EXPECT_TRUE(map.add(id, 1)) << id;
        EXPECT_FALSE(map.add(id, 2)) << id;
        EXPECT_EQ(map.find(id), 1U) << id;
    }
}

// An id far ahead goes into the hash map; when the array has grown to it, it must still be there,
// and still be taken.
TEST(IdMap, GrowthMovesSparseIdsIntoTheArray) {
    IdMap map;
    constexpr Id ahead[] = {20'000, 30'001, 50'000, 1'000'000'000};
    std::uint32_t position = 0;
    for (const Id id : ahead)
        ASSERT_TRUE(map.add(id, 7'000'000 + position++));
    for (std::uint32_t i = 0; i < 49'000; ++i) {
        const bool is_taken = std::find(std::begin(ahead), std::end(ahead), i) != std::end(ahead);
        ASSERT_EQ(map.add(i, i), !is_taken) << i;
    }
    for (std::uint32_t i = 0; i < std::size(ahead); ++i) {
        EXPECT_EQ(map.find(ahead[i]), 7'000'000 + i);
        EXPECT_FALSE(map.add(ahead[i], 1));
    }
}

TEST(IdMap, AgreesWithAHashMapOnMixedIds) {
    for (const unsigned seed : {1U, 2U, 3U}) {
        std::mt19937_64 random(seed);
        IdMap map;
        std::unordered_map<Id, std::uint32_t> model;
        Id next = 0;
        Id greatest = 0;
        for (std::uint32_t i = 0; i < 100'000; ++i) {
            Id id = 0;
            switch (random() % 6) {
            case 0:
                id = random();
                break;
            case 1:
                id = random() % 300'000;
                break;
            case 2:
                id = next + random() % 10'000;
                break;
            default:
                id = next++;
            }
            ASSERT_EQ(map.add(id, i), model.emplace(id, i).second) << id;
            greatest = std::max(greatest, id);
            const Id other = random() % 400'000;
            const auto found = model.find(other);
            ASSERT_EQ(map.find(other), found == model.end() ? IdMap::none : found->second);
        }
        for (const auto& [id, position] : model)
            ASSERT_EQ(map.find(id), position);
        EXPECT_EQ(map.greatest(), greatest);
    }
}

} // namespace
} // namespace leanhost::module::lean4export
