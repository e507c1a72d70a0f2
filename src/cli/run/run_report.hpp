#pragma once

#include "cli/run/process_watch.hpp"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>

namespace leanhost::cli {

/// How fast this machine reads module files into private memory: what each mapping that was not
/// shared would have cost at least.
struct ReadingSpeed {
    double bytes_per_second = 0;
    std::uint64_t bytes_measured = 0;
};

/// Reads some of `files` (64 MiB at most) as Lean's loader would, short of relocating. nullopt when
/// none is there.
std::optional<ReadingSpeed> measure_reading_speed(const std::set<std::string>& files);

/// What `--memory-report` writes: schema "leanhost.run/1". `wait_status`: null while the command
/// runs.
nlohmann::ordered_json run_report_json(const ProcessWatch& watch,
                                       const std::vector<std::string>& command,
                                       std::string_view mode,
                                       std::optional<int> wait_status,
                                       const std::optional<ReadingSpeed>& speed);

/// The same for people, from that JSON.
std::string run_report_text(const nlohmann::ordered_json& report);

} // namespace leanhost::cli
