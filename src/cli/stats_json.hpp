#pragma once

#include "module/lean4export/export_stats.hpp"
#include "module/module_stats.hpp"

#include <nlohmann/json.hpp>

namespace leanhost::cli {

/// The statistics under the names of `stats_columns`, in their order; what the table of the test
/// data keeps in its last column is an object named "extra". A value that the part's format does
/// not have is null. Names may hold what is not UTF-8: dump with error_handler_t::replace.
nlohmann::ordered_json to_json(const module::ModuleStats& stats);

/// The same for an export; fields that only modules have are null.
nlohmann::ordered_json to_json(std::string_view file,
                               const module::lean4export::ExportStats& stats);

} // namespace leanhost::cli
