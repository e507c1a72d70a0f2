#include "cli/run/process_watch.hpp"

#include "memory/proc_lines.hpp"
#include "memory/smaps_parser.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <ctime>
#include <memory>

namespace leanhost::cli {
namespace {

constexpr std::size_t max_command_bytes = 300;
constexpr std::size_t max_module_files = 256;

void keep_maximum(std::optional<std::uint64_t>& peak, std::optional<std::uint64_t> value) {
    if (value && (!peak || *peak < *value))
        peak = value;
}

void keep_maxima(MemorySample& peak, const MemorySample& sample) {
    keep_maximum(peak.anonymous_bytes, sample.anonymous_bytes);
    keep_maximum(peak.swap_bytes, sample.swap_bytes);
    keep_maximum(peak.rss_bytes, sample.rss_bytes);
    keep_maximum(peak.pss_bytes, sample.pss_bytes);
    keep_maximum(peak.uss_bytes, sample.uss_bytes);
    keep_maximum(peak.private_dirty_bytes, sample.private_dirty_bytes);
}

// What a program before this one in the same process counted stays; what lives is the last one's.
void add_report(LeanhostRegionsStats& sum, const LeanhostRegionsStats& report) {
    sum.maps += report.maps;
    sum.mapped_bytes += report.mapped_bytes;
    sum.shares += report.shares;
    sum.shared_bytes += report.shared_bytes;
    sum.releases += report.releases;
    sum.unmaps += report.unmaps;
    sum.live_regions = report.live_regions;
    sum.live_bytes = report.live_bytes;
    sum.live_shared_bytes = report.live_shared_bytes;
    sum.table_bytes = report.table_bytes;
    for (std::size_t i = 0; i < LEANHOST_REGIONS_REFUSALS; ++i)
        sum.refused[i] += report.refused[i];
}

// A page may be what a process left behind when it ran another program, one without the library.
bool may_be_covered(Coverage seen) {
    return seen != Coverage::statically_linked && seen != Coverage::privileged &&
           seen != Coverage::environment_cleared;
}

std::int64_t nanoseconds_of(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

// A process's start is known in ticks after boot, a page's on the monotonic clock.
std::uint64_t ticks_of(std::int64_t monotonic_ns) {
    const std::int64_t after_boot_ns =
        monotonic_ns + nanoseconds_of(CLOCK_BOOTTIME) - nanoseconds_of(CLOCK_MONOTONIC);
    const std::int64_t tick_ns = 1'000'000'000 / ::sysconf(_SC_CLK_TCK);
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, after_boot_ns / tick_ns));
}

} // namespace

ProcessWatch::ProcessWatch(const ReportFolder& reports, std::filesystem::path library)
    : reports_(reports), library_(std::move(library)), start_(std::chrono::steady_clock::now()) {}

double ProcessWatch::seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

std::vector<const ProcessRecord*> ProcessWatch::records() const {
    std::vector<const ProcessRecord*> result;
    for (const auto& [key, record] : records_)
        result.push_back(&record);
    return result;
}

void ProcessWatch::look() {
    for (const ProcessEntry& entry : list_descendants(::getpid())) {
        if (!entry.is_zombie())
            look_at(entry, seconds());
    }
    take_reports();
}

void ProcessWatch::look_at(const ProcessEntry& entry, double now_s) {
    const auto found = records_.find({entry.start_ticks, entry.pid});
    ProcessRecord* const known =
        found != records_.end() ? &found->second : add_record(entry, now_s);
    if (known == nullptr)
        return;
    ProcessRecord& record = *known;
    ++record.times_seen;
    record.last_s = now_s;
    sample(record, now_s);
    // Ever more seldom: it walks all mappings.
    if (!std::has_single_bit(record.times_seen))
        return;
    if (std::string command = command_line_of(entry.pid, max_command_bytes); !command.empty())
        record.command = std::move(command);
    record.coverage = look_at_coverage(entry.pid, library_);
    if (auto attribution = attribute_process(entry.pid)) {
        if (!record.first_attribution)
            record.first_attribution = attribution;
        record.last_attribution = attribution;
    }
    note_module_files(entry.pid);
}

// Null when there are too many.
ProcessRecord* ProcessWatch::add_record(const ProcessEntry& entry, double now_s) {
    if (records_.size() >= max_records) {
        has_left_out_ = true;
        return nullptr;
    }
    ProcessRecord& record = records_[{entry.start_ticks, entry.pid}];
    record.entry = entry;
    record.first_s = record.last_s = now_s;
    by_pid_[entry.pid].push_back(&record);
    return &record;
}

void ProcessWatch::sample(ProcessRecord& record, double now_s) {
    const MemorySample sample = sample_process(record.entry.pid);
    keep_maxima(record.peak, sample);
    if (record.times_seen % record.stride_ != 0 && record.times_seen != 1)
        return;
    record.points.push_back({now_s, sample});
    if (record.points.size() < ProcessRecord::max_points)
        return;
    record.stride_ *= 2;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < record.points.size(); i += 2)
        record.points[kept++] = record.points[i];
    record.points.resize(kept);
}

void ProcessWatch::note_module_files(::pid_t pid) {
    const auto maps =
        std::make_unique<memory::ProcLines>(fmt::format("/proc/{}/maps", pid).c_str());
    while (const auto line = maps->next()) {
        if (module_files_.size() >= max_module_files)
            return;
        const auto mapping = memory::parse_mapping_header(*line);
        if (mapping && mapping->name.ends_with(".olean"))
            module_files_.emplace(mapping->name);
    }
}

void ProcessWatch::take_reports() {
    for (auto& [key, record] : records_)
        record.sharing = LeanhostRegionsStats{};
    for (const LeanhostRegionsPage& page : reports_.read()) {
        ProcessRecord* const record = record_of(page);
        if (record == nullptr)
            continue;
        if (may_be_covered(record->coverage)) {
            record->coverage =
                page.mode == LEANHOST_REGIONS_OFF ? Coverage::switched_off : Coverage::covered;
        }
        record->mode = page.mode;
        if (record->command.empty())
            record->command = page.program;
        add_report(record->sharing, page.stats);
    }
}

// The process with that pid that started last before the page was made. One that ended between two
// looks is known by its page alone.
ProcessRecord* ProcessWatch::record_of(const LeanhostRegionsPage& page) {
    const std::uint64_t page_ticks = ticks_of(page.started_ns);
    constexpr std::uint64_t rounding_ticks = 2;
    const auto pid = static_cast<::pid_t>(page.pid);
    ProcessRecord* found = nullptr;
    if (const auto same_pid = by_pid_.find(pid); same_pid != by_pid_.end()) {
        for (ProcessRecord* const record : same_pid->second) {
            if (record->entry.start_ticks <= page_ticks + rounding_ticks)
                found = record;
        }
    }
    if (found != nullptr)
        return found;
    ProcessEntry entry;
    entry.pid = pid;
    entry.parent = static_cast<::pid_t>(page.parent_pid);
    entry.start_ticks = page_ticks;
    return add_record(entry, seconds());
}

} // namespace leanhost::cli
