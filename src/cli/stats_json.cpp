#include "cli/stats_json.hpp"

namespace leanhost::cli {
namespace {

using nlohmann::ordered_json;

ordered_json to_json(const module::StatsValue& value) {
    struct Visitor {
        ordered_json operator()(std::monostate) const { return nullptr; }
        ordered_json operator()(std::uint64_t number) const { return number; }
        ordered_json operator()(const std::string& text) const { return text; }
        ordered_json operator()(const std::vector<std::string>& texts) const { return texts; }
    };
    return std::visit(Visitor{}, value);
}

ordered_json to_json(std::span<const module::StatsColumn> columns,
                     const module::ModuleStats& stats) {
    ordered_json object = ordered_json::object();
    for (const module::StatsColumn& column : columns) {
        object[std::string(column.name)] = to_json(column.value(stats));
    }
    return object;
}

} // namespace

ordered_json to_json(const module::ModuleStats& stats) {
    ordered_json object = to_json(module::stats_columns(), stats);
    object["extra"] = to_json(module::stats_extra_columns(), stats);
    return object;
}

ordered_json to_json(std::string_view file, const module::lean4export::ExportStats& stats) {
    using module::lean4export::LevelKind;
    using module::lean4export::TermKind;
    using object::ConstantKind;
    const auto constants = [&](ConstantKind kind) {
        return stats.constants_by_kind[static_cast<std::size_t>(kind)];
    };
    const auto terms = [&](TermKind kind) {
        return stats.terms_by_kind[static_cast<std::size_t>(kind)];
    };
    const auto levels = [&](LevelKind kind) {
        return stats.levels_by_kind[static_cast<std::size_t>(kind)];
    };
    const auto greatest = [](std::optional<module::lean4export::Id> id) {
        return id ? static_cast<std::int64_t>(*id) : -1; // as the table of the test data has it
    };
    const auto text_or_null = [](const std::string& text) {
        return text.empty() ? ordered_json() : ordered_json(text);
    };
    return {{"file", file},
            {"format", "ndjson"},
            {"lean", text_or_null(stats.meta.lean_version)},
            {"githash", text_or_null(stats.meta.lean_githash)},
            {"imports", nullptr},
            {"constNames", nullptr},
            {"constants", stats.constants},
            {"axiom", constants(ConstantKind::axiom)},
            {"def", constants(ConstantKind::definition)},
            {"thm", constants(ConstantKind::theorem)},
            {"opaque", constants(ConstantKind::opaque)},
            {"quot", constants(ConstantKind::quotient)},
            {"induct", constants(ConstantKind::inductive)},
            {"ctor", constants(ConstantKind::constructor)},
            {"rec", constants(ConstantKind::recursor)},
            {"names", stats.names},
            {"levels", stats.levels},
            {"exprs", stats.terms},
            {"bvar", terms(TermKind::bvar)},
            {"fvar", nullptr},
            {"mvar", nullptr},
            {"sort", terms(TermKind::sort)},
            {"const", terms(TermKind::constant)},
            {"app", terms(TermKind::app)},
            {"lam", terms(TermKind::lam)},
            {"forallE", terms(TermKind::forall_e)},
            {"letE", terms(TermKind::let_e)},
            {"lit", terms(TermKind::nat_literal) + terms(TermKind::string_literal)},
            {"mdata", terms(TermKind::mdata)},
            {"proj", terms(TermKind::proj)},
            {"extra",
             {{"exporter", text_or_null(stats.meta.exporter_version)},
              {"fmtVersion", text_or_null(stats.meta.format_version)},
              {"bytes", stats.read.bytes},
              {"lines", stats.read.lines},
              {"name.str", stats.names - stats.numeric_names},
              {"name.num", stats.numeric_names},
              {"level.succ", levels(LevelKind::succ)},
              {"level.max", levels(LevelKind::max)},
              {"level.imax", levels(LevelKind::imax)},
              {"level.param", levels(LevelKind::param)},
              {"expr.natVal", terms(TermKind::nat_literal)},
              {"expr.strVal", terms(TermKind::string_literal)},
              {"d.inductive", stats.inductive_blocks},
              {"d.rules", stats.recursor_rules},
              {"decls", stats.declarations},
              {"max_in", greatest(stats.greatest_name_id)},
              {"max_il", greatest(stats.greatest_level_id)},
              {"max_ie", greatest(stats.greatest_term_id)}}}};
}

} // namespace leanhost::cli
