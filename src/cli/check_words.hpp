#pragma once

#include "kernel/check_export.hpp"

#include <nlohmann/json_fwd.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace leanhost::cli {

// How `leanhost check` words its verdicts, of exports and of modules.

const char* outcome_name(kernel::Outcome outcome); ///< "accepted", "rejected", "declined"
/// 0 accepted, 1 rejected, 2 declined.
int exit_status(kernel::Outcome outcome);
/// "declaration (reason, at where)" and the message below.
std::string describe(const std::string& declaration, const kernel::Verdict& verdict);

/// verdict, and when not accepted: reason, message, where.
void add_verdict(nlohmann::ordered_json& json, const kernel::Verdict& verdict);
/// Counts by the kind's name.
nlohmann::ordered_json constants_json(const std::array<std::uint64_t, 8>& by_kind);
/// axiom, num_declarations and declarations of each.
nlohmann::ordered_json unlisted_axioms_json(const std::vector<kernel::UnlistedAxiom>& axioms);
/// On one line; text that is no UTF-8 is replaced.
std::string dump_json_line(const nlohmann::ordered_json& json);

} // namespace leanhost::cli
