#include "regions/maps_text.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cstdio>
#include <fstream>
#include <string>

namespace leanhost::regions {
namespace {

// A line of a mapped file, as the kernel pads it.
constexpr std::string_view file_line =
    "123400000000-123400004000 r--p 00001000 fe:01 98765                      /lib/Init.olean";

TEST(MapsText, ReadsEveryField) {
    Mapping mapping;
    ASSERT_TRUE(parse_maps_line(file_line, mapping));
    EXPECT_EQ(mapping.begin, 0x123400000000U);
    EXPECT_EQ(mapping.end, 0x123400004000U);
    EXPECT_EQ(mapping.offset, 0x1000U);
    EXPECT_EQ(mapping.device, makedev(0xfe, 0x01));
    EXPECT_EQ(mapping.inode, 98765U);
    EXPECT_TRUE(mapping.is_read_only);
    EXPECT_FALSE(mapping.is_shared);
    EXPECT_EQ(mapping.path_hash, path_hash_of_name("/lib/Init.olean"));
}

Mapping parsed(std::string_view line) {
    Mapping mapping;
    EXPECT_TRUE(parse_maps_line(line, mapping)) << line;
    return mapping;
}

TEST(MapsText, TellsReadOnlyFromAllElse) {
    const std::string before = "1000-2000 ";
    const std::string after = " 00000000 00:00 0";
    EXPECT_TRUE(parsed(before + "r--p" + after).is_read_only);
    EXPECT_TRUE(parsed(before + "r--s" + after).is_read_only);
    EXPECT_TRUE(parsed(before + "r--s" + after).is_shared);
    for (const char* permissions : {"---p", "rw-p", "r-xp", "rwxp", "-w-p", "--xp"})
        EXPECT_FALSE(parsed(before + permissions + after).is_read_only) << permissions;
}

TEST(MapsText, KnowsMappingsWithoutAFile) {
    for (const char* line :
         {"55d0-55e0 rw-p 00000000 00:00 0", "55d0-55e0 rw-p 00000000 00:00 0 "}) {
        EXPECT_EQ(parsed(line).inode, 0U);
        EXPECT_EQ(parsed(line).path_hash, 0U);
    }
    const Mapping heap = parsed("55d0-55e0 rw-p 00000000 00:00 0          [heap]");
    EXPECT_EQ(heap.inode, 0U);
    EXPECT_EQ(heap.path_hash, path_hash_of_name("[heap]"));
    EXPECT_EQ(parsed("ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]").end,
              0xffffffffff601000U);
}

TEST(MapsText, AFileThatWasDeletedHasNoPath) {
    EXPECT_EQ(parsed("1000-2000 r--p 00000000 fe:01 5 /lib/Init.olean (deleted)").path_hash, 0U);
    EXPECT_EQ(path_hash_of_name("/lib/Init.olean (deleted)"), 0U);
    EXPECT_NE(path_hash_of_name("/lib/(deleted)"), 0U);
}

TEST(MapsText, APathMayHaveSpaces) {
    EXPECT_EQ(parsed("1000-2000 r--p 00000000 fe:01 5    /a b/c  d.olean").path_hash,
              path_hash_of_name("/a b/c  d.olean"));
}

TEST(MapsText, NamesHashApart) {
    EXPECT_EQ(path_hash_of_name(""), 0U);
    EXPECT_NE(path_hash_of_name("/a"), path_hash_of_name("/b"));
    EXPECT_NE(path_hash_of_name("/ab"), path_hash_of_name("/ba"));
    EXPECT_EQ(path_hash_of_name("/a"), path_hash_of_name("/a"));
}

TEST(MapsText, RefusesEveryLineThatIsCutBeforeTheInode) {
    const std::size_t inode = file_line.find("98765");
    for (std::size_t size = 0; size <= inode; ++size) {
        Mapping mapping;
        EXPECT_FALSE(parse_maps_line(file_line.substr(0, size), mapping)) << size;
    }
}

TEST(MapsText, RefusesBrokenLines) {
    for (const char* line : {"", " ", "\n", "1000", "1000-2000", "1000 2000 r--p 00000000 00:00 0",
                             "1000-2000  r--p 00000000 00:00 0", "1000-2000 r--p0 00000000 00:00 0",
                             "xyz-2000 r--p 00000000 00:00 0", "1000-2000 r--p zz 00:00 0",
                             "1000-2000 r--p 00000000 00-00 0", "1000-2000 r--p 00000000 00:00 x",
                             "-2000 r--p 00000000 00:00 0", "1000-2000 r--p 00000000 00:00"}) {
        Mapping mapping;
        EXPECT_FALSE(parse_maps_line(line, mapping)) << '"' << line << '"';
    }
}

TEST(MapsText, ReadsTheWholeOfThisProcesssOwn) {
    std::ifstream maps("/proc/self/maps");
    std::string line;
    int lines = 0;
    std::uintptr_t before = 0;
    while (std::getline(maps, line)) {
        const Mapping mapping = parsed(line);
        EXPECT_LE(before, mapping.begin) << line;
        EXPECT_LT(mapping.begin, mapping.end) << line;
        before = mapping.end;
        ++lines;
    }
    EXPECT_GT(lines, 10);
}

TEST(MapsText, FindsThisProgramsOwnFile) {
    struct stat facts {};
    ASSERT_EQ(::stat("/proc/self/exe", &facts), 0);
    std::ifstream maps("/proc/self/maps");
    std::string line;
    int found = 0;
    while (std::getline(maps, line))
        found += parsed(line).inode == facts.st_ino ? 1 : 0;
    EXPECT_GT(found, 0);
}

} // namespace
} // namespace leanhost::regions
