#include "cli/run/run_report.hpp"

#include "base/unique_fd.hpp"
#include "cli/memory_json.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>

#include <algorithm>
#include <iterator>
#include <numeric>

namespace leanhost::cli {
namespace {

using nlohmann::ordered_json;
constexpr double mib = 1024.0 * 1024.0;
constexpr std::size_t max_rows = 24;

std::uint64_t refused_of(const ordered_json& sharing) {
    std::uint64_t sum = 0;
    for (const auto& count : sharing["refused"])
        sum += count.get<std::uint64_t>();
    return sum;
}

ordered_json growth_json(const ProcessRecord& record) {
    if (!record.first_attribution || !record.last_attribution)
        return nullptr;
    ordered_json growth;
    for (std::size_t i = 0; i < mapping_class_count; ++i) {
        const auto of = static_cast<MappingClass>(i);
        growth[mapping_class_name(of)] =
            static_cast<std::int64_t>(record.last_attribution->of(of).gauge_bytes()) -
            static_cast<std::int64_t>(record.first_attribution->of(of).gauge_bytes());
    }
    return growth;
}

ordered_json points_json(const ProcessRecord& record) {
    ordered_json points = ordered_json::array();
    for (const auto& point : record.points) {
        points.push_back({{"at_s", point.at_s},
                          {"gauge_bytes", optional_json(point.gauge_bytes)},
                          {"rss_bytes", optional_json(point.rss_bytes)},
                          {"pss_bytes", optional_json(point.pss_bytes)}});
    }
    return points;
}

ordered_json process_json(const ProcessRecord& record) {
    const bool is_covered = record.coverage == Coverage::covered;
    return {{"pid", record.entry.pid},
            {"parent_pid", record.entry.parent},
            {"command", record.command},
            {"first_s", record.first_s},
            {"last_s", record.last_s},
            {"coverage", coverage_name(record.coverage)},
            {"coverage_text", coverage_text(record.coverage)},
            {"region_sharing", is_covered ? to_json(record.sharing) : ordered_json()},
            {"peak", to_json(record.peak)},
            {"last", to_json(record.last)},
            {"attribution", to_json(record.last_attribution)},
            {"anonymous_growth", growth_json(record)},
            {"samples", points_json(record)}};
}

ordered_json status_json(std::optional<int> wait_status) {
    if (!wait_status)
        return nullptr;
    if (WIFEXITED(*wait_status))
        return {{"exit", WEXITSTATUS(*wait_status)}};
    return {{"signal", WTERMSIG(*wait_status)}};
}

ordered_json totals_json(const ordered_json& processes,
                         const ProcessWatch::LeftOut& left_out,
                         const std::optional<ReadingSpeed>& speed) {
    std::uint64_t covered = left_out.covered;
    std::uint64_t shares = left_out.sharing.shares;
    std::uint64_t shared_bytes = left_out.sharing.shared_bytes;
    std::uint64_t refused = refused_of(to_json(left_out.sharing));
    for (const auto& process : processes) {
        const ordered_json& sharing = process["region_sharing"];
        if (!sharing.is_object())
            continue;
        ++covered;
        shares += sharing["shares"].get<std::uint64_t>();
        shared_bytes += sharing["shared_bytes"].get<std::uint64_t>();
        refused += refused_of(sharing);
    }
    ordered_json totals{{"processes", processes.size() + left_out.processes},
                        {"covered", covered},
                        {"shares", shares},
                        {"shared_bytes", shared_bytes},
                        {"refused", refused}};
    totals["reading_bytes_per_second"] =
        speed ? ordered_json(speed->bytes_per_second) : ordered_json();
    totals["seconds_saved_at_least"] =
        speed ? ordered_json(static_cast<double>(shared_bytes) / speed->bytes_per_second)
              : ordered_json();
    return totals;
}

std::string in_mib(const ordered_json& bytes) {
    return bytes.is_number() ? fmt::format("{:.1f}", bytes.get<double>() / mib) : "-";
}

std::string cut(std::string text, std::size_t size) {
    if (text.size() > size)
        text = text.substr(0, size - 3) + "...";
    return text;
}

// A file's bytes into a fresh buffer, each word looked at once, as a relocation must.
std::uint64_t read_privately(const std::string& path, std::uint64_t limit) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    const auto size = fd ? ::lseek(fd.get(), 0, SEEK_END) : 0;
    if (size <= 0)
        return 0;
    const auto bytes = std::min(limit, static_cast<std::uint64_t>(size));
    std::vector<std::uint64_t> words(bytes / sizeof(std::uint64_t));
    const ssize_t n = ::pread(fd.get(), words.data(), words.size() * sizeof words[0], 0);
    volatile std::uint64_t sum = std::accumulate(words.begin(), words.end(), std::uint64_t{0});
    static_cast<void>(sum);
    return n > 0 ? static_cast<std::uint64_t>(n) : 0;
}

void add_process_row(std::string& text, const ordered_json& process) {
    const ordered_json& sharing = process["region_sharing"];
    const bool is_covered = sharing.is_object();
    fmt::format_to(
        std::back_inserter(text), "{:>8} {:>9} {:>9} {:>9} {:>9} {:>8} {:>9}  {:<3} {}\n",
        process["pid"].get<long>(), in_mib(process["last"]["gauge_bytes"]),
        in_mib(process["peak"]["gauge_bytes"]), in_mib(process["peak"]["rss_bytes"]),
        in_mib(process["peak"]["pss_bytes"]), is_covered ? sharing["shares"].dump() : "-",
        is_covered ? in_mib(sharing["shared_bytes"]) : "-", is_covered ? "yes" : "NO",
        cut(process["command"], 60));
}

void add_growth(std::string& text, const ordered_json& process) {
    const ordered_json& growth = process["anonymous_growth"];
    if (!growth.is_object())
        return;
    std::string parts;
    for (const auto& [name, bytes] : growth.items()) {
        if (bytes.get<double>() >= mib)
            fmt::format_to(std::back_inserter(parts), " {} {}", name, in_mib(bytes));
    }
    if (!parts.empty())
        fmt::format_to(std::back_inserter(text), "  {}{}\n", process["pid"].get<long>(), parts);
}

void add_unreported(std::string& text, const std::vector<const ordered_json*>& rows) {
    std::size_t count = 0;
    for (const ordered_json* const process : rows) {
        if ((*process)["region_sharing"].is_object() || ++count > max_rows)
            continue;
        text += fmt::format("no report: {} {}: {}\n", (*process)["pid"].get<long>(),
                            cut((*process)["command"], 40),
                            (*process)["coverage_text"].get<std::string>());
    }
    if (count > max_rows)
        text += fmt::format("no report: {} more\n", count - max_rows);
}

} // namespace

std::optional<ReadingSpeed> measure_reading_speed(const std::set<std::string>& files) {
    constexpr std::uint64_t enough_bytes = 64 << 20;
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    std::uint64_t bytes = 0;
    for (const std::string& file : files) {
        if (bytes < enough_bytes)
            bytes += read_privately(file, enough_bytes - bytes);
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    if (bytes == 0 || seconds <= 0)
        return std::nullopt;
    return ReadingSpeed{static_cast<double>(bytes) / seconds, bytes};
}

ordered_json run_report_json(const ProcessWatch& watch,
                             const std::vector<std::string>& command,
                             std::string_view mode,
                             std::optional<int> wait_status,
                             const std::optional<ReadingSpeed>& speed) {
    ordered_json processes = ordered_json::array();
    for (const ProcessRecord* const record : watch.records())
        processes.push_back(process_json(*record));
    ordered_json totals = totals_json(processes, watch.left_out(), speed);
    return {{"schema", "leanhost.run/1"},
            {"command", command},
            {"mode", mode},
            {"status", status_json(wait_status)},
            {"seconds", watch.seconds()},
            {"totals", std::move(totals)},
            {"left_out_processes", watch.left_out().processes},
            {"lacks_live_processes", watch.left_out().lacks_live_ones},
            {"processes", std::move(processes)}};
}

std::string run_report_text(const ordered_json& report) {
    const ordered_json& totals = report["totals"];
    std::string text =
        fmt::format("leanhost run: {:.1f} s, {} processes seen, {} of them under region sharing\n"
                    "{:>8} {:>9} {:>9} {:>9} {:>9} {:>8} {:>9}  {:<3} {}\n",
                    report["seconds"].get<double>(), totals["processes"].get<std::uint64_t>(),
                    totals["covered"].get<std::uint64_t>(), "pid", "anon MiB", "peak", "peak RSS",
                    "peak PSS", "shared", "saved MiB", "on", "command");
    std::vector<const ordered_json*> rows;
    for (const auto& process : report["processes"])
        rows.push_back(&process);
    const auto weight = [](const ordered_json* process) {
        const ordered_json& bytes = (*process)["peak"]["gauge_bytes"];
        return bytes.is_number() ? bytes.get<std::uint64_t>() : 0;
    };
    std::stable_sort(rows.begin(), rows.end(),
                     [&](const auto* a, const auto* b) { return weight(a) > weight(b); });
    for (std::size_t i = 0; i < std::min(rows.size(), max_rows); ++i)
        add_process_row(text, *rows[i]);
    if (rows.size() > max_rows)
        text += fmt::format("  … and {} smaller ones (--memory-report lists all)\n",
                            rows.size() - max_rows);
    if (const auto left_out = report["left_out_processes"].get<std::uint64_t>(); left_out > 0)
        text += fmt::format("  … and {} that are only in the sums\n", left_out);
    if (report["lacks_live_processes"].get<bool>())
        text += "  … and some that nothing was recorded of: too many lived at once\n";
    std::string growth;
    for (std::size_t i = 0; i < std::min(rows.size(), max_rows); ++i)
        add_growth(growth, *rows[i]);
    if (!growth.empty())
        text += "anonymous memory that grew while it was watched, MiB by class:\n" + growth;
    add_unreported(text, rows);
    text +=
        fmt::format("{} module mappings shared, {} MiB of private copies not made, {} not shared",
                    totals["shares"].get<std::uint64_t>(), in_mib(totals["shared_bytes"]),
                    totals["refused"].get<std::uint64_t>());
    if (totals["seconds_saved_at_least"].is_number() && totals["shares"] != 0) {
        text +=
            fmt::format("; at least {:.2f} s saved (reading them privately runs at {:.0f} MiB/s)",
                        totals["seconds_saved_at_least"].get<double>(),
                        totals["reading_bytes_per_second"].get<double>() / mib);
    }
    return text + "\n";
}

} // namespace leanhost::cli
