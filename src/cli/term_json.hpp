#pragma once

#include <leanhost/verdict.hpp>

#include <nlohmann/json_fwd.hpp>

namespace leanhost::cli {

/// A term as JSON: {"names": [text], "levels": [[kind, field…]], "level_lists": [level],
/// "terms": [[kind, field…]], "root": term}, kinds and fields as in leanhost/term.hpp; but a
/// literal stands in its term, ["string", text] and ["nat", number or "0x…"].
nlohmann::ordered_json to_json(const Term& term);
/// Throws Failure invalid_input that says which node is wrong.
Term term_from_json(std::string_view text);

nlohmann::ordered_json to_json(const Verdict& verdict);

} // namespace leanhost::cli
