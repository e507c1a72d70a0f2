#include "cli/run/coverage.hpp"
#include "cli/run/process_list.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace leanhost::cli {
namespace {

// The 22nd field is the start time.
std::string stat_line(const std::string& name) {
    return "42 (" + name + ") S 7 42 42 0 -1 4194560 1 0 0 0 5 6 0 0 20 0 1 0 987654 1000 200\n";
}

TEST(ProcessStat, ReadsParentStateAndStart) {
    const auto entry = parse_process_stat(stat_line("cat"));
    ASSERT_TRUE(entry);
    EXPECT_EQ(entry->pid, 42);
    EXPECT_EQ(entry->parent, 7);
    EXPECT_EQ(entry->state, 'S');
    EXPECT_EQ(entry->start_ticks, 987654U);
}

TEST(ProcessStat, NamesMayHoldSpacesAndBrackets) {
    for (const char* name : {"a b", "x) R 1 (y", ") S 1", "", "((("}) {
        const auto entry = parse_process_stat(stat_line(name));
        ASSERT_TRUE(entry) << name;
        EXPECT_EQ(entry->parent, 7) << name;
        EXPECT_EQ(entry->start_ticks, 987654U) << name;
    }
}

TEST(ProcessStat, RefusesWhatIsCutAnywhereBeforeTheStart) {
    const std::string line = stat_line("cat");
    const std::size_t start = line.find("987654");
    for (std::size_t size = 0; size <= start; ++size) {
        EXPECT_FALSE(parse_process_stat(line.substr(0, size))) << line.substr(0, size);
    }
}

TEST(ProcessStat, ReadsThisProcess) {
    const auto below = list_descendants(::getppid());
    const auto own = std::find_if(below.begin(), below.end(),
                                  [](const ProcessEntry& e) { return e.pid == ::getpid(); });
    ASSERT_NE(own, below.end());
    EXPECT_EQ(own->parent, ::getppid());
}

TEST(ListDescendants, FindsGrandchildrenBehindTheirParents) {
    int fds[2];
    ASSERT_EQ(::pipe(fds), 0);
    const ::pid_t child = ::fork();
    if (child == 0) {
        const ::pid_t grandchild = ::fork();
        if (grandchild == 0) {
            ::pause();
            ::_exit(0);
        }
        static_cast<void>(::write(fds[1], &grandchild, sizeof grandchild) < 0);
        ::pause();
        ::_exit(0);
    }
    ::pid_t grandchild = 0;
    ASSERT_EQ(::read(fds[0], &grandchild, sizeof grandchild),
              static_cast<ssize_t>(sizeof grandchild));
    std::vector<::pid_t> pids;
    for (const ProcessEntry& entry : list_descendants(::getpid()))
        pids.push_back(entry.pid);
    EXPECT_THAT(pids, testing::ElementsAre(child, grandchild));
    ::kill(grandchild, SIGKILL);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ::close(fds[0]);
    ::close(fds[1]);
}

TEST(CommandLine, HasNoControlCharacters) {
    const std::string line = command_line_of(::getpid(), 100);
    EXPECT_FALSE(line.empty());
    EXPECT_THAT(line, testing::Each(testing::Ge(' ')));
    EXPECT_EQ(command_line_of(::getpid(), 5).size(), 5U);
    EXPECT_EQ(command_line_of(-1, 100), "");
}

TEST(Coverage, TellsStaticProgramsFromDynamicOnes) {
    EXPECT_TRUE(has_dynamic_linker("/proc/self/exe"));
    EXPECT_FALSE(has_dynamic_linker(LEANHOST_STATIC_PROGRAM));
    EXPECT_FALSE(has_dynamic_linker("/etc/passwd"));
    EXPECT_FALSE(has_dynamic_linker("/nowhere"));
}

TEST(Coverage, SaysThatALibraryWasNotPreloaded) {
    EXPECT_EQ(look_at_coverage(::getpid(), "/no/such/library.so"), Coverage::environment_cleared);
    EXPECT_EQ(look_at_coverage(-1, "/no/such/library.so"), Coverage::unknown);
}

} // namespace
} // namespace leanhost::cli
