#pragma once

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <vector>

namespace leanhost::cli {

/// One claim that the report makes, computed from the run. `holds` is null when the run could not
/// tell.
struct Finding {
    std::string name;  ///< stable
    std::string text;  ///< with this run's numbers
    std::string bound; ///< what would be too much; empty for a mere observation
    std::optional<bool> holds;
};

/// What the two columns' events say about the native engine and about the model.
/// `columns` is the report's "columns" object.
std::vector<Finding> find_memory_findings(const nlohmann::ordered_json& columns);

/// Whether any bound of the native engine was broken or could not be told.
bool any_bound_failed(const std::vector<Finding>& findings);

} // namespace leanhost::cli
