#pragma once

#include "cli/memory_findings.hpp"

#include <string>
#include <vector>

namespace leanhost::cli {

/// The report of `leanhost memory` as text for people: checkpoints in two columns, where memory
/// sits, counters, findings. `report` is what `--json` writes.
std::string memory_report_text(const nlohmann::ordered_json& report,
                               const std::vector<Finding>& findings);

} // namespace leanhost::cli
