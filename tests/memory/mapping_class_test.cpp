#include "memory/mapping_class.hpp"

#include <gtest/gtest.h>

#include <string>

namespace leanhost::memory {
namespace {

MappingClass class_of(std::string_view name, std::string_view permissions = "rw-p") {
    return classify_mapping(name, permissions);
}

TEST(MappingClass, NamesAreStable) {
    EXPECT_EQ(mapping_class_name(MappingClass::mapped_modules), "mapped_modules");
    EXPECT_EQ(mapping_class_name(MappingClass::relocated_copies), "relocated_copies");
    EXPECT_EQ(mapping_class_name(MappingClass::index), "index");
    EXPECT_EQ(mapping_class_name(MappingClass::heap), "heap");
    EXPECT_EQ(mapping_class_name(MappingClass::stacks), "stacks");
    EXPECT_EQ(mapping_class_name(MappingClass::other), "other");
}

TEST(MappingClass, EveryPartOfAModuleIsAMappedModule) {
    for (const std::string suffix : {".olean", ".olean.server", ".olean.private", ".ir"}) {
        EXPECT_EQ(class_of("/lib/Init" + suffix, "r--p"), MappingClass::mapped_modules);
        EXPECT_EQ(class_of("/lib/Init" + suffix + " (deleted)", "r--p"),
                  MappingClass::mapped_modules);
    }
    EXPECT_EQ(class_of("/memfd:leanhost-olean Init (deleted)", "r--s"),
              MappingClass::mapped_modules);
}

TEST(MappingClass, OtherFilesAreOther) {
    for (const std::string_view name :
         {"/usr/lib/libc.so.6", "/lib/Init.ilean", "/lib/Init.olean.bak", "/memfd:other (deleted)",
          "/home/memfd:leanhost-olean", "/dev/zero (deleted)", "/SYSV00000000 (deleted)"})
        EXPECT_EQ(class_of(name), MappingClass::other) << name;
}

TEST(MappingClass, OurOwnNamesComeBack) {
    for (const auto mapping_class :
         {MappingClass::relocated_copies, MappingClass::index, MappingClass::heap,
          MappingClass::stacks, MappingClass::other}) {
        const std::string name = std::string("[anon:") + anonymous_name_of(mapping_class) + "]";
        EXPECT_EQ(class_of(name), mapping_class) << name;
        EXPECT_EQ(class_of(name, "r--p"), mapping_class) << name << " sealed";
    }
}

TEST(MappingClass, NamesOfOthersAreOther) {
    for (const std::string_view name : {"[anon:leanhost relocated elsewhere]",
                                        "[anon:scudo:primary]", "[anon:]", "[anon_shmem:x]"})
        EXPECT_EQ(class_of(name), MappingClass::other) << name;
}

TEST(MappingClass, NamesOfGlibcAreUnderstood) {
    EXPECT_EQ(class_of("[anon: glibc: malloc arena]"), MappingClass::heap);
    EXPECT_EQ(class_of("[anon: glibc: malloc]"), MappingClass::heap);
    EXPECT_EQ(class_of("[anon: glibc: loader malloc]"), MappingClass::heap);
    EXPECT_EQ(class_of("[anon: glibc: pthread stack: 1234]"), MappingClass::stacks);
    EXPECT_EQ(class_of("[anon: glibc: pthread user stack: 1234]"), MappingClass::stacks);
    EXPECT_EQ(class_of("[anon: glibc: unused stack]"), MappingClass::stacks);
}

TEST(MappingClass, KernelNames) {
    EXPECT_EQ(class_of("[heap]"), MappingClass::heap);
    EXPECT_EQ(class_of("[stack]"), MappingClass::stacks);
    EXPECT_EQ(class_of("[stack:1234]"), MappingClass::stacks);
    EXPECT_EQ(class_of("[vdso]", "r-xp"), MappingClass::other);
    EXPECT_EQ(class_of("[vsyscall]", "--xp"), MappingClass::other);
}

TEST(MappingClass, UnnamedMemoryIsHeapOnlyWhenItMayBeWritten) {
    EXPECT_EQ(class_of("", "rw-p"), MappingClass::heap);
    EXPECT_EQ(class_of("", "rwxp"), MappingClass::heap);
    EXPECT_EQ(class_of("", "r--p"), MappingClass::other);
    EXPECT_EQ(class_of("", "---p"), MappingClass::other);
}

} // namespace
} // namespace leanhost::memory
