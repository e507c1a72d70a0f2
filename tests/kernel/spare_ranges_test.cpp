#include "kernel/handle_table.hpp"
#include "kernel/reserved_array.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

namespace leanhost::kernel {
namespace {

constexpr std::size_t mib = std::size_t{1} << 20;
constexpr std::size_t capacity = std::size_t{1} << 24;
constexpr std::uint32_t count = 20000;

void fill(ReservedArray<std::uint64_t>& array) {
    for (std::uint32_t i = 0; i < count; ++i)
        array.push(~std::uint64_t{i});
}

// How many of the first elements are not zero, whatever the array's size is.
std::uint32_t num_written(const ReservedArray<std::uint64_t>& array) {
    std::uint32_t written = 0;
    for (std::uint32_t i = 0; i < 2 * count; ++i)
        written += array.data()[i] != 0 ? 1U : 0U;
    return written;
}

// Whether the mapping that `at` lies in has that flag ("hg") in /proc/self/smaps.
bool asks_for_huge_pages(const void* at) {
    const auto wanted = reinterpret_cast<std::uintptr_t>(at);
    std::ifstream smaps("/proc/self/smaps");
    bool is_there = false;
    for (std::string line; std::getline(smaps, line);) {
        std::uintptr_t begin = 0;
        std::uintptr_t end = 0;
        if (std::sscanf(line.c_str(), "%zx-%zx ", &begin, &end) == 2)
            is_there = begin <= wanted && wanted < end;
        else if (is_there && line.starts_with("VmFlags:"))
            return line.find(" hg") != std::string::npos;
    }
    return false;
}

TEST(SpareRanges, AnArrayTakesWhatTheLastOneLeftAndFindsItEmpty) {
    SpareRanges spare(4 * mib);
    const SpareRanges::Use use(spare);
    const std::uint64_t* place = nullptr;
    {
        ReservedArray<std::uint64_t> array(capacity);
        place = array.data();
        fill(array);
        array.shrink(0, mib); // what was written before counts as well
        array.push(7);
    }
    EXPECT_GE(spare.bytes(), count * sizeof(std::uint64_t));
    ReservedArray<std::uint64_t> next(capacity);
    EXPECT_EQ(next.data(), place);
    EXPECT_EQ(spare.bytes(), 0U);
    EXPECT_EQ(next.size(), 0U);
    EXPECT_EQ(num_written(next), 0U);
    fill(next);
    EXPECT_EQ(num_written(next), count);
}

// Of odd elements, one lies across the end of the pages that stay.
TEST(SpareRanges, AnArrayThatGavePagesBackLeavesTheRest) {
    struct Odd {
        std::uint32_t words[6];
    };
    SpareRanges spare(4 * mib);
    const SpareRanges::Use use(spare);
    {
        ReservedArray<Odd> array(capacity);
        for (std::uint32_t i = 0; i < count; ++i)
            array.push({{1, 2, 3, 4, 5, 6}});
        array.shrink(0, 3 * 4096);
    }
    EXPECT_LE(spare.bytes(), 3U * 4096U);
    ReservedArray<Odd> next(capacity);
    EXPECT_EQ(spare.bytes(), 0U);
    for (std::uint32_t i = 0; i < count; ++i)
        ASSERT_EQ(next.data()[i].words[0] | next.data()[i].words[5], 0U) << i;
    next.push({{1, 2, 3, 4, 5, 6}});
    EXPECT_EQ(next[0].words[5], 6U);
}

TEST(SpareRanges, ATableTakesWhatTheLastOneLeftAndFindsItEmpty) {
    SpareRanges spare(4 * mib);
    const SpareRanges::Use use(spare);
    for (int round = 0; round < 3; ++round) {
        KeyMap<std::uint64_t, std::uint64_t> map(16);
        for (std::uint64_t key = 1; key <= count; ++key) {
            ASSERT_EQ(map.find(key), nullptr);
            map.put(key, key);
        }
        EXPECT_EQ(map.size(), count);
    }
    EXPECT_GT(spare.bytes(), 0U);
}

TEST(SpareRanges, KeepsNoMoreThanItsBoundAndGivesAllBack) {
    SpareRanges spare(mib / 2);
    const SpareRanges::Use use(spare);
    for (int round = 0; round < 3; ++round) {
        ReservedArray<std::uint64_t> first(capacity);
        ReservedArray<std::uint64_t> second(capacity);
        ReservedArray<std::uint64_t> third(capacity);
        for (auto* const array : {&first, &second, &third})
            fill(*array);
    }
    EXPECT_GT(spare.bytes(), 0U);
    EXPECT_LE(spare.bytes(), mib / 2);
    spare.clear();
    EXPECT_EQ(spare.bytes(), 0U);
}

TEST(SpareRanges, AreUsedOnlyWhereTheyAreSaidToBe) {
    SpareRanges spare(4 * mib);
    SpareRanges other(4 * mib);
    {
        const SpareRanges::Use use(spare);
        const SpareRanges::Use inner(other);
        ReservedArray<std::uint64_t> array(capacity);
        fill(array);
    }
    {
        ReservedArray<std::uint64_t> array(capacity);
        fill(array);
    }
    EXPECT_EQ(spare.bytes(), 0U);
    EXPECT_GT(other.bytes(), 0U);
    EXPECT_EQ(SpareRanges::used_here(), nullptr);
}

TEST(ReservedArray, FillsPagesOf2MiBWhereManyElementsAreExpected) {
    ReservedArray<std::uint64_t> array(capacity);
    array.expect(capacity / 2);
    constexpr std::uint32_t many = 3 * mib / sizeof(std::uint64_t);
    for (std::uint32_t i = 0; i < many; ++i)
        array.push(i);
    EXPECT_EQ(array.size(), many);
    EXPECT_EQ(array[many - 1], many - 1);
    if (std::filesystem::exists("/sys/kernel/mm/transparent_hugepage")) {
        EXPECT_TRUE(asks_for_huge_pages(array.data() + many - 1));
        EXPECT_FALSE(asks_for_huge_pages(array.data() + capacity - 1)) << "not taken yet";
    }
    array.shrink(10, 0);
    EXPECT_EQ(array[9], 9U);
    array.extend(many);
    EXPECT_EQ(array.size(), many + 10);
}

} // namespace
} // namespace leanhost::kernel
