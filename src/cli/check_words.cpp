#include "cli/check_words.hpp"

#include "object/constant_info.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace leanhost::cli {

using kernel::Outcome;

const char* outcome_name(Outcome outcome) {
    switch (outcome) {
    case Outcome::accepted:
        return "accepted";
    case Outcome::rejected:
        return "rejected";
    default:
        return "declined";
    }
}

int exit_status(Outcome outcome) {
    return static_cast<int>(outcome);
}

std::string describe(const std::string& declaration, const kernel::Verdict& verdict) {
    std::string text = declaration;
    if (!text.empty())
        text += ' ';
    text += "(" + verdict.reason;
    if (!verdict.where.empty())
        text += ", at " + verdict.where;
    return text + ")\n  " + verdict.message;
}

void add_verdict(nlohmann::ordered_json& json, const kernel::Verdict& verdict) {
    json["verdict"] = outcome_name(verdict.outcome);
    if (verdict.outcome == Outcome::accepted)
        return;
    json["reason"] = verdict.reason;
    json["message"] = verdict.message;
    json["where"] = verdict.where;
}

nlohmann::ordered_json constants_json(const std::array<std::uint64_t, 8>& by_kind) {
    nlohmann::ordered_json constants;
    for (unsigned kind = 0; kind < object::num_constant_kinds; ++kind) {
        const auto name = object::constant_kind_name(static_cast<object::ConstantKind>(kind));
        constants[std::string(name)] = by_kind[kind];
    }
    return constants;
}

nlohmann::ordered_json unlisted_axioms_json(const std::vector<kernel::UnlistedAxiom>& axioms) {
    auto rows = nlohmann::ordered_json::array();
    for (const kernel::UnlistedAxiom& unlisted : axioms)
        rows.push_back({{"axiom", unlisted.axiom},
                        {"num_declarations", unlisted.num_declarations},
                        {"declarations", unlisted.declarations}});
    return rows;
}

std::string dump_json_line(const nlohmann::ordered_json& json) {
    return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

} // namespace leanhost::cli
