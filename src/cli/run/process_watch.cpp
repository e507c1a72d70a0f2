#include "cli/run/process_watch.hpp"

#include "memory/proc_lines.hpp"
#include "memory/smaps_parser.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <memory>

namespace leanhost::cli {
namespace {

constexpr std::size_t max_command_bytes = 300;

// Whether `command` is a command line of the program at the path `program`.
bool runs(std::string_view command, std::string_view program) {
    const auto last_part = [](std::string_view path) {
        return path.substr(path.rfind('/') + 1); // npos + 1 is 0
    };
    return last_part(command.substr(0, command.find(' '))) == last_part(program);
}
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

} // namespace

ProcessWatch::ProcessWatch(ReportFolder& reports,
                           std::filesystem::path library,
                           std::size_t max_records)
    : reports_(reports), library_(std::move(library)), max_records_(max_records),
      start_(std::chrono::steady_clock::now()) {}

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

// Null when there are too many, and all of them live.
ProcessRecord* ProcessWatch::add_record(const ProcessEntry& entry, double now_s) {
    if (records_.size() >= max_records_ && !leave_one_out()) {
        left_out_.lacks_live_ones = true; // and will be asked for again
        return nullptr;
    }
    ProcessRecord& record = records_[{entry.start_ticks, entry.pid}];
    record.entry = entry;
    record.first_s = record.last_s = now_s;
    by_pid_[entry.pid].push_back(&record);
    return &record;
}

// Of the ended ones that with the smallest peak goes: it stays in the sums.
bool ProcessWatch::leave_one_out() {
    const auto weight = [](const ProcessRecord& record) {
        return record.peak.gauge_bytes().value_or(0);
    };
    auto least = records_.end();
    for (auto at = records_.begin(); at != records_.end(); ++at) {
        ProcessRecord& record = at->second;
        record.has_ended_ = record.has_ended_ || !find_live_process(record.entry.pid);
        if (record.has_ended_ &&
            (least == records_.end() || weight(record) < weight(least->second)))
            least = at;
    }
    if (least == records_.end())
        return false;
    const ProcessRecord& record = least->second;
    ++left_out_.processes;
    if (record.coverage == Coverage::covered) {
        ++left_out_.covered;
        add_report(left_out_.sharing, record.sharing);
    }
    std::vector<ProcessRecord*>& same_pid = by_pid_[record.entry.pid];
    std::erase(same_pid, &least->second);
    if (same_pid.empty())
        by_pid_.erase(record.entry.pid);
    records_.erase(least);
    return true;
}

void ProcessWatch::sample(ProcessRecord& record, double now_s) {
    const MemorySample sample = sample_process(record.entry.pid);
    keep_maxima(record.peak, sample);
    record.last = sample;
    if (record.times_seen % record.stride_ != 0 && record.times_seen != 1)
        return;
    record.points.push_back({now_s, sample.gauge_bytes(), sample.rss_bytes, sample.pss_bytes});
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
        record.sharing = record.ended_sharing_;
    for (const ReportFolder::Page& taken : reports_.take()) {
        const LeanhostRegionsPage& page = taken.content;
        ProcessRecord* const record = record_of(taken);
        if (record == nullptr)
            continue;
        if (taken.is_final) {
            add_report(record->ended_sharing_, page.stats);
            record->has_ended_ = true;
        }
        if (may_be_covered(record->coverage)) {
            record->coverage =
                page.mode == LEANHOST_REGIONS_OFF ? Coverage::switched_off : Coverage::covered;
        }
        record->mode = page.mode;
        // One that was seen once may have been seen before it became that program.
        if (record->command.empty() ||
            (record->times_seen <= 1 && !runs(record->command, page.program)))
            record->command = page.program;
        add_report(record->sharing, page.stats);
    }
}

// The process with that pid that started last before the page was made. One that ended between two
// looks is known by its page alone, and one in a container of its own, whose pid here we do not
// know.
ProcessRecord* ProcessWatch::record_of(const ReportFolder::Page& taken) {
    const LeanhostRegionsPage& page = taken.content;
    const auto pid = static_cast<::pid_t>(page.pid);
    const bool is_ours = page.pid_namespace == reports_.pid_namespace();
    if (is_ours) {
        if (ProcessRecord* const seen = last_started_before(pid, start_ticks_at(page.started_ns)))
            return seen;
        if (!taken.is_final)
            return nullptr; // the next look will see it
    }
    // A time in nanoseconds is no tick of a process that was seen.
    const auto unique = static_cast<std::uint64_t>(page.started_ns);
    if (const auto known = records_.find({unique, pid}); known != records_.end())
        return &known->second;
    ProcessEntry entry;
    entry.pid = pid;
    entry.parent = static_cast<::pid_t>(page.parent_pid);
    entry.start_ticks = unique;
    return add_record(entry, seconds());
}

ProcessRecord* ProcessWatch::last_started_before(::pid_t pid, std::uint64_t ticks) {
    const auto same_pid = by_pid_.find(pid);
    if (same_pid == by_pid_.end())
        return nullptr;
    ProcessRecord* found = nullptr;
    for (ProcessRecord* const record : same_pid->second) {
        if (record->entry.start_ticks <= ticks)
            found = record;
    }
    return found;
}

} // namespace leanhost::cli
