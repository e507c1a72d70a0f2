#include "cli/run/process_watch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace leanhost::cli {
namespace {

// A child of this process that lives until this goes.
class Child {
public:
    Child() : pid_(::fork()) {
        if (pid_ == 0) {
            ::pause();
            ::_exit(0);
        }
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    ::pid_t pid() const { return pid_; }

private:
    const ::pid_t pid_;
};

std::vector<::pid_t> pids_of(const ProcessWatch& watch) {
    std::vector<::pid_t> pids;
    for (const ProcessRecord* const record : watch.records())
        pids.push_back(record->entry.pid);
    return pids;
}

TEST(ProcessWatch, EndedProcessesMakeRoomForNewOnes) {
    ReportFolder reports;
    ProcessWatch watch(reports, "/no/library", 2);
    const Child lasting;
    {
        const Child first;
        watch.look();
        EXPECT_THAT(pids_of(watch), testing::UnorderedElementsAre(lasting.pid(), first.pid()));
    }
    const Child second;
    watch.look();
    EXPECT_THAT(pids_of(watch), testing::UnorderedElementsAre(lasting.pid(), second.pid()));
    EXPECT_EQ(watch.left_out().processes, 1U);
}

TEST(ProcessWatch, LiveProcessesAreNeverGivenUp) {
    ReportFolder reports;
    ProcessWatch watch(reports, "/no/library", 1);
    const Child first;
    watch.look();
    const Child second;
    watch.look();
    EXPECT_THAT(pids_of(watch), testing::ElementsAre(first.pid()));
    EXPECT_EQ(watch.left_out().processes, 0U);
    EXPECT_TRUE(watch.left_out().lacks_live_ones);
}

TEST(ProcessWatch, PointsAreThinnedAndTheNewestSampleIsKept) {
    ReportFolder reports;
    ProcessWatch watch(reports, "/no/library");
    const Child child;
    for (int i = 0; i < 2 * static_cast<int>(ProcessRecord::max_points); ++i)
        watch.look();
    const ProcessRecord& record = *watch.records().at(0);
    EXPECT_LE(record.points.size(), ProcessRecord::max_points);
    EXPECT_GE(record.points.size(), ProcessRecord::max_points / 4);
    EXPECT_EQ(record.times_seen, 2 * ProcessRecord::max_points);
    EXPECT_TRUE(record.last.gauge_bytes());
    EXPECT_TRUE(std::is_sorted(record.points.begin(), record.points.end(),
                               [](const auto& a, const auto& b) { return a.at_s < b.at_s; }));
}

} // namespace
} // namespace leanhost::cli
