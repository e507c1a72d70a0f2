#pragma once

#include "cli/progress_line.hpp"

#include <leanhost/name.hpp>

#include <nlohmann/json_fwd.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace leanhost::cli {

/// What live environments cost beside each other: the scenarios of
/// `leanhost memory --mode pooled-distinct`.
struct ScenarioOptions {
    std::vector<std::filesystem::path> search_path;
    std::vector<Name> modules; ///< import sets are made of these
    bool allow_missing = false;
    unsigned max_threads = 0;
};

/// Runs one scenario in this process and writes its steps to `out_fd`, one JSON object a line. A
/// scenario that holds ("hold") stays until it is ended from outside. Throws Failure.
void run_scenario(const std::string& name, const ScenarioOptions& options, int out_fd);

/// Runs every scenario, each in processes of its own: {"schema", "scenarios": [{"name", "what",
/// "steps": […]}]}. `arguments` make a child import from the same folders. Throws Failure.
nlohmann::ordered_json run_scenarios(const std::vector<std::string>& arguments,
                                     ProgressLine& progress);

/// For people.
std::string scenarios_text(const nlohmann::ordered_json& report);

} // namespace leanhost::cli
