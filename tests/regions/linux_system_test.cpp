// What the library asks of the kernel, asked of the real one.
#include "regions/linux_system.hpp"
#include "regions/maps_text.hpp"
#include "support/temp_dir.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <fstream>
#include <vector>

namespace leanhost::regions {
namespace {

constexpr std::size_t page = 4096;

/// A file of three pages, opened and mapped.
class LinuxSystemTest : public testing::Test {
protected:
    LinuxSystemTest() : path(folder.write("Some Module.olean", std::string(3 * page, 'x'))) {
        fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        const std::intptr_t at = kernel.map(
            {.length = 3 * page, .protection = PROT_READ, .flags = MAP_PRIVATE, .fd = fd});
        EXPECT_GT(at, 0);
        place = static_cast<std::uintptr_t>(at);
        errno = errno_before;
    }
    ~LinuxSystemTest() override {
        EXPECT_EQ(errno, errno_before) << "it is the program's";
        kernel.unmap(place, 3 * page);
        ::close(fd);
    }

    std::vector<Mapping> listing() const {
        std::vector<Mapping> result;
        kernel.list_mappings([&](const Mapping& mapping) { result.push_back(mapping); });
        return result;
    }
    // Null when no mapping begins there.
    static const Mapping* find(const std::vector<Mapping>& listing, std::uintptr_t begin) {
        for (const Mapping& mapping : listing) {
            if (mapping.begin == begin)
                return &mapping;
        }
        return nullptr;
    }
    void expect_the_file(const Mapping& mapping) const {
        EXPECT_EQ(mapping.begin, place);
        EXPECT_EQ(mapping.end, place + 3 * page);
        EXPECT_EQ(mapping.offset, 0U);
        EXPECT_TRUE(mapping.is_read_only);
        EXPECT_FALSE(mapping.is_shared);
        FileIdentity identity;
        EXPECT_TRUE(kernel.identify(fd, identity));
        EXPECT_EQ(mapping.inode, identity.inode);
        EXPECT_EQ(mapping.path_hash, kernel.path_hash(fd));
    }

    static constexpr int errno_before = 4321;
    const leanhost::test::TempDir folder;
    const std::filesystem::path path;
    const LinuxSystem kernel{};
    int fd = -1;
    std::uintptr_t place = 0;
};

TEST_F(LinuxSystemTest, IdentifiesRegularFilesOnly) {
    FileIdentity identity;
    ASSERT_TRUE(kernel.identify(fd, identity));
    struct stat facts {};
    ASSERT_EQ(::stat(path.c_str(), &facts), 0);
    EXPECT_EQ(identity.device, facts.st_dev);
    EXPECT_EQ(identity.inode, facts.st_ino);
    EXPECT_EQ(identity.size, 3 * page);
    EXPECT_EQ(identity.mtime_s, facts.st_mtim.tv_sec);
    EXPECT_EQ(identity.mtime_ns, facts.st_mtim.tv_nsec);
    EXPECT_EQ(identity.ctime_s, facts.st_ctim.tv_sec);
    EXPECT_EQ(identity.ctime_ns, facts.st_ctim.tv_nsec);
    EXPECT_FALSE(kernel.identify(-1, identity));
    const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    EXPECT_FALSE(kernel.identify(null, identity));
    ::close(null);
}

TEST_F(LinuxSystemTest, ReadsWhatThereIs) {
    std::vector<char> bytes(4 * page);
    EXPECT_EQ(kernel.read_at(fd, bytes.data(), bytes.size(), 0), 3 * page);
    EXPECT_EQ(kernel.read_at(fd, bytes.data(), 96, 3 * page - 10), 10U);
    EXPECT_EQ(kernel.read_at(fd, bytes.data(), 96, 4 * page), 0U);
    EXPECT_EQ(kernel.read_at(-1, bytes.data(), 96, 0), 0U);
    EXPECT_EQ(bytes[0], 'x');
}

TEST_F(LinuxSystemTest, QueryTellsTheMappingOrSaysThatItCannot) {
    Mapping mapping;
    const MappingAnswer answer = kernel.mapping_at(place + page, mapping);
    if (answer == MappingAnswer::cannot_say)
        GTEST_SKIP() << "a kernel before 6.11";
    ASSERT_EQ(answer, MappingAnswer::found);
    expect_the_file(mapping);
    EXPECT_EQ(kernel.mapping_at(page, mapping), MappingAnswer::nothing_there);
}

TEST_F(LinuxSystemTest, ListingTellsTheMapping) {
    const std::vector<Mapping> all = listing();
    const Mapping* const mapping = find(all, place);
    ASSERT_NE(mapping, nullptr);
    expect_the_file(*mapping);
}

TEST_F(LinuxSystemTest, ListingHasEveryLine) {
    std::ifstream maps("/proc/self/maps");
    std::size_t lines = 0;
    std::uintptr_t last = 0;
    for (std::string line; std::getline(maps, line); ++lines) {
        Mapping mapping;
        EXPECT_TRUE(parse_maps_line(line, mapping));
        last = mapping.begin;
    }
    const std::vector<Mapping> all = listing();
    // The heap gets mappings meanwhile.
    EXPECT_NEAR(static_cast<double>(all.size()), static_cast<double>(lines), 20);
    EXPECT_EQ(all.back().begin, last);
}

TEST_F(LinuxSystemTest, AFileThatWasReplacedHasLostItsPath) {
    EXPECT_NE(kernel.path_hash(fd), 0U);
    folder.write("new", "other");
    std::filesystem::rename(folder.path() / "new", path);
    EXPECT_EQ(kernel.path_hash(fd), 0U);
    const std::vector<Mapping> all = listing();
    ASSERT_NE(find(all, place), nullptr);
    EXPECT_EQ(find(all, place)->path_hash, 0U);
    Mapping mapping;
    if (kernel.mapping_at(place, mapping) == MappingAnswer::found) {
        EXPECT_EQ(mapping.path_hash, 0U);
    }
    EXPECT_EQ(kernel.path_hash(-1), 0U);
}

TEST_F(LinuxSystemTest, ErrorsAreNegativeNumbers) {
    EXPECT_EQ(kernel.map({.length = 0, .protection = PROT_READ, .flags = MAP_PRIVATE, .fd = fd}),
              -EINVAL);
    EXPECT_EQ(kernel.unmap(1, page), -EINVAL);
    EXPECT_EQ(kernel.protect(1, page, PROT_READ), -EINVAL);
    EXPECT_EQ(kernel.remap(1, page, page, 0, 0), -EINVAL);
}

TEST_F(LinuxSystemTest, StorageIsZeroedAndGoesBack) {
    auto* const storage = static_cast<unsigned char*>(kernel.storage(2 * page));
    ASSERT_NE(storage, nullptr);
    EXPECT_EQ(storage[0] + storage[2 * page - 1], 0);
    storage[2 * page - 1] = 1;
    kernel.give_back(storage, 2 * page);
    EXPECT_EQ(kernel.storage(std::size_t{1} << 60), nullptr);
    EXPECT_EQ(find(listing(), reinterpret_cast<std::uintptr_t>(storage)), nullptr);
}

TEST_F(LinuxSystemTest, SignalsComeBackAsTheyWere) {
    sigset_t before;
    sigset_t after;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &before);
    const auto saved = kernel.block_signals();
    sigset_t during;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &during);
    EXPECT_EQ(sigismember(&during, SIGALRM), 1);
    kernel.restore_signals(saved);
    ::pthread_sigmask(SIG_SETMASK, nullptr, &after);
    for (int signal = 1; signal < 64; ++signal)
        EXPECT_EQ(sigismember(&before, signal), sigismember(&after, signal)) << signal;
}

TEST_F(LinuxSystemTest, TimeGoesOn) {
    const std::int64_t before = kernel.now_ms();
    EXPECT_GT(before, 0);
    EXPECT_GE(kernel.now_ms(), before);
}

} // namespace
} // namespace leanhost::regions
