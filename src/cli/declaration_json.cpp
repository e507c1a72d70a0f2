#include "cli/declaration_json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <iterator>

namespace leanhost::cli {
namespace {

using nlohmann::ordered_json;

ordered_json hint_json(const ReducibilityHint& hint) {
    switch (hint.kind) {
    case ReducibilityHint::Kind::opaque:
        return "opaque";
    case ReducibilityHint::Kind::abbreviation:
        return "abbreviation";
    case ReducibilityHint::Kind::regular:
        return {{"regular", hint.height}};
    }
    return nullptr;
}

struct FactsJson {
    ordered_json operator()(std::monostate) const { return nullptr; }
    ordered_json operator()(const InductiveFacts& facts) const {
        return {{"num_params", facts.num_params},
                {"num_indices", facts.num_indices},
                {"constructors", facts.constructors},
                {"is_recursive", facts.is_recursive},
                {"is_reflexive", facts.is_reflexive}};
    }
    ordered_json operator()(const ConstructorFacts& facts) const {
        return {{"inductive", facts.inductive},
                {"index", facts.index},
                {"num_params", facts.num_params},
                {"num_fields", facts.num_fields}};
    }
    ordered_json operator()(const RecursorFacts& facts) const {
        return {{"num_params", facts.num_params},
                {"num_indices", facts.num_indices},
                {"num_motives", facts.num_motives},
                {"num_minors", facts.num_minors},
                {"has_k", facts.has_k},
                {"rules", facts.rules}};
    }
};

std::string names_text(const ordered_json& list) {
    constexpr std::size_t most = 64;
    std::string text;
    for (std::size_t i = 0; i < std::min(list.size(), most); ++i) {
        const ordered_json& entry = list[i];
        text +=
            (i == 0 ? "" : ", ") + (entry.is_object() ? entry["name"] : entry).get<std::string>();
    }
    if (list.size() > most)
        text += fmt::format(", … {} more (--json lists all)", list.size() - most);
    return list.empty() ? "none" : text;
}

} // namespace

ordered_json
to_json(const Name& name, const Declaration& declaration, const DeclarationFields& fields) {
    ordered_json row{{"name", name.to_string()},
                     {"kind", declaration_kind_name(declaration.kind)},
                     {"module", declaration.module}};
    if (fields.universe_params)
        row["universe_params"] = declaration.universe_params;
    if (fields.type) {
        row["type"] = declaration.type;
        row["type_is_cut"] = declaration.type_is_cut;
    }
    if (fields.facts) {
        row["safety"] = declaration_safety_name(declaration.safety);
        row["hint"] = declaration.hint ? hint_json(*declaration.hint) : ordered_json();
        row["facts"] = std::visit(FactsJson{}, declaration.facts);
    }
    if (fields.value_size) {
        row["value_terms"] =
            declaration.value_terms ? ordered_json(*declaration.value_terms) : ordered_json();
    }
    return row;
}

std::string declaration_text(const ordered_json& row) {
    std::string text =
        fmt::format("{:<12} {:<48} {}\n", row["kind"].get<std::string>(),
                    row["name"].get<std::string>(), row["module"].get<std::string>());
    const auto add = [&](const char* what, const std::string& value) {
        fmt::format_to(std::back_inserter(text), "    {}: {}\n", what, value);
    };
    if (row.contains("type"))
        add("type", row["type"].get<std::string>() + (row["type_is_cut"].get<bool>() ? " …" : ""));
    if (row.contains("safety")) {
        add("safety", row["safety"].get<std::string>());
        if (!row["hint"].is_null())
            add("reducibility",
                row["hint"].is_string() ? row["hint"].get<std::string>() : row["hint"].dump());
        if (!row["facts"].is_null())
            add("facts", row["facts"].dump());
    }
    if (row.contains("value_terms") && !row["value_terms"].is_null())
        add("value", row["value_terms"].dump() + " terms");
    for (const char* references : {"dependencies", "dependents", "axioms"}) {
        if (row.contains(references))
            add(references, names_text(row[references]));
    }
    if (row.contains("axioms_are_complete") && !row["axioms_are_complete"].get<bool>())
        add("axioms", "there may be more, behind constants that no imported module has");
    return text;
}

} // namespace leanhost::cli
