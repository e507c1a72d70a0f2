// The library linked into this program, on the real kernel: every call that it takes over, with
// modules that have several users here.
#include "support/temp_dir.hpp"

#include <leanhost/regions.h>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace leanhost::regions {
namespace {

constexpr std::size_t page = 4096;
constexpr std::size_t pages = 8;
constexpr std::size_t size = pages * page;

/// A module file whose every page begins with its number, and a place in memory for it.
class LinkedLibrary : public testing::Test {
protected:
    LinkedLibrary() {
        void* const free_place =
            ::mmap(nullptr, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        ::munmap(free_place, 2 * size);
        place = static_cast<char*>(free_place);
        fd = open_module("Module.olean");
        before = leanhost_regions_stats();
    }
    ~LinkedLibrary() override {
        ::close(fd);
        while (is_mapped(place) && ::syscall(SYS_munmap, place, 2 * size) == 0) {
        }
    }

    int open_module(const std::string& name) const {
        std::string content(size, '\0');
        for (std::size_t i = 0; i < pages; ++i)
            content[i * page + 100] = static_cast<char>('a' + i);
        content.replace(0, 6, "olean\2");
        std::memcpy(content.data() + 80, &place, sizeof place);
        return ::open(folder.write(name, content).c_str(), O_RDONLY | O_CLOEXEC);
    }
    char* map() const { return map_file(fd); }
    char* map_file(int file) const {
        return static_cast<char*>(::mmap(place, size, PROT_READ, MAP_PRIVATE, file, 0));
    }
    void map_for(int users) const {
        for (int user = 0; user < users; ++user)
            ASSERT_EQ(map(), place);
    }
    int unmap(std::size_t first, std::size_t count) const {
        return ::munmap(place + first * page, count * page);
    }
    static bool is_mapped(const char* at) {
        return ::msync(const_cast<char*>(at), page, MS_ASYNC) == 0;
    }
    /// Which pages show the file, as letters, and which are not there, as dots.
    std::string shown() const {
        std::string result;
        for (std::size_t i = 0; i < pages; ++i)
            result += is_mapped(place + i * page) ? place[i * page + 100] : '.';
        return result;
    }
    std::uint64_t shares() const { return leanhost_regions_stats().shares - before.shares; }
    std::uint64_t refused(LeanhostRegionsRefusal reason) const {
        return leanhost_regions_stats().refused[reason] - before.refused[reason];
    }

    const leanhost::test::TempDir folder;
    char* place = nullptr;
    int fd = -1;
    LeanhostRegionsStats before{};
};

TEST_F(LinkedLibrary, SharesAndUnmapsWithTheLast) {
    map_for(3);
    EXPECT_EQ(shares(), 2U);
    EXPECT_EQ(unmap(0, pages), 0);
    EXPECT_EQ(unmap(0, pages), 0);
    EXPECT_EQ(shown(), "abcdefgh");
    EXPECT_EQ(unmap(0, pages), 0);
    EXPECT_EQ(shown(), "........");
}

TEST_F(LinkedLibrary, UnmapsInPartsForOneUser) {
    map_for(2);
    EXPECT_EQ(unmap(2, 3), 0);
    EXPECT_EQ(shown(), "abcdefgh");
    EXPECT_EQ(unmap(0, pages), 0);
    EXPECT_EQ(shown(), "ab...fgh");
    EXPECT_EQ(unmap(0, pages), 0);
    EXPECT_EQ(shown(), "........");
    EXPECT_EQ(leanhost_regions_stats().live_shared_bytes, before.live_shared_bytes);
}

TEST_F(LinkedLibrary, ARebuiltFileIsMappedElsewhere) {
    map_for(2);
    const int newer = open_module("Newer.olean");
    char* const elsewhere = map_file(newer);
    ASSERT_NE(elsewhere, MAP_FAILED);
    EXPECT_NE(elsewhere, place);
    EXPECT_EQ(refused(LEANHOST_REGIONS_OTHER_FILE), 1U);
    EXPECT_EQ(::munmap(elsewhere, size), 0);
    EXPECT_EQ(shown(), "abcdefgh");
    ::close(newer);
}

TEST_F(LinkedLibrary, AFileThatWasWrittenToIsMappedElsewhere) {
    map_for(1);
    const int writing = ::open((folder.path() / "Module.olean").c_str(), O_WRONLY | O_CLOEXEC);
    ::usleep(20000); // the file system's clock ticks
    ASSERT_EQ(::pwrite(writing, "Z", 1, 100), 1);
    ::close(writing);
    char* const elsewhere = map();
    EXPECT_NE(elsewhere, place);
    EXPECT_EQ(elsewhere[100], 'Z');
    EXPECT_EQ(refused(LEANHOST_REGIONS_OTHER_FILE), 1U);
    EXPECT_EQ(::munmap(elsewhere, size), 0);
    EXPECT_EQ(unmap(0, pages), 0);
}

TEST_F(LinkedLibrary, MadeWritableItIsNotSharedAnyMore) {
    map_for(2);
    EXPECT_EQ(::mprotect(place, page, PROT_READ | PROT_WRITE), 0);
    char* const elsewhere = map();
    EXPECT_NE(elsewhere, place);
    EXPECT_EQ(refused(LEANHOST_REGIONS_ALTERED), 1U);
    EXPECT_EQ(::munmap(elsewhere, size), 0);
    EXPECT_EQ(unmap(0, pages), 0);
    EXPECT_EQ(shown(), "abcdefgh");
    EXPECT_EQ(unmap(0, pages), 0);
    EXPECT_EQ(shown(), "........");
}

TEST_F(LinkedLibrary, ShrinksForOneUserAndGrowsForNone) {
    map_for(2);
    errno = 0;
    EXPECT_EQ(::mremap(place, size, 2 * size, MREMAP_MAYMOVE), MAP_FAILED);
    EXPECT_EQ(errno, ENOMEM);
    EXPECT_EQ(::mremap(place, size, 3 * page, 0), place);
    EXPECT_EQ(shown(), "abcdefgh");
    EXPECT_EQ(unmap(0, pages), 0);
    EXPECT_EQ(shown(), "abc.....");
    EXPECT_EQ(::mremap(place, 3 * page, 2 * page, 0), place) << "the kernel's again";
    EXPECT_EQ(shown(), "ab......");
    EXPECT_EQ(unmap(0, 2), 0);
}

TEST_F(LinkedLibrary, MappedOverItIsNotSharedAnyMore) {
    map_for(2);
    ASSERT_EQ(::mmap(place, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
              place);
    char* const elsewhere = map();
    EXPECT_NE(elsewhere, place);
    EXPECT_EQ(refused(LEANHOST_REGIONS_ALTERED), 1U);
    EXPECT_EQ(::munmap(elsewhere, size), 0);
    EXPECT_EQ(unmap(0, pages), 0);
    EXPECT_TRUE(is_mapped(place));
    EXPECT_EQ(unmap(0, pages), 0);
    EXPECT_FALSE(is_mapped(place));
}

TEST_F(LinkedLibrary, UnmappedByARawCallItIsMappedAnew) {
    map_for(2);
    ASSERT_EQ(::syscall(SYS_munmap, place, size), 0);
    EXPECT_EQ(map(), place);
    EXPECT_EQ(shown(), "abcdefgh");
    EXPECT_EQ(unmap(0, pages), 0);
    EXPECT_EQ(shown(), "........");
}

TEST_F(LinkedLibrary, MadeWritableByARawCallItIsNotShared) {
    map_for(1);
    ASSERT_EQ(::syscall(SYS_mprotect, place, page, PROT_READ | PROT_WRITE), 0);
    char* const elsewhere = map();
    EXPECT_NE(elsewhere, place);
    EXPECT_EQ(refused(LEANHOST_REGIONS_UNVERIFIED), 1U);
    EXPECT_EQ(::munmap(elsewhere, size), 0);
    EXPECT_EQ(unmap(0, pages), 0);
}

int exit_status_of(pid_t child) {
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(LinkedLibrary, AChildWithoutTheRegionMapsItAnew) {
    map_for(2);
    ASSERT_EQ(::madvise(place, size, MADV_DONTFORK), 0);
    const pid_t child = ::fork();
    if (child == 0)
        ::_exit(!is_mapped(place) && map() == place && shown() == "abcdefgh" ? 0 : 1);
    EXPECT_EQ(exit_status_of(child), 0);
    EXPECT_EQ(unmap(0, pages), 0);
    EXPECT_EQ(unmap(0, pages), 0);
}

TEST_F(LinkedLibrary, AChildsUnmappingIsItsOwn) {
    map_for(2);
    const pid_t child = ::fork();
    if (child == 0) {
        const bool stays = unmap(0, pages) == 0 && is_mapped(place);
        const bool goes = unmap(0, pages) == 0 && !is_mapped(place);
        ::_exit(stays && goes && leanhost_regions_stats().maps == 0 ? 0 : 1);
    }
    EXPECT_EQ(exit_status_of(child), 0);
    EXPECT_EQ(shown(), "abcdefgh");
    EXPECT_EQ(unmap(0, pages), 0);
    EXPECT_EQ(unmap(0, pages), 0);
}

TEST_F(LinkedLibrary, ErrnoIsSetByFailuresAndNothingElse) {
    errno = 77;
    map_for(2);
    EXPECT_EQ(unmap(0, pages), 0);
    EXPECT_EQ(unmap(0, pages), 0);
    EXPECT_EQ(errno, 77);
    EXPECT_EQ(::munmap(place + 1, page), -1);
    EXPECT_EQ(errno, EINVAL);
    EXPECT_EQ(::mmap(place, size, PROT_READ, MAP_PRIVATE, 999, 0), MAP_FAILED);
    EXPECT_EQ(errno, EBADF);
    EXPECT_EQ(::mprotect(place, page, PROT_READ | PROT_WRITE), -1);
    EXPECT_EQ(errno, ENOMEM);
}

} // namespace
} // namespace leanhost::regions
