#pragma once

#include "cli/run/coverage.hpp"
#include "cli/run/process_list.hpp"
#include "cli/run/report_pages.hpp"

#include <leanhost/memory_sample.hpp>

#include <chrono>
#include <map>
#include <set>

namespace leanhost::cli {

/// What was seen of one process.
struct ProcessRecord {
    struct Point {
        double at_s = 0; ///< after the watch began
        std::optional<std::uint64_t> gauge_bytes;
        std::optional<std::uint64_t> rss_bytes;
        std::optional<std::uint64_t> pss_bytes;
    };

    ProcessEntry entry;
    std::string command;
    double first_s = 0;
    double last_s = 0;
    std::uint64_t times_seen = 0;
    std::vector<Point> points; ///< at most `max_points`, evenly thinned
    MemorySample peak;         ///< each value's own maximum
    MemorySample last;         ///< the newest
    std::optional<MemoryAttribution> first_attribution;
    std::optional<MemoryAttribution> last_attribution;
    Coverage coverage = Coverage::unknown;
    std::uint32_t mode = 0;         ///< LeanhostRegionsMode, when covered
    LeanhostRegionsStats sharing{}; ///< over all programs that the process ran, when covered

    static constexpr std::size_t max_points = 400;

private:
    friend class ProcessWatch;
    std::uint64_t stride_ = 1;             // samples between two points
    LeanhostRegionsStats ended_sharing_{}; // of programs that are no more
    bool has_ended_ = false;
};

/// Follows the processes below this one and what libleanhost_regions reports from each. Not
/// thread-safe.
class ProcessWatch {
public:
    /// At most `max_records` processes are recorded one by one, 25 KiB each. When there are more,
    /// those that have ended and were smallest go into `left_out`.
    ProcessWatch(ReportFolder& reports,
                 std::filesystem::path library,
                 std::size_t max_records = 4096);

    /// Looks once: one sample of each live process, a report of each covered one. Cost: that of
    /// the samples, about 1 ms for each 256 MiB that the processes hold.
    void look();

    /// In order of appearance. Valid until the next `look`.
    std::vector<const ProcessRecord*> records() const;
    struct LeftOut {
        std::uint64_t processes = 0; ///< that have ended, and are in no record
        std::uint64_t covered = 0;
        LeanhostRegionsStats sharing{};
        bool lacks_live_ones = false; ///< more lived at once than are recorded
    };
    const LeftOut& left_out() const noexcept { return left_out_; }
    double seconds() const;

    /// Module files that covered processes had mapped, some of them.
    const std::set<std::string>& module_files() const noexcept { return module_files_; }

private:
    using Key = std::pair<std::uint64_t, ::pid_t>; // by start, then pid

    void look_at(const ProcessEntry& entry, double now_s);
    void sample(ProcessRecord& record, double now_s);
    void note_module_files(::pid_t pid);
    void take_reports();
    ProcessRecord* record_of(const ReportFolder::Page& taken);
    ProcessRecord* last_started_before(::pid_t pid, std::uint64_t ticks);
    bool leave_one_out();
    ProcessRecord* add_record(const ProcessEntry& entry, double now_s);

    ReportFolder& reports_;
    const std::filesystem::path library_;
    const std::size_t max_records_;
    const std::chrono::steady_clock::time_point start_;
    std::map<Key, ProcessRecord> records_;
    std::map<::pid_t, std::vector<ProcessRecord*>> by_pid_; // in order of appearance
    LeftOut left_out_;
    std::set<std::string> module_files_;
};

} // namespace leanhost::cli
