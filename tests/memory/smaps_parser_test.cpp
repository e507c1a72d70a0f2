#include "memory/smaps_parser.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace leanhost::memory {
namespace {

constexpr std::string_view recorded_rollup =
    R"(5635b6690000-7ffcb1830000 ---p 00000000 00:00 0                          [rollup]
Rss:                1708 kB
Pss:                 516 kB
Pss_Dirty:           112 kB
Pss_Anon:            112 kB
Pss_File:            404 kB
Pss_Shmem:             0 kB
Shared_Clean:       1448 kB
Shared_Dirty:          0 kB
Private_Clean:       148 kB
Private_Dirty:       112 kB
Referenced:         1708 kB
Anonymous:           112 kB
KSM:                   0 kB
LazyFree:              0 kB
AnonHugePages:         0 kB
Swap:                  8 kB
SwapPss:               4 kB
Locked:                0 kB
)";

constexpr std::string_view recorded_status = "Name:\tVmRSS: 77 kB\n"
                                             "Umask:\t0022\n"
                                             "State:\tS (sleeping)\n"
                                             "VmPeak:\t    5800 kB\n"
                                             "VmRSS:\t    1920 kB\n"
                                             "RssAnon:\t     112 kB\n"
                                             "RssFile:\t    1808 kB\n"
                                             "VmSwap:\t      16 kB\n"
                                             "Threads:\t1\n";

TEST(SmapsRollup, GivesEveryValueInBytes) {
    const MemorySample sample = parse_smaps_rollup(recorded_rollup);
    EXPECT_EQ(sample.rss_bytes, 1708 * 1024);
    EXPECT_EQ(sample.pss_bytes, 516 * 1024);
    EXPECT_EQ(sample.uss_bytes, (148 + 112) * 1024);
    EXPECT_EQ(sample.private_dirty_bytes, 112 * 1024);
    EXPECT_EQ(sample.anonymous_bytes, 112 * 1024);
    EXPECT_EQ(sample.swap_bytes, 8 * 1024);
    EXPECT_EQ(sample.gauge_bytes(), 120 * 1024);
}

TEST(SmapsRollup, EmptyTextIsUnavailableNotZero) {
    EXPECT_EQ(parse_smaps_rollup(""), MemorySample{});
}

TEST(SmapsRollup, ZeroIsAValue) {
    EXPECT_EQ(parse_smaps_rollup("Swap: 0 kB\n").swap_bytes, 0);
}

TEST(SmapsRollup, MissingFieldIsUnavailableAndTheOthersStand) {
    const MemorySample sample =
        parse_smaps_rollup("Rss: 12 kB\nPrivate_Clean: 4 kB\nAnonymous: 8 kB\n");
    EXPECT_EQ(sample.rss_bytes, 12 * 1024);
    EXPECT_EQ(sample.anonymous_bytes, 8 * 1024);
    EXPECT_EQ(sample.uss_bytes, std::nullopt);
    EXPECT_EQ(sample.gauge_bytes(), std::nullopt);
}

TEST(SmapsRollup, MalformedValueIsUnavailable) {
    for (const std::string value :
         {"", " kB", " -4 kB", " 4", " 4 MB", " 4kB", " 4 kB ", " 0x4 kB", " 4.5 kB", " four kB"})
        EXPECT_EQ(parse_smaps_rollup("Rss:" + value + "\n").rss_bytes, std::nullopt) << value;
}

TEST(SmapsRollup, NumberThatDoesNotFitIsUnavailable) {
    EXPECT_EQ(parse_smaps_rollup("Rss: 18014398509481983 kB\n").rss_bytes, 18446744073709550592U);
    EXPECT_EQ(parse_smaps_rollup("Rss: 18014398509481984 kB\n").rss_bytes, std::nullopt);
    EXPECT_EQ(parse_smaps_rollup("Rss: 99999999999999999999999 kB\n").rss_bytes, std::nullopt);
}

TEST(SmapsRollup, SumThatDoesNotFitIsUnavailable) {
    const MemorySample sample =
        parse_smaps_rollup("Anonymous: 18014398509481983 kB\nSwap: 18014398509481983 kB\n");
    EXPECT_TRUE(sample.anonymous_bytes && sample.swap_bytes);
    EXPECT_EQ(sample.gauge_bytes(), std::nullopt);
}

TEST(SmapsRollup, TextCutAnywhereGivesTrueValuesOrNone) {
    const MemorySample whole = parse_smaps_rollup(recorded_rollup);
    for (std::size_t length = 0; length < recorded_rollup.size(); ++length) {
        const MemorySample cut = parse_smaps_rollup(recorded_rollup.substr(0, length));
        EXPECT_TRUE(!cut.rss_bytes || cut.rss_bytes == whole.rss_bytes) << length;
        EXPECT_TRUE(!cut.anonymous_bytes || cut.anonymous_bytes == whole.anonymous_bytes) << length;
        EXPECT_TRUE(!cut.uss_bytes || cut.uss_bytes == whole.uss_bytes) << length;
        EXPECT_TRUE(!cut.swap_bytes || cut.swap_bytes == whole.swap_bytes) << length;
    }
}

TEST(SmapsRollup, KeyMustMatchAsAWhole) {
    EXPECT_EQ(parse_smaps_rollup("Pss_Dirty: 4 kB\nSwapPss: 4 kB\nXRss: 4 kB\n"), MemorySample{});
}

TEST(Status, GivesTheGaugeAndRss) {
    const MemorySample sample = parse_status(recorded_status);
    EXPECT_EQ(sample.anonymous_bytes, 112 * 1024);
    EXPECT_EQ(sample.swap_bytes, 16 * 1024);
    EXPECT_EQ(sample.gauge_bytes(), 128 * 1024);
    EXPECT_EQ(sample.rss_bytes, 1920 * 1024);
    EXPECT_EQ(sample.pss_bytes, std::nullopt);
}

TEST(Status, OfAZombieIsUnavailable) {
    EXPECT_EQ(parse_status("Name:\tchild\nState:\tZ (zombie)\nThreads:\t1\n"), MemorySample{});
}

TEST(MappingHeader, HasRangePermissionsAndName) {
    const auto header = parse_mapping_header(
        "7f0000001000-7f0000003000 r--p 00002000 fe:00 1234                       /a b/Init.olean");
    ASSERT_TRUE(header);
    EXPECT_EQ(header->begin, 0x7f0000001000U);
    EXPECT_EQ(header->end, 0x7f0000003000U);
    EXPECT_EQ(header->permissions, "r--p");
    EXPECT_EQ(header->name, "/a b/Init.olean");
}

TEST(MappingHeader, MayHaveNoName) {
    const auto header = parse_mapping_header("7f0000001000-7f0000003000 rw-p 00000000 00:00 0 ");
    ASSERT_TRUE(header);
    EXPECT_EQ(header->name, "");
}

TEST(MappingHeader, MalformedOnesAreRefused) {
    for (const std::string_view line :
         {"", "7f00", "7f00-", "7f00-7f01", "7f00 7f01 rw-p 0 0:0 0",
          "7f01-7f01 rw-p 00000000 00:00 0", "7f02-7f01 rw-p 00000000 00:00 0",
          "7f00-7f01 rw 00000000 00:00 0", "7f00-7f01 rw-p", "7f00-7f01 rw-p 00000000 00:0",
          "7f00-fffffffffffffffff rw-p 00000000 00:00 0"})
        EXPECT_FALSE(parse_mapping_header(line)) << line;
}

TEST(MappingHeader, IsToldFromAFieldByItsFirstCharacter) {
    EXPECT_TRUE(is_mapping_header("ffffffffff600000-ffffffffff601000 --xp 0 00:00 0 [vsyscall]"));
    EXPECT_TRUE(is_mapping_header("7f00"));
    EXPECT_FALSE(is_mapping_header("Anonymous: 0 kB"));
    EXPECT_FALSE(is_mapping_header("VmFlags: rd wr mr mw me ac sd"));
    EXPECT_FALSE(is_mapping_header(""));
}

TEST(ForEachLine, GivesTheLastLineWithAndWithoutItsEnd) {
    for (const std::string_view text : {"a\n\nb", "a\n\nb\n"}) {
        std::vector<std::string> lines;
        for_each_line(text, [&](std::string_view line) { lines.emplace_back(line); });
        EXPECT_EQ(lines, (std::vector<std::string>{"a", "", "b"}));
    }
}

} // namespace
} // namespace leanhost::memory
