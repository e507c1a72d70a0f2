#include "live.hpp"
#include "memory/page_counter.hpp"

#include <leanhost/memory_sample.hpp>

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

namespace leanhost {
namespace {

using memory::test::growth;
using memory::test::mebibyte;

// A child that runs `body`, says so, and waits to be killed. Uses no lock and no heap in the child.
class WaitingChild {
public:
    template <class F>
    explicit WaitingChild(F body) {
        std::array<int, 2> ready;
        EXPECT_EQ(::pipe2(ready.data(), O_CLOEXEC), 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            body();
            static_cast<void>(!::write(ready[1], "x", 1));
            for (;;)
                ::pause();
        }
        ::close(ready[1]);
        char byte = 0;
        EXPECT_EQ(::read(ready[0], &byte, 1), 1);
        ::close(ready[0]);
    }
    WaitingChild(const WaitingChild&) = delete;
    WaitingChild& operator=(const WaitingChild&) = delete;
    ~WaitingChild() {
        kill();
        ::waitpid(pid_, nullptr, 0);
    }

    ::pid_t pid() const { return pid_; }

    // Leaves it as a zombie.
    void kill() const {
        ::kill(pid_, SIGKILL);
        ::siginfo_t info;
        ::waitid(P_PID, static_cast<::id_t>(pid_), &info, WEXITED | WNOWAIT);
    }

private:
    ::pid_t pid_ = -1;
};

::pid_t pid_that_does_not_exist() {
    const ::pid_t pid = ::fork();
    if (pid == 0)
        ::_exit(0);
    ::waitpid(pid, nullptr, 0);
    return pid;
}

void touch_private_memory(std::size_t bytes) {
    void* memory =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memory::test::touch_pages({static_cast<std::byte*>(memory), bytes});
}

// A file of `bytes` mapped read-only and read whole.
class MappedFile {
public:
    MappedFile(const std::string& suffix, std::size_t bytes)
        : path_(testing::TempDir() + "memory_sample_test." + std::to_string(::getpid()) + suffix),
          bytes_(bytes) {
        const int fd = ::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        const std::vector<char> content(bytes, 'x');
        EXPECT_EQ(::write(fd, content.data(), bytes), static_cast<::ssize_t>(bytes));
        address_ = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
        EXPECT_NE(address_, MAP_FAILED);
        ::close(fd);
        memory::test::read_pages({static_cast<const std::byte*>(address_), bytes});
    }
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;
    ~MappedFile() {
        ::munmap(address_, bytes_);
        unlink();
    }

    void unlink() const { ::unlink(path_.c_str()); }

private:
    std::string path_;
    std::size_t bytes_;
    void* address_ = nullptr;
};

TEST(MemorySample, OfThisProcessHasEveryValue) {
    const MemorySample sample = sample_this_process();
    ASSERT_TRUE(sample.gauge_bytes() && sample.rss_bytes && sample.pss_bytes && sample.uss_bytes &&
                sample.private_dirty_bytes);
    EXPECT_GT(*sample.anonymous_bytes, 0);
    EXPECT_LE(*sample.anonymous_bytes, *sample.rss_bytes);
    EXPECT_LE(*sample.uss_bytes, *sample.rss_bytes);
    EXPECT_LE(*sample.pss_bytes, *sample.rss_bytes);
    EXPECT_LE(*sample.private_dirty_bytes, *sample.uss_bytes);
}

TEST(MemorySample, FileMappingCountsInRssNotInTheGauge) {
    LEANHOST_NEEDS_TRUE_SIZES();
    const MemorySample before = sample_this_process();
    const MappedFile file(".olean", 32 * mebibyte);
    const MemorySample after = sample_this_process();
    EXPECT_NEAR(growth(before.rss_bytes, after.rss_bytes), 32 * mebibyte, mebibyte);
    EXPECT_NEAR(growth(before.gauge_bytes(), after.gauge_bytes()), 0, mebibyte);
}

TEST(MemoryAttribution, FileMappingIsAMappedModuleAlsoWhenDeleted) {
    const auto modules = [] {
        return attribute_this_process()
            .value_or(MemoryAttribution{})
            .of(MappingClass::mapped_modules);
    };
    const MappingClassBytes before = modules();
    const MappedFile file(".olean.private", 8 * mebibyte);
    EXPECT_EQ(modules().rss_bytes - before.rss_bytes, 8 * mebibyte);
    EXPECT_EQ(modules().anonymous_bytes, before.anonymous_bytes);
    file.unlink();
    EXPECT_EQ(modules().rss_bytes - before.rss_bytes, 8 * mebibyte);
}

TEST(MemoryAttribution, TotalAgreesWithTheSample) {
    LEANHOST_NEEDS_TRUE_SIZES();
    const auto attribution = attribute_this_process();
    const MemorySample sample = sample_this_process();
    ASSERT_TRUE(attribution && sample.gauge_bytes() && sample.rss_bytes);
    EXPECT_NEAR(growth(attribution->total.gauge_bytes(), sample.gauge_bytes()), 0, 256 * 1024);
    EXPECT_NEAR(growth(attribution->total.rss_bytes, sample.rss_bytes), 0, 256 * 1024);
}

TEST(MemorySample, OfAChildIsTheChilds) {
    LEANHOST_NEEDS_TRUE_SIZES();
    const WaitingChild idle([] {});
    const WaitingChild busy([] { touch_private_memory(32 * mebibyte); });
    const MemorySample idle_sample = sample_process(idle.pid());
    const MemorySample busy_sample = sample_process(busy.pid());
    EXPECT_NEAR(growth(idle_sample.gauge_bytes(), busy_sample.gauge_bytes()), 32 * mebibyte,
                mebibyte);
    EXPECT_NEAR(growth(idle_sample.uss_bytes, busy_sample.uss_bytes), 32 * mebibyte, mebibyte);
    EXPECT_NEAR(growth(sample_anonymous_fast(idle.pid()), sample_anonymous_fast(busy.pid())),
                32 * mebibyte, 2 * mebibyte);
}

TEST(MemoryAttribution, OfAChildIsTheChilds) {
    LEANHOST_NEEDS_TRUE_SIZES();
    const WaitingChild idle([] {});
    const WaitingChild busy([] { touch_private_memory(32 * mebibyte); });
    const auto idle_heap = attribute_process(idle.pid()).value().of(MappingClass::heap);
    const auto busy_heap = attribute_process(busy.pid()).value().of(MappingClass::heap);
    EXPECT_NEAR(growth(idle_heap.gauge_bytes(), busy_heap.gauge_bytes()), 32 * mebibyte, mebibyte);
}

TEST(MemorySample, OfAPidThatDoesNotExistIsUnavailableNotZero) {
    for (const ::pid_t pid : {pid_that_does_not_exist(), 0, -1}) {
        EXPECT_EQ(sample_process(pid), MemorySample{}) << pid;
        EXPECT_EQ(sample_process(pid).gauge_bytes(), std::nullopt) << pid;
        EXPECT_EQ(sample_anonymous_fast(pid), std::nullopt) << pid;
        EXPECT_EQ(attribute_process(pid), std::nullopt) << pid;
    }
}

TEST(MemorySample, OfAZombieIsUnavailableNotZero) {
    const WaitingChild child([] {});
    child.kill();
    EXPECT_EQ(sample_process(child.pid()), MemorySample{});
    EXPECT_EQ(sample_anonymous_fast(child.pid()), std::nullopt);
    EXPECT_EQ(attribute_process(child.pid()), std::nullopt);
}

// The main thread's entry in /proc has no memory once that thread has ended; the process has.
TEST(MemorySample, OutlivesTheMainThread) {
    LEANHOST_SKIP_WHEN_SANITIZED("the runtime expects a main thread that ends with the process");
    const ::pid_t pid = ::fork();
    if (pid == 0) {
        static ::pthread_t main_thread;
        main_thread = ::pthread_self();
        ::pthread_t sampler;
        ::pthread_create(
            &sampler, nullptr,
            [](void*) -> void* {
                ::pthread_join(main_thread, nullptr);
                const bool available = sample_this_process().gauge_bytes().has_value() &&
                                       attribute_this_process().has_value();
                ::_exit(available ? 0 : 1);
            },
            nullptr);
        ::syscall(SYS_exit, 0); // this thread alone; pthread_exit would unwind through the test
    }
    int status = -1;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST(PagemapCounter, TellsTouchedPagesFromUntouchedOnes) {
    constexpr std::size_t page = 4096;
    constexpr std::size_t count = 1500; // more than one buffer of the counter
    void* memory =
        ::mmap(nullptr, count * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    // Where all memory may have pages of 2 MiB, the first touch would take them.
    ASSERT_EQ(::madvise(memory, count * page, MADV_NOHUGEPAGE), 0);
    memory::test::touch_pages({static_cast<std::byte*>(memory), 700 * page});
    const auto begin = reinterpret_cast<std::uintptr_t>(memory);
    memory::PagemapCounter counter;
    const auto bytes = counter.count(begin, begin + count * page);
    ASSERT_TRUE(bytes);
    EXPECT_EQ(bytes->anonymous + bytes->swapped, 700 * page);
    EXPECT_EQ(bytes->file, 0);
    ::munmap(memory, count * page);
}

} // namespace
} // namespace leanhost
