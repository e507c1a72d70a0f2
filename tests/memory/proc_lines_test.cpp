#include "memory/proc_lines.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <future>
#include <string>
#include <thread>
#include <vector>

namespace leanhost::memory {
namespace {

class ProcLinesTest : public testing::Test {
protected:
    void TearDown() override { ::unlink(path_.c_str()); }

    std::vector<std::string> lines_of(const std::string& text) {
        std::ofstream(path_, std::ios::binary) << text;
        std::vector<std::string> found;
        ProcLines lines(path_.c_str());
        while (const auto line = lines.next())
            found.emplace_back(*line);
        EXPECT_FALSE(lines.has_failed());
        return found;
    }

    const std::string path_ = testing::TempDir() + "proc_lines_test." + std::to_string(::getpid());
};

using Lines = std::vector<std::string>;

TEST_F(ProcLinesTest, SplitsAtNewlines) {
    EXPECT_EQ(lines_of(""), Lines{});
    EXPECT_EQ(lines_of("\n"), Lines{""});
    EXPECT_EQ(lines_of("a\n\nb\n"), (Lines{"a", "", "b"}));
    EXPECT_EQ(lines_of("a\nlast without its end"), (Lines{"a", "last without its end"}));
}

TEST_F(ProcLinesTest, JoinsLinesThatStraddleTheBuffer) {
    Lines expected;
    std::string text;
    for (std::size_t i = 0; i < 3000; ++i) {
        expected.push_back(std::to_string(i) + std::string(i % 97, 'x'));
        text += expected.back() + "\n";
    }
    ASSERT_GT(text.size(), 3 * ProcLines::max_line_bytes);
    EXPECT_EQ(lines_of(text), expected);
}

TEST_F(ProcLinesTest, CutsOverlongLinesAndGoesOnWithTheNext) {
    const std::string head(ProcLines::max_line_bytes, 'a');
    EXPECT_EQ(lines_of(head + "\nb\n"), (Lines{head, "b"}));
    EXPECT_EQ(lines_of(head + "tail\nb\n"), (Lines{head, "b"}));
    EXPECT_EQ(lines_of(head + head + head + "tail\n\nb"), (Lines{head, "", "b"}));
    EXPECT_EQ(lines_of(head + "tail"), (Lines{head}));
}

TEST_F(ProcLinesTest, MissingFileHasFailed) {
    ProcLines lines("/proc/self/no such file");
    EXPECT_FALSE(lines.next());
    EXPECT_TRUE(lines.has_failed());
}

TEST_F(ProcLinesTest, ReadErrorHasFailed) {
    ProcLines lines("/proc/self"); // a directory: opens, does not read
    EXPECT_FALSE(lines.next());
    EXPECT_TRUE(lines.has_failed());
}

TEST_F(ProcLinesTest, SurvivesSignalsWhileItWaits) {
    struct sigaction interrupting {};
    interrupting.sa_handler = [](int) {};
    ASSERT_EQ(::sigaction(SIGUSR1, &interrupting, nullptr), 0); // without SA_RESTART
    ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
    auto reader = std::async(std::launch::async, [&] {
        ProcLines lines(path_.c_str());
        return std::string(lines.next().value_or("none"));
    });
    std::ofstream writer(path_); // returns when the reader has opened
    for (int i = 0; i < 20; ++i) {
        ::kill(::getpid(), SIGUSR1);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    writer << "whole line\n" << std::flush;
    EXPECT_EQ(reader.get(), "whole line");
}

} // namespace
} // namespace leanhost::memory
