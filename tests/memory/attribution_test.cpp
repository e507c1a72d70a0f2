#include "memory/attribution.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <map>
#include <string>

namespace leanhost::memory {
namespace {

constexpr std::uint64_t kib = 1024;
constexpr std::uintptr_t page = 4096;

struct RecordSizes {
    std::uint64_t rss_kib = 0;
    std::uint64_t pss_kib = 0;
    std::uint64_t anonymous_kib = 0;
    std::uint64_t swap_kib = 0;
};

std::string record(std::uintptr_t begin,
                   std::uintptr_t end,
                   const std::string& permissions,
                   const std::string& name,
                   RecordSizes sizes) {
    const auto field = [](const char* key, std::uint64_t value) {
        return std::string(key) + ":    " + std::to_string(value) + " kB\n";
    };
    char range[64];
    std::snprintf(range, sizeof range, "%lx-%lx ", begin, end);
    return range + permissions + " 00000000 fe:00 0                  " + name + "\n" +
           field("Size", (end - begin) / kib) + field("Rss", sizes.rss_kib) +
           field("Pss", sizes.pss_kib) + field("Anonymous", sizes.anonymous_kib) +
           field("Swap", sizes.swap_kib) + "VmFlags: rd wr mr\n";
}

std::optional<MemoryAttribution> attribute_text(std::string_view text,
                                                AttributionBuilder builder = {}) {
    for_each_line(text, [&](std::string_view line) { builder.take_line(line); });
    return builder.finish();
}

// Answers from a table of ranges that a test writes down; the rest cannot be had.
class FakePages final : public PageCounter {
public:
    std::map<std::uintptr_t, PageStateBytes> by_begin;

    std::optional<PageStateBytes> count(std::uintptr_t begin, std::uintptr_t) noexcept override {
        const auto it = by_begin.find(begin);
        return it == by_begin.end() ? std::nullopt : std::optional(it->second);
    }
};

class KnownRanges : public testing::Test {
protected:
    std::optional<MemoryAttribution> attribute(std::string_view text) {
        const RangeRegistry::Reading known(registry_);
        return attribute_text(text, AttributionBuilder(known, pages_));
    }

    RangeRegistry registry_;
    FakePages pages_;
};

const std::string recorded =
    record(0x1000, 0x5000, "r--p", "/lib/Init.olean", {.rss_kib = 16, .pss_kib = 8}) +
    record(0x6000, 0x8000, "rw-p", "[heap]", {8, 8, 8, 0}) +
    record(0x8000, 0xa000, "rw-p", "[anon:leanhost index]", {4, 4, 4, 4}) +
    record(0xa000, 0xb000, "---p", "", {}) +
    record(0xb000, 0xd000, "rw-p", "", {.rss_kib = 4, .pss_kib = 4, .anonymous_kib = 4}) +
    record(0xe000, 0xf000, "rw-p", "[stack]", {4, 4, 4, 0});

TEST(Attribution, SumsRecordsByClass) {
    const auto found = attribute_text(recorded);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->of(MappingClass::mapped_modules),
              (MappingClassBytes{0, 0, 16 * kib, 8 * kib, 16 * kib}));
    EXPECT_EQ(found->of(MappingClass::heap),
              (MappingClassBytes{12 * kib, 0, 12 * kib, 12 * kib, 16 * kib}));
    EXPECT_EQ(found->of(MappingClass::index),
              (MappingClassBytes{4 * kib, 4 * kib, 4 * kib, 4 * kib, 8 * kib}));
    EXPECT_EQ(found->of(MappingClass::stacks),
              (MappingClassBytes{4 * kib, 0, 4 * kib, 4 * kib, 4 * kib}));
    EXPECT_EQ(found->of(MappingClass::other), (MappingClassBytes{0, 0, 0, 0, 4 * kib}));
    EXPECT_EQ(found->of(MappingClass::relocated_copies), MappingClassBytes{});
}

TEST(Attribution, TotalIsTheSumOfTheClasses) {
    const auto found = attribute_text(recorded);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->total, (MappingClassBytes{20 * kib, 4 * kib, 36 * kib, 28 * kib, 48 * kib}));
    EXPECT_EQ(found->total.gauge_bytes(), 24 * kib);
}

TEST(Attribution, EmptyTextIsUnavailable) {
    EXPECT_FALSE(attribute_text(""));
}

TEST(Attribution, TextCutInsideARecordIsUnavailable) {
    const std::string text = record(0x1000, 0x2000, "rw-p", "[heap]", {4, 4, 4, 0});
    const std::size_t complete_from = text.find("VmFlags") - 1; // the newline after Swap may miss
    for (std::size_t length = 0; length < complete_from; ++length)
        EXPECT_FALSE(attribute_text(text.substr(0, length))) << length;
    EXPECT_TRUE(attribute_text(text.substr(0, complete_from)));
}

TEST(Attribution, OneMalformedRecordMakesTheWholeUnavailable) {
    EXPECT_FALSE(attribute_text(recorded + "7f00-zz rw-p\n"));
    EXPECT_FALSE(attribute_text("f000-e000 rw-p 00000000 00:00 0\n" + recorded));
    EXPECT_FALSE(attribute_text(recorded + "10000-11000 rw-p 00000000 00:00 0\nRss: 4 kB\n"));
}

// What a text looks like when two mappings merge after the first of them was written.
TEST(Attribution, MappingThatIsToldTwiceMakesTheTextTorn) {
    AttributionBuilder builder;
    for_each_line(record(0x1000, 0x2000, "rw-p", "", {4, 4, 4, 0}) +
                      record(0x1000, 0x3000, "rw-p", "", {8, 8, 8, 0}),
                  [&](std::string_view line) { builder.take_line(line); });
    EXPECT_TRUE(builder.is_torn());
    EXPECT_EQ(builder.finish(), std::nullopt);
}

TEST(Attribution, SumThatOverflowsIsUnavailable) {
    const RecordSizes huge{.rss_kib = 18014398509481983};
    EXPECT_TRUE(attribute_text(record(0x1000, 0x2000, "rw-p", "", huge)));
    EXPECT_FALSE(attribute_text(record(0x1000, 0x2000, "rw-p", "", huge) +
                                record(0x3000, 0x4000, "rw-p", "", huge)));
}

TEST_F(KnownRanges, WholeMappingNeedsNoPageCount) {
    registry_.try_add({0x1000, 0x3000, MappingClass::relocated_copies});
    const auto found = attribute(record(0x1000, 0x3000, "rw-p", "", {8, 8, 8, 0}));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->of(MappingClass::relocated_copies).anonymous_bytes, 8 * kib);
    EXPECT_EQ(found->of(MappingClass::heap), MappingClassBytes{});
}

TEST_F(KnownRanges, AdjacentRangesOfOneClassMakeAWholeMapping) {
    registry_.try_add({0x1000, 0x2000, MappingClass::relocated_copies});
    registry_.try_add({0x2000, 0x3000, MappingClass::relocated_copies});
    const auto found = attribute(record(0x1000, 0x3000, "r--p", "", {8, 8, 8, 0}));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->of(MappingClass::relocated_copies).anonymous_bytes, 8 * kib);
}

TEST_F(KnownRanges, RangeThatTheKernelSplitIsFoundInEveryMapping) {
    registry_.try_add({0x1000, 0x4000, MappingClass::index});
    const auto found = attribute(record(0x1000, 0x2000, "r--p", "", {4, 4, 4, 0}) +
                                 record(0x2000, 0x4000, "rw-p", "", {8, 8, 8, 0}));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->of(MappingClass::index).anonymous_bytes, 12 * kib);
    EXPECT_EQ(found->of(MappingClass::index).mapped_bytes, 12 * kib);
}

TEST_F(KnownRanges, PartOfAMergedMappingGetsWhatItsPagesHold) {
    registry_.try_add({0x2000, 0x4000, MappingClass::index});
    registry_.try_add({0x4000, 0x5000, MappingClass::relocated_copies});
    pages_.by_begin[0x2000] = {.anonymous = page, .file = 0, .swapped = page};
    pages_.by_begin[0x4000] = {.anonymous = page, .file = 0, .swapped = 0};
    const auto found = attribute(record(0x1000, 0x6000, "rw-p", "", {16, 8, 16, 4}));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->of(MappingClass::index),
              (MappingClassBytes{4 * kib, 4 * kib, 4 * kib, 2 * kib, 8 * kib}));
    EXPECT_EQ(found->of(MappingClass::relocated_copies),
              (MappingClassBytes{4 * kib, 0, 4 * kib, 2 * kib, 4 * kib}));
    EXPECT_EQ(found->of(MappingClass::heap),
              (MappingClassBytes{8 * kib, 0, 8 * kib, 4 * kib, 8 * kib}));
    EXPECT_EQ(found->total, (MappingClassBytes{16 * kib, 4 * kib, 16 * kib, 8 * kib, 20 * kib}));
}

// The pagemap shows the zero page as anonymous, smaps does not count it.
TEST_F(KnownRanges, PartIsNeverMoreThanItsMapping) {
    registry_.try_add({0x1000, 0x4000, MappingClass::index});
    pages_.by_begin[0x1000] = {.anonymous = 3 * page, .file = 0, .swapped = 0};
    const auto found = attribute(record(0x1000, 0x5000, "rw-p", "", {8, 8, 8, 0}));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->of(MappingClass::index).anonymous_bytes, 8 * kib);
    EXPECT_EQ(found->total.anonymous_bytes, 8 * kib);
}

TEST_F(KnownRanges, PartStaysWithItsMappingWhenPagesCannotBeCounted) {
    registry_.try_add({0x1000, 0x2000, MappingClass::index});
    const auto found = attribute(record(0x1000, 0x3000, "rw-p", "", {8, 8, 8, 0}));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->of(MappingClass::index), MappingClassBytes{});
    EXPECT_EQ(found->of(MappingClass::heap).anonymous_bytes, 8 * kib);
}

TEST_F(KnownRanges, GoBeforeTheKernelsName) {
    registry_.try_add({0x1000, 0x2000, MappingClass::mapped_modules});
    const auto found =
        attribute(record(0x1000, 0x2000, "r--p", "/tmp/renamed", {.rss_kib = 4, .pss_kib = 4}));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->of(MappingClass::mapped_modules).rss_bytes, 4 * kib);
}

} // namespace
} // namespace leanhost::memory
