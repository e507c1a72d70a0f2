#pragma once

#include <leanhost/check_report.hpp>

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace leanhost::cli {

// What `leanhost check` says of what became of exports and modules.

/// One line of JSON, or lines for people, with their ends. `file` and `label` say what of: a path,
/// the name of a module; an empty label is left out.
std::string report_text(const std::string& file, const ExportReport& report, bool as_json);
std::string report_text(const std::string& label, const ModulesReport& report, bool as_json);

/// The axioms that one declaration rests on, likewise.
std::string
axioms_text(const std::string& declaration, const std::vector<std::string>& axioms, bool as_json);

} // namespace leanhost::cli
