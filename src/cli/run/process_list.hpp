#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace leanhost::cli {

/// One process as /proc/<pid>/stat shows it. A pid may be reused; with its start time it is unique.
struct ProcessEntry {
    ::pid_t pid = 0;
    ::pid_t parent = 0;
    char state = '?';
    std::uint64_t start_ticks = 0; ///< after boot, in units of sysconf(_SC_CLK_TCK)

    bool is_zombie() const noexcept { return state == 'Z' || state == 'X'; }
};

/// A bound on `start_ticks` of a process that had begun at that time of CLOCK_MONOTONIC: the two
/// clocks differ by the machine's sleep, and a tick is coarse.
std::uint64_t start_ticks_at(std::int64_t monotonic_ns);

/// A line of /proc/<pid>/stat; nullopt when it is malformed.
std::optional<ProcessEntry> parse_process_stat(std::string_view line);

/// The live process with that pid; nullopt when there is none, or only a zombie.
std::optional<ProcessEntry> find_live_process(::pid_t pid);

/// Every process below `ancestor`, at any depth, without it; parents before children. What ends
/// meanwhile may be missing. Cost: one small file for each process of the machine.
std::vector<ProcessEntry> list_descendants(::pid_t ancestor);

/// The command line of a process, arguments joined by spaces, at most `max_bytes` bytes; empty when
/// it cannot be read.
std::string command_line_of(::pid_t pid, std::size_t max_bytes);

} // namespace leanhost::cli
