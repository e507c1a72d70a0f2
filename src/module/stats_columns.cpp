#include "module/module_stats.hpp"

#include <fmt/format.h>

namespace leanhost::module {
namespace {

using object::ConstantKind;
using Term = object::ExprRef::Kind;
using Stats = ModuleStats;

StatsValue value_of(std::uint64_t number) {
    return number;
}
StatsValue value_of(const std::string& text) {
    return text;
}

template <class T>
StatsValue value_of(const std::optional<T>& value) {
    return value ? value_of(*value) : StatsValue();
}

template <auto Member>
StatsValue member(const Stats& s) {
    return value_of(s.*Member);
}
template <ConstantKind Kind>
StatsValue constants(const Stats& s) {
    return s.constants_by_kind[static_cast<std::size_t>(Kind)];
}
template <Term Kind>
StatsValue terms(const Stats& s) {
    return s.terms_by_kind[static_cast<std::size_t>(Kind)];
}
template <auto Member>
StatsValue objects(const Stats& s) {
    return s.objects.*Member;
}

// As "0:2/1:11": how many definitions for each value of the byte that says how safe they are.
StatsValue safety(const Stats& s) {
    std::string text;
    for (std::size_t i = 0; i < s.definitions_by_safety.size(); ++i) {
        if (s.definitions_by_safety[i] == 0)
            continue;
        text += fmt::format("{}{}:{}", text.empty() ? "" : "/", i, s.definitions_by_safety[i]);
    }
    return text;
}

// clang-format off
constexpr StatsColumn columns[] = {
    {"file",       member<&Stats::file>},
    {"format",     member<&Stats::format>},                 // container: olean-v0, olean-v0b, olean-v1, olean-v2
    {"lean",       member<&Stats::lean_version>},           // as the header states it (v2)
    {"githash",    member<&Stats::githash>},                // as the header states it (v1, v2)
    {"imports",    member<&Stats::imports>},
    {"constNames", member<&Stats::constant_names>},
    {"constants",  member<&Stats::constants>},
    {"axiom",      constants<ConstantKind::axiom>},
    {"def",        constants<ConstantKind::definition>},
    {"thm",        constants<ConstantKind::theorem>},
    {"opaque",     constants<ConstantKind::opaque>},
    {"quot",       constants<ConstantKind::quotient>},
    {"induct",     constants<ConstantKind::inductive>},
    {"ctor",       constants<ConstantKind::constructor>},
    {"rec",        constants<ConstantKind::recursor>},
    {"names",      member<&Stats::names>},                  // distinct by address, prefixes included: see TypedObjects
    {"levels",     member<&Stats::levels>},
    {"exprs",      member<&Stats::terms>},
    {"bvar",       terms<Term::bvar>},
    {"fvar",       terms<Term::fvar>},
    {"mvar",       terms<Term::mvar>},
    {"sort",       terms<Term::sort>},
    {"const",      terms<Term::constant>},
    {"app",        terms<Term::app>},
    {"lam",        terms<Term::lam>},
    {"forallE",    terms<Term::forall_e>},
    {"letE",       terms<Term::let_e>},
    {"lit",        terms<Term::lit>},
    {"mdata",      terms<Term::mdata>},
    {"proj",       terms<Term::proj>},
    {"note",       [](const Stats&) -> StatsValue { return std::string(); }},
};

constexpr StatsColumn extra_columns[] = {
    {"flags",           member<&Stats::flags>},             // of the header (v2)
    {"base",            member<&Stats::base_address>},
    {"baseIsModule",    member<&Stats::base_address_is_of_module>}, // public part: is it what today's Lean derives from the name
    {"bytes",           member<&Stats::file_bytes>},
    {"rootFields",      member<&Stats::root_fields>},
    {"isModule",        member<&Stats::is_module>},
    {"extraConstNames", member<&Stats::extra_constant_names>},
    {"entries",         member<&Stats::entries>},           // environment extensions, and what they keep
    {"entryItems",      member<&Stats::entry_items>},
    {"defnSafety",      safety},
    {"cstage",          member<&Stats::compiler_stage_constants>}, // constants named _cstage1 or _cstage2
    {"nameHashBad",     member<&Stats::names_with_other_hash>},    // names whose hash is not today's function's
    {"objects",         [](const Stats& s) -> StatsValue { return s.objects.size(); }},
    {"o_ctor",          objects<&ReachableObjects::constructors>},
    {"o_array",         objects<&ReachableObjects::arrays>},
    {"o_string",        objects<&ReachableObjects::strings>},
    {"o_mpz",           objects<&ReachableObjects::big_numbers>},
    {"o_sarray",        objects<&ReachableObjects::scalar_arrays>},
    {"o_thunk",         objects<&ReachableObjects::thunks>},
    {"o_task",          objects<&ReachableObjects::tasks>},
    {"o_ref",           objects<&ReachableObjects::refs>},
    {"objBytes",        objects<&ReachableObjects::size_bytes>},
    {"fileObjBytes",    member<&Stats::payload_bytes>},     // of the file, besides header and root pointer
    {"extPtrs",         objects<&ReachableObjects::earlier_objects>},
    {"importList",      [](const Stats& s) -> StatsValue { return s.import_lines; }}, // name and flags of each
};
// clang-format on

} // namespace

std::span<const StatsColumn> stats_columns() noexcept {
    return columns;
}
std::span<const StatsColumn> stats_extra_columns() noexcept {
    return extra_columns;
}

} // namespace leanhost::module
