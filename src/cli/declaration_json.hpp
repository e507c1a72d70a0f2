#pragma once

#include <leanhost/declaration.hpp>

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace leanhost::cli {

/// What a query knows of one declaration, under stable field names; only the fields asked for.
nlohmann::ordered_json
to_json(const Name& name, const Declaration& declaration, const DeclarationFields& fields);

/// The same for people, from that JSON and what a query added to it ("dependencies", "dependents",
/// "axioms"): a line, and an indented one for each further field.
std::string declaration_text(const nlohmann::ordered_json& row);

} // namespace leanhost::cli
