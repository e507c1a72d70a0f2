#include "engine_native/declaration_row.hpp"

#include "base/utf8.hpp"
#include "object/expr_printer.hpp"

#include <absl/container/flat_hash_set.h>

namespace leanhost::engine_native {
namespace {

using object::ConstantInfoRef;
using object::ConstantKind;
using object::ExprRef;
using object::NameRef;
using object::NatRef;

// Bounded, since many entries of a list may share one long name.
template <class Names>
std::vector<std::string> texts(const Names& names, std::size_t limit, const char* what) {
    std::vector<std::string> result;
    for (const NameRef name : names) {
        if (result.size() == limit)
            throw object::MalformedObject(name.object().word(), what, "more");
        result.push_back(valid_utf8(name.to_string()));
    }
    return result;
}

std::vector<std::string> universe_params(ConstantInfoRef constant) {
    return texts(constant.universe_params(), 1024, "at most 1024 universe parameters");
}

std::uint64_t number(NatRef nat) {
    return nat.uint64();
}

DeclarationSafety safety_of(ConstantInfoRef constant) {
    if (constant.kind() == ConstantKind::definition &&
        constant.safety() == object::DefinitionSafety::partial)
        return DeclarationSafety::partial;
    return constant.is_unsafe() ? DeclarationSafety::unsafe : DeclarationSafety::safe;
}

ReducibilityHint hint_of(ConstantInfoRef definition) {
    const object::ReducibilityHints hints = definition.hints();
    return {static_cast<ReducibilityHint::Kind>(hints.kind), hints.height};
}

InductiveFacts inductive_facts(ConstantInfoRef constant) {
    return {.num_params = number(constant.num_params()),
            .num_indices = number(constant.num_indices()),
            .constructors = texts(constant.constructors(), 65536, "at most 65536 constructors"),
            .is_recursive = constant.is_recursive(),
            .is_reflexive = constant.is_reflexive()};
}

ConstructorFacts constructor_facts(ConstantInfoRef constant) {
    return {.inductive = valid_utf8(constant.inductive_name().to_string()),
            .index = number(constant.constructor_index()),
            .num_params = number(constant.num_params()),
            .num_fields = number(constant.num_constructor_fields())};
}

RecursorFacts recursor_facts(ConstantInfoRef constant) {
    std::vector<NameRef> constructors;
    for (const object::RecursorRuleRef rule : constant.rules())
        constructors.push_back(rule.constructor());
    return {.num_params = number(constant.num_params()),
            .num_indices = number(constant.num_indices()),
            .num_motives = number(constant.num_motives()),
            .num_minors = number(constant.num_minors()),
            .has_k = constant.has_k(),
            .rules = texts(constructors, 65536, "at most 65536 rules")};
}

void add_facts(ConstantInfoRef constant, Declaration& declaration) {
    declaration.safety = safety_of(constant);
    switch (constant.kind()) {
    case ConstantKind::definition:
        declaration.hint = hint_of(constant);
        break;
    case ConstantKind::inductive:
        declaration.facts = inductive_facts(constant);
        break;
    case ConstantKind::constructor:
        declaration.facts = constructor_facts(constant);
        break;
    case ConstantKind::recursor:
        declaration.facts = recursor_facts(constant);
        break;
    default:
        break;
    }
}

// Distinct objects: what the module shares counts once.
std::uint64_t count_terms(ExprRef root) {
    absl::flat_hash_set<std::uint64_t> met;
    std::vector<ExprRef> todo{root};
    while (!todo.empty()) {
        const ExprRef term = todo.back();
        todo.pop_back();
        if (!met.insert(term.object().word()).second)
            continue;
        const ExprRef::ChildFields below = term.child_fields();
        for (unsigned i = 0; i < below.count; ++i)
            todo.push_back(term.child(below.first + i));
    }
    return met.size();
}

} // namespace

DeclarationKind public_kind(ConstantKind kind) {
    static_assert(static_cast<int>(DeclarationKind::recursor) ==
                  static_cast<int>(ConstantKind::recursor));
    return static_cast<DeclarationKind>(kind);
}

Declaration declaration_at(const LoadedClosure& loaded,
                           module::ConstantPlace place,
                           const DeclarationFields& fields) {
    const module::ClosureModule& module = loaded.closure().modules()[place.module];
    return module::reading(*module.region, "constant", [&] {
        const ConstantInfoRef constant = module.data.constant(place.constant);
        Declaration row;
        row.kind = public_kind(constant.kind());
        row.module = module.text;
        if (fields.universe_params)
            row.universe_params = universe_params(constant);
        if (fields.type) {
            object::PrintedTerm printed =
                object::print_term(constant.type(), fields.max_type_bytes);
            row.type = valid_utf8(std::move(printed.text));
            row.type_is_cut = printed.is_cut;
        }
        if (fields.facts)
            add_facts(constant, row);
        if (fields.value_size && constant.has_value())
            row.value_terms = count_terms(constant.value());
        return row;
    });
}

} // namespace leanhost::engine_native
