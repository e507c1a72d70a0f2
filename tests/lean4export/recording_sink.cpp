#include "lean4export/recording_sink.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace leanhost::test {

using namespace module::lean4export;

std::string describe(const ExportConstant& c) {
    std::string rules;
    for (const ExportRule& rule : c.rules)
        rules += fmt::format("({} {} {})", rule.constructor, rule.num_fields, rule.rhs);
    return fmt::format(
        "{} name={} params=[{}] type={} value={} all=[{}] hints={}:{} safety={} unsafe={} quot={} "
        "nparams={} nindices={} nnested={} ctors=[{}] rec={} refl={} induct={} cidx={} nfields={} "
        "nmotives={} nminors={} k={} rules=[{}]",
        object::constant_kind_name(c.kind), c.name, fmt::join(c.universe_params, ","), c.type,
        c.value, fmt::join(c.all, ","), static_cast<int>(c.hints.kind), c.hints.height,
        static_cast<int>(c.safety), c.is_unsafe, c.quotient_kind, c.num_params, c.num_indices,
        c.num_nested, fmt::join(c.constructors, ","), c.is_recursive, c.is_reflexive, c.inductive,
        c.index, c.num_fields, c.num_motives, c.num_minors, c.has_k, rules);
}

std::string describe(const ExportDeclaration& declaration) {
    std::string text = declaration.is_inductive_block ? "block" : "declaration";
    for (const ExportConstant& constant : declaration.constants)
        text += " {" + describe(constant) + "}";
    return text;
}

void RecordingSink::meta(const ExportMeta& m) {
    calls.push_back(fmt::format("meta exporter={} format={} lean={} githash={}", m.exporter_version,
                                m.format_version, m.lean_version, m.lean_githash));
}
void RecordingSink::name_str(Id id, Id prefix, std::string_view component) {
    calls.push_back(fmt::format("str {}: {} \"{}\"", id, prefix, component));
}
void RecordingSink::name_num(Id id, Id prefix, std::uint64_t component) {
    calls.push_back(fmt::format("num {}: {} {}", id, prefix, component));
}
void RecordingSink::level_succ(Id id, Id of) {
    calls.push_back(fmt::format("succ {}: {}", id, of));
}
void RecordingSink::level_max(Id id, Id lhs, Id rhs) {
    calls.push_back(fmt::format("max {}: {} {}", id, lhs, rhs));
}
void RecordingSink::level_imax(Id id, Id lhs, Id rhs) {
    calls.push_back(fmt::format("imax {}: {} {}", id, lhs, rhs));
}
void RecordingSink::level_param(Id id, Id name) {
    calls.push_back(fmt::format("param {}: {}", id, name));
}
void RecordingSink::bvar(Id id, std::uint64_t index) {
    calls.push_back(fmt::format("bvar {}: {}", id, index));
}
void RecordingSink::sort(Id id, Id level) {
    calls.push_back(fmt::format("sort {}: {}", id, level));
}
void RecordingSink::constant_term(Id id, Id name, const std::vector<Id>& levels) {
    calls.push_back(fmt::format("const {}: {} [{}]", id, name, fmt::join(levels, ",")));
}
void RecordingSink::app(Id id, Id function, Id argument) {
    calls.push_back(fmt::format("app {}: {} {}", id, function, argument));
}
void RecordingSink::lam(Id id, object::BinderInfo info, Id name, Id type, Id body) {
    calls.push_back(
        fmt::format("lam {}: {} {} {} {}", id, static_cast<int>(info), name, type, body));
}
void RecordingSink::forall_e(Id id, object::BinderInfo info, Id name, Id type, Id body) {
    calls.push_back(
        fmt::format("forall {}: {} {} {} {}", id, static_cast<int>(info), name, type, body));
}
void RecordingSink::let_e(Id id, Id name, Id type, Id value, Id body, bool non_dep) {
    calls.push_back(fmt::format("let {}: {} {} {} {} {}", id, name, type, value, body, non_dep));
}
void RecordingSink::proj(Id id, Id type_name, std::uint64_t index, Id structure) {
    calls.push_back(fmt::format("proj {}: {} {} {}", id, type_name, index, structure));
}
void RecordingSink::nat_literal(Id id, std::string_view digits) {
    calls.push_back(fmt::format("nat {}: {}", id, digits));
}
void RecordingSink::string_literal(Id id, std::string_view text) {
    calls.push_back(fmt::format("string {}: \"{}\"", id, text));
}
void RecordingSink::mdata(Id id, Id term) {
    calls.push_back(fmt::format("mdata {}: {}", id, term));
}
void RecordingSink::declaration(const ExportDeclaration& declaration) {
    calls.push_back(describe(declaration));
}

} // namespace leanhost::test
