#include "cli/run/process_list.hpp"

#include "base/unique_fd.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <ctime>
#include <memory>

namespace leanhost::cli {
namespace {

// At most `max_bytes` of a small file of /proc; empty when there is none.
std::string read_start(const std::string& path, std::size_t max_bytes) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::string text(max_bytes, '\0');
    const ssize_t size = fd ? ::read(fd.get(), text.data(), text.size()) : 0;
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
}

template <class Number>
bool take_number(std::string_view& text, Number& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc())
        return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (!text.empty() && text.front() == ' ')
        text.remove_prefix(1);
    return true;
}

// "state ppid … starttime …": the fields from the third on.
bool take_after_name(std::string_view text, ProcessEntry& entry) {
    if (text.size() < 2)
        return false;
    entry.state = text[0];
    text.remove_prefix(2);
    if (!take_number(text, entry.parent))
        return false;
    constexpr int fields_between = 17; // pgrp to itrealvalue
    for (int i = 0; i < fields_between; ++i) {
        const std::size_t space = text.find(' ');
        if (space == std::string_view::npos)
            return false;
        text.remove_prefix(space + 1);
    }
    return take_number(text, entry.start_ticks);
}

constexpr std::size_t stat_bytes = 2048;

std::vector<ProcessEntry> list_processes() {
    std::vector<ProcessEntry> processes;
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc"), ::closedir);
    if (folder == nullptr)
        return processes;
    while (const dirent* const entry = ::readdir(folder.get())) { // NOLINT(concurrency-mt-unsafe)
        if (std::isdigit(static_cast<unsigned char>(entry->d_name[0])) == 0)
            continue;
        const std::string line =
            read_start(fmt::format("/proc/{}/stat", entry->d_name), stat_bytes);
        if (const auto process = parse_process_stat(line))
            processes.push_back(*process);
    }
    return processes;
}

std::int64_t nanoseconds_of(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

} // namespace

std::uint64_t start_ticks_at(std::int64_t monotonic_ns) {
    const std::int64_t after_boot_ns =
        monotonic_ns + nanoseconds_of(CLOCK_BOOTTIME) - nanoseconds_of(CLOCK_MONOTONIC);
    const std::int64_t tick_ns = 1'000'000'000 / ::sysconf(_SC_CLK_TCK);
    constexpr std::int64_t rounding = 2;
    return static_cast<std::uint64_t>(
        std::max<std::int64_t>(0, after_boot_ns / tick_ns + rounding));
}

std::optional<ProcessEntry> parse_process_stat(std::string_view line) {
    // The name stands in brackets and may hold anything, brackets included.
    const std::size_t name_end = line.rfind(") ");
    if (name_end == std::string_view::npos)
        return std::nullopt;
    const std::string_view after_name = line.substr(name_end + 2);
    ProcessEntry entry;
    if (!take_number(line, entry.pid))
        return std::nullopt;
    return take_after_name(after_name, entry) ? std::optional(entry) : std::nullopt;
}

std::optional<ProcessEntry> find_live_process(::pid_t pid) {
    const auto process =
        parse_process_stat(read_start(fmt::format("/proc/{}/stat", pid), stat_bytes));
    return process && !process->is_zombie() ? process : std::nullopt;
}

std::vector<ProcessEntry> list_descendants(::pid_t ancestor) {
    std::vector<ProcessEntry> rest = list_processes();
    std::vector<ProcessEntry> found;
    for (std::size_t next = 0; next <= found.size(); ++next) {
        const ::pid_t parent = next == 0 ? ancestor : found[next - 1].pid;
        const auto child = std::partition(
            rest.begin(), rest.end(), [&](const ProcessEntry& p) { return p.parent != parent; });
        found.insert(found.end(), child, rest.end());
        rest.erase(child, rest.end());
    }
    return found;
}

std::string command_line_of(::pid_t pid, std::size_t max_bytes) {
    std::string text = read_start(fmt::format("/proc/{}/cmdline", pid), max_bytes);
    while (!text.empty() && text.back() == '\0')
        text.pop_back();
    for (char& c : text) {
        if (static_cast<unsigned char>(c) < ' ')
            c = ' ';
    }
    return text;
}

} // namespace leanhost::cli
