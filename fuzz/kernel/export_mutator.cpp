#include "fuzz/kernel/export_mutator.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <unordered_map>

namespace leanhost::fuzz {

using module::lean4export::ExportRule;
using module::lean4export::Id;
using object::ConstantKind;
using object::DefinitionSafety;

void ExportMutator::mutate(ExportModel& model) {
    const std::size_t count = one_in(3) ? 1 + below(4) : 1;
    for (std::size_t i = 0; i < count; ++i) {
        switch (below(16)) {
        case 0:
        case 1:
            change_facts(model);
            break;
        case 2:
            change_kind(model);
            break;
        case 3:
            change_names(model);
            break;
        case 4:
            change_order(model);
            break;
        case 5:
            change_block(model);
            break;
        default:
            change_term(model);
            break;
        }
    }
}

void ExportMutator::cross(ExportModel& model, const ExportModel& other) {
    // Renamed by hand: positions of the one mean nothing in the other.
    std::vector<Index> names{0};
    for (std::size_t i = 1; i < other.names.size(); ++i) {
        const ModelName& name = other.names[i];
        names.push_back(name.is_number ? model.name(names[name.prefix], std::to_string(name.number))
                                       : model.name(names[name.prefix], name.text));
    }
    std::vector<Index> levels{0};
    for (std::size_t i = 1; i < other.levels.size(); ++i) {
        const ModelLevel& level = other.levels[i];
        const bool is_param = level.kind == LevelKind::param;
        levels.push_back(model.level({level.kind, is_param ? names[level.a] : levels[level.a],
                                      is_param ? 0 : levels[level.b]}));
    }
    std::vector<Index> terms;
    for (ModelTerm term : other.terms) {
        if (term.kind == TermKind::sort)
            term.a = levels[term.a];
        else if (term.kind == TermKind::constant)
            term.a = names[term.a];
        else if (term.kind == TermKind::app || term.kind == TermKind::lam ||
                 term.kind == TermKind::pi || term.kind == TermKind::let) {
            term.a = terms[term.a];
            term.b = terms[term.b];
            if (term.kind == TermKind::let)
                term.c = terms[term.c];
        } else if (term.kind == TermKind::proj) {
            term.a = terms[term.a];
            term.b = names[term.b];
        }
        for (Index& level : term.levels)
            level = levels[level];
        terms.push_back(model.term(std::move(term)));
    }
    std::set<Id> taken;
    for (const ExportDeclaration& declaration : model.declarations) {
        for (const ExportConstant& constant : declaration.constants)
            taken.insert(constant.name);
    }
    const auto translate = [&](std::vector<Id>& list) {
        for (Id& name : list)
            name = names[name];
    };
    for (ExportDeclaration declaration : other.declarations) {
        bool is_there = false;
        for (ExportConstant& constant : declaration.constants) {
            constant.name = names[constant.name];
            constant.inductive = names[constant.inductive];
            translate(constant.universe_params);
            translate(constant.all);
            translate(constant.constructors);
            for (Id* const term : terms_of(constant))
                *term = terms[*term];
            for (ExportRule& rule : constant.rules)
                rule.constructor = names[rule.constructor];
            is_there = is_there || taken.count(constant.name) != 0;
        }
        if (!is_there)
            model.declarations.push_back(std::move(declaration));
    }
}

ExportConstant& ExportMutator::any_constant(ExportModel& model) {
    auto& declaration = model.declarations[below(model.declarations.size())];
    return declaration.constants[below(declaration.constants.size())];
}

Index ExportMutator::any_constant_name(ExportModel& model) {
    static constexpr std::array<const char*, 22> known = {
        "Nat",       "Nat.zero", "Nat.succ",   "Nat.add",       "Nat.rec", "Bool",
        "Bool.true", "Eq",       "Eq.refl",    "False",         "String",  "String.mk",
        "Char",      "List",     "Char.ofNat", "String.ofList", "Quot",    "Quot.mk",
        "Quot.lift", "outParam", "optParam",   "Nat.sub"};
    if (one_in(12))
        return model.name(known[below(known.size())]);
    return static_cast<Index>(any_constant(model).name);
}

Index ExportMutator::any_level(ExportModel& model, const ExportConstant& in) {
    const auto some = [&] { return static_cast<Index>(below(model.levels.size())); };
    switch (below(7)) {
    case 0:
        return 0;
    case 1:
        return model.level({LevelKind::succ, some(), 0});
    case 2:
        return model.level({LevelKind::max, some(), some()});
    case 3:
        return model.level({LevelKind::imax, some(), some()});
    case 4:
        if (!in.universe_params.empty()) {
            const Id name = in.universe_params[below(in.universe_params.size())];
            return model.level({LevelKind::param, static_cast<Index>(name), 0});
        }
        [[fallthrough]];
    default:
        return some();
    }
}

void ExportMutator::change_term(ExportModel& model) {
    ExportConstant& constant = any_constant(model);
    const auto terms = terms_of(constant);
    Id& root = *terms[below(terms.size())];
    root = changed(model, static_cast<Index>(root), constant);
}

// Down a random path, then up again with what was changed at its end.
Index ExportMutator::changed(ExportModel& model, Index root, const ExportConstant& in) {
    struct Step {
        Index term;
        std::size_t which;
    };
    std::vector<Step> path;
    Index at = root;
    for (;;) {
        const std::vector<Index> parts = model.parts(at);
        if (parts.empty() || one_in(6))
            break;
        const std::size_t which = below(parts.size());
        path.push_back({at, which});
        at = parts[which];
    }
    Index result = changed_here(model, at, in);
    while (!path.empty()) {
        result = model.with_part(path.back().term, path.back().which, result);
        path.pop_back();
    }
    return result;
}

std::string ExportMutator::changed_number(const std::string& digits) {
    static constexpr std::array<const char*, 7> some = {"0",
                                                        "1",
                                                        "2",
                                                        "4294967296",
                                                        "18446744073709551615",
                                                        "18446744073709551616",
                                                        "340282366920938463463374607431768211456"};
    if (digits.size() < 18 && one_in(2))
        return std::to_string(std::stoull(digits) + below(3));
    return some[below(some.size())];
}

Index ExportMutator::changed_here(ExportModel& model, Index at, const ExportConstant& in) {
    if (one_in(4))
        return any_term(model);
    if (one_in(4))
        return wrapped(model, at, in);
    ModelTerm term = model.terms[at];
    switch (term.kind) {
    case TermKind::bvar:
        return model.bvar(one_in(2) ? term.a + 1 : term.a == 0 ? 0 : term.a - 1);
    case TermKind::sort:
        return model.sort(any_level(model, in));
    case TermKind::constant:
        if (one_in(2) || term.levels.empty())
            return model.constant(any_constant_name(model), term.levels);
        if (one_in(4))
            term.levels.pop_back();
        else
            term.levels[below(term.levels.size())] = any_level(model, in);
        return model.term(term);
    case TermKind::app:
        if (one_in(3))
            return one_in(2) ? term.a : term.b;
        return model.app(term.b, term.a);
    case TermKind::lam:
    case TermKind::pi:
        switch (below(4)) {
        case 0:
            return term.b;
        case 1:
            return model.binder(term.kind == TermKind::lam ? TermKind::pi : TermKind::lam, term.a,
                                term.b);
        case 2:
            return model.binder(term.kind, any_term(model), term.b);
        default:
            return model.binder(term.kind, term.b, term.a);
        }
    case TermKind::let:
        std::swap(term.b, one_in(2) ? term.a : term.c);
        return model.term(term);
    case TermKind::proj:
        if (one_in(3))
            term.b = any_constant_name(model);
        else
            term.c = one_in(2) ? term.c + 1 : term.c == 0 ? 0 : term.c - 1;
        return model.term(term);
    case TermKind::nat:
        term.text = changed_number(term.text);
        return model.term(term);
    default:
        term.text = one_in(2) || term.text.empty() ? term.text + "a" : std::string{};
        return model.term(term);
    }
}

Index ExportMutator::wrapped(ExportModel& model, Index at, const ExportConstant& in) {
    const Index other = any_term(model);
    switch (below(7)) {
    case 0:
        return model.app(at, other);
    case 1:
        return model.app(other, at);
    case 2:
        return model.binder(one_in(2) ? TermKind::lam : TermKind::pi, other, at);
    case 3:
        return model.term({TermKind::let, other, any_term(model), at, {}, {}});
    case 4:
        return model.term(
            {TermKind::proj, at, any_constant_name(model), static_cast<Index>(below(3)), {}, {}});
    case 5:
        return model.constant(any_constant_name(model),
                              std::vector<Index>(below(3), any_level(model, in)));
    default:
        return one_in(2) ? model.term({TermKind::nat, 0, 0, 0, {}, changed_number("1")})
                         : model.term({TermKind::string, 0, 0, 0, {}, one_in(2) ? "" : "aé"});
    }
}

void ExportMutator::change_facts(ExportModel& model) {
    ExportConstant& c = any_constant(model);
    const auto nudge = [&](std::uint64_t& count) {
        count = one_in(2) ? count + 1 : count == 0 ? 1 : count - 1;
    };
    switch (below(14)) {
    case 0:
        return nudge(c.num_params);
    case 1:
        return nudge(c.num_indices);
    case 2:
        return nudge(c.num_nested);
    case 3:
        return nudge(c.num_fields);
    case 4:
        return nudge(c.num_motives);
    case 5:
        return nudge(c.num_minors);
    case 6:
        return nudge(c.index);
    case 7:
        c.has_k = !c.has_k;
        return;
    case 8:
        c.is_recursive = !c.is_recursive;
        return;
    case 9:
        c.is_reflexive = !c.is_reflexive;
        return;
    case 10:
        if (!c.rules.empty())
            nudge(c.rules[below(c.rules.size())].num_fields);
        return;
    case 11:
        if (!c.rules.empty())
            std::swap(c.rules.front().rhs, c.rules.back().rhs);
        return;
    case 12:
        if (!c.rules.empty())
            c.rules.pop_back();
        return;
    default:
        c.hints.height = static_cast<std::uint32_t>(below(5));
        c.hints.kind = static_cast<object::ReducibilityHints::Kind>(below(3));
        return;
    }
}

void ExportMutator::change_kind(ExportModel& model) {
    auto& declaration = model.declarations[below(model.declarations.size())];
    ExportConstant& c = declaration.constants[below(declaration.constants.size())];
    const bool has_value = c.kind == ConstantKind::definition || c.kind == ConstantKind::theorem ||
                           c.kind == ConstantKind::opaque;
    if (has_value && !one_in(3)) {
        static constexpr std::array<ConstantKind, 3> kinds = {
            ConstantKind::definition, ConstantKind::theorem, ConstantKind::opaque};
        c.kind = kinds[below(kinds.size())];
    } else if (one_in(2)) {
        // All of a block together, or one.
        const auto safety = static_cast<DefinitionSafety>(below(3));
        const bool all = one_in(2);
        for (ExportConstant& each : declaration.constants) {
            if (all || &each == &c) {
                each.safety = safety;
                each.is_unsafe = safety != DefinitionSafety::safe;
            }
        }
    } else {
        c.quotient_kind = static_cast<std::uint8_t>(below(4));
    }
}

void ExportMutator::change_names(ExportModel& model) {
    ExportConstant& c = any_constant(model);
    const auto touch = [&](std::vector<Id>& list) {
        if (list.empty() || one_in(3))
            list.push_back(any_name(model));
        else if (one_in(2))
            list.erase(list.begin() + static_cast<std::ptrdiff_t>(below(list.size())));
        else
            std::swap(list[below(list.size())], list[below(list.size())]);
    };
    switch (below(6)) {
    case 0:
        c.name = any_constant_name(model);
        return;
    case 1:
        return touch(c.universe_params);
    case 2:
        return touch(c.all);
    case 3:
        return touch(c.constructors);
    case 4:
        c.inductive = any_constant_name(model);
        return;
    default:
        if (!c.rules.empty())
            c.rules[below(c.rules.size())].constructor = any_constant_name(model);
        return;
    }
}

void ExportMutator::change_order(ExportModel& model) {
    auto& all = model.declarations;
    const std::size_t i = below(all.size());
    const std::size_t k = below(all.size());
    switch (below(4)) {
    case 0:
        std::swap(all[i], all[k]);
        return;
    case 1:
        if (all.size() > 1)
            all.erase(all.begin() + static_cast<std::ptrdiff_t>(i));
        return;
    case 2: {
        const ExportDeclaration copy = all[i];
        all.insert(all.begin() + static_cast<std::ptrdiff_t>(k), copy);
        return;
    }
    default: {
        // A definition in front of another takes its type: what is then checked is the value.
        ExportConstant& from = any_constant(model);
        ExportConstant& to = any_constant(model);
        (one_in(2) ? to.type : to.value) = one_in(2) ? from.type : from.value;
        return;
    }
    }
}

void ExportMutator::change_block(ExportModel& model) {
    auto& declaration = model.declarations[below(model.declarations.size())];
    if (!declaration.is_inductive_block)
        return;
    ExportConstant& c = declaration.constants[below(declaration.constants.size())];
    switch (below(4)) {
    case 0: // another universe to eliminate to, or none
        for (ExportConstant& each : declaration.constants) {
            if (each.kind != ConstantKind::recursor)
                continue;
            if (!each.universe_params.empty() && one_in(2))
                each.universe_params.erase(each.universe_params.begin());
            else
                each.universe_params.insert(each.universe_params.begin(), model.name("w"));
        }
        return;
    case 1: // all of them count one parameter more or less
        for (ExportConstant& each : declaration.constants)
            each.num_params =
                each.num_params == 0 || one_in(8) ? each.num_params + 1 : each.num_params - 1;
        return;
    case 2: // a constructor less
        if (c.kind == ConstantKind::inductive && !c.constructors.empty()) {
            const Id gone = c.constructors.back();
            c.constructors.pop_back();
            std::erase_if(declaration.constants,
                          [&](const ExportConstant& each) { return each.name == gone; });
        }
        return;
    default: // a field more, of a type that is there
        if (c.kind == ConstantKind::constructor) {
            Index type = static_cast<Index>(c.type);
            std::vector<Index> binders;
            while (model.terms[type].kind == TermKind::pi && !one_in(3)) {
                binders.push_back(type);
                type = model.terms[type].b;
            }
            type = model.binder(TermKind::pi, any_term(model), type);
            while (!binders.empty()) {
                type = model.with_part(binders.back(), 1, type);
                binders.pop_back();
            }
            c.type = type;
        }
        return;
    }
}

namespace {

bool has_meaning(std::string_view root) {
    static const std::set<std::string, std::less<>> roots = {
        "Nat",  "Bool",     "String",    "List",     "Char",        "Eq",
        "Quot", "dite",     "ite",       "Not",      "False",       "Decidable",
        "rec",  "optParam", "autoParam", "outParam", "semiOutParam"};
    return roots.count(root) != 0;
}

// The kernel knows these by the form of their definition (recursor_compare.cpp).
bool is_annotation(const ExportModel& model, Id name) {
    const std::string text = model.dotted(static_cast<Index>(name));
    return text == "outParam" || text == "semiOutParam" || text == "optParam" ||
           text == "autoParam";
}

/// Constants replaced by terms, in a value.
class Replacing {
public:
    Replacing(ExportModel& model, const std::unordered_map<Index, Index>& values)
        : model_(model), values_(values) {}

    Index in(Index term) {
        if (const auto found = done_.find(term); found != done_.end())
            return found->second;
        Index result = term;
        const ModelTerm& own = model_.terms[term];
        const auto value = own.kind == TermKind::constant ? values_.find(own.a) : values_.end();
        if (value != values_.end()) {
            result = value->second;
        } else {
            const std::vector<Index> parts = model_.parts(term);
            for (std::size_t i = 0; i < parts.size(); ++i)
                result = model_.with_part(result, i, in(parts[i]));
        }
        done_[term] = result;
        return result;
    }

private:
    ExportModel& model_;
    const std::unordered_map<Index, Index>& values_;
    std::unordered_map<Index, Index> done_;
};

} // namespace

ExportModel renamed(const ExportModel& model) {
    ExportModel result = model;
    for (std::size_t i = 1; i < result.names.size(); ++i) {
        ModelName& name = result.names[i];
        if (name.prefix == 0 && !name.is_number && !has_meaning(name.text))
            name.text += "'";
    }
    return result;
}

ExportModel eta_expanded(const ExportModel& model) {
    ExportModel result = model;
    for (ExportDeclaration& declaration : result.declarations) {
        for (ExportConstant& c : declaration.constants) {
            if ((c.kind != ConstantKind::definition && c.kind != ConstantKind::theorem) ||
                is_annotation(result, c.name))
                continue;
            const ModelTerm& type = result.terms[c.type];
            if (type.kind != TermKind::pi)
                continue;
            const Index domain = type.a;
            const Index body = result.app(static_cast<Index>(c.value), result.bvar(0));
            c.value = result.binder(TermKind::lam, domain, body);
        }
    }
    return result;
}

ExportModel unfolded(const ExportModel& model) {
    ExportModel result = model;
    std::unordered_map<Index, Index> values;
    for (ExportDeclaration& declaration : result.declarations) {
        for (ExportConstant& c : declaration.constants) {
            if ((c.kind != ConstantKind::definition && c.kind != ConstantKind::theorem) ||
                is_annotation(result, c.name))
                continue;
            if (c.kind == ConstantKind::definition && c.safety != DefinitionSafety::safe)
                continue;
            c.value = Replacing(result, values).in(static_cast<Index>(c.value));
            constexpr std::size_t most_terms = 4000;
            if (c.kind == ConstantKind::definition && c.universe_params.empty() &&
                result.terms.size() < most_terms)
                values[static_cast<Index>(c.name)] = static_cast<Index>(c.value);
        }
    }
    return result;
}

} // namespace leanhost::fuzz
