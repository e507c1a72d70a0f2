// The recursors that are stated, compared with those that follow from the block.
#include "kernel/inductive.hpp"

#include <fmt/format.h>

namespace leanhost::kernel {

// Lean's kernel drops `outParam` and the like from some binders' types: which, has changed over the
// years. So what is generated may have some that what is stated has not. Never the other way round:
// every part of what is stated is a part of what was generated from checked terms, since nothing
// else checks it before it stands in the environment.
bool InductiveCheck::is_same(Term stated, Term is) {
    if (stated == is)
        return true;
    const std::uint64_t pair = std::uint64_t{stated} << 32U | is;
    if (const bool* const found = compared_.find(pair))
        return *found;
    const Term inner = annotated(is);
    const bool result = (inner != no_term && is_same(stated, inner)) || have_same_parts(stated, is);
    compared_.put(pair, result);
    return result;
}

bool InductiveCheck::have_same_parts(Term stated, Term is) {
    checker_.check_stack();
    const TermNode& t = store_[stated];
    const TermNode& s = store_[is];
    if (t.kind != s.kind || !has_parts(t.kind))
        return false;
    switch (t.kind) {
    case TermKind::app:
    case TermKind::lam:
    case TermKind::pi:
        return is_same(t.a, s.a) && is_same(t.b, s.b);
    case TermKind::let: {
        const TermNode& t_rest = store_[t.b];
        const TermNode& s_rest = store_[s.b];
        return is_same(t.a, s.a) && is_same(t_rest.a, s_rest.a) && is_same(t_rest.b, s_rest.b);
    }
    case TermKind::proj:
        return t.b == s.b && t.extra == s.extra && is_same(t.a, s.a);
    default:
        return false;
    }
}

// α of `outParam α`, `optParam α v` and their kind, if that is what these unfold to.
Term InductiveCheck::annotated(Term term) {
    const KernelNames& known = checker_.known();
    const TermNode& head = store_[checker_.app_fn(term)];
    if (head.kind != TermKind::constant)
        return no_term;
    const bool takes_two = head.a == known.opt_param || head.a == known.auto_param;
    const bool takes_one = head.a == known.out_param || head.a == known.semi_out_param;
    const unsigned num_args = takes_two ? 2 : 1;
    if ((!takes_two && !takes_one) || checker_.num_args(term) != num_args)
        return no_term;
    const ConstantInfo* const info = checker_.find(head.a);
    if (info == nullptr || info->kind != ConstantKind::definition)
        return no_term;
    Term body = checker_.value_of(*info);
    for (unsigned i = 0; i < num_args; ++i) {
        if (store_.kind(body) != TermKind::lam)
            return no_term;
        body = store_[body].b;
    }
    const TermNode& result = store_[body];
    if (result.kind != TermKind::bvar || result.a != num_args - 1)
        return no_term;
    return takes_two ? store_[store_[term].a].b : store_[term].b;
}

void InductiveCheck::compare_recursors() {
    std::size_t num_recursors = 0;
    for (const ConstantInfo& info : block_.constants)
        num_recursors += info.kind == ConstantKind::recursor ? 1 : 0;
    if (num_recursors != types_.size())
        refuse(RejectReason::bad_recursor, types_[0].name,
               fmt::format("{} recursors are stated where there are {}", num_recursors,
                           types_.size()));
    for (std::size_t i = 0; i < types_.size(); ++i) {
        const NameId name = recursor_name(i);
        const ConstantInfo* const info =
            name == anonymous ? nullptr : given(name, ConstantKind::recursor);
        if (info == nullptr)
            refuse(RejectReason::bad_recursor, types_[0].name,
                   fmt::format("the recursor of type {} of the block is missing", i));
        compare_recursor(*info, i);
    }
}

// The constructor whose rule it is: of an auxiliary type, that of what it stands for.
NameId InductiveCheck::rule_constructor(std::size_t type_idx, std::size_t constructor_idx) const {
    if (type_idx < num_own_)
        return types_[type_idx].constructors[constructor_idx].name;
    const ConstantInfo& inductive = *checker_.find(nested_[type_idx - num_own_].inductive);
    return checker_.facts(inductive).constructors[constructor_idx];
}

InductiveCheck::Generated InductiveCheck::generate() {
    derive_types();
    find_recursor_names();
    // What is not stated may be named all the same; nobody adds names here.
    for (std::size_t i = 0; i < types_.size(); ++i) {
        const bool is_own = i < num_own_;
        if (recursor_names_[i] == anonymous)
            recursor_names_[i] =
                checker_.names().find_str(types_[is_own ? i : 0].name,
                                          is_own ? "rec" : fmt::format("rec_{}", i - num_own_ + 1));
    }
    derive_recursors();
    Generated result;
    result.num_nested = static_cast<std::uint32_t>(nested_.size());
    result.is_recursive = is_recursive_;
    result.is_reflexive = is_reflexive_;
    std::size_t num_minors = 0;
    for (const Type& type : types_)
        num_minors += type.minors.size();
    for (std::size_t i = 0; i < types_.size(); ++i) {
        ConstantInfo info;
        info.name = recursor_name(i);
        info.kind = ConstantKind::recursor;
        info.safety = safety_;
        info.params = recursor_levels_;
        info.type = recursor_type(types_[i]);
        InductiveFacts facts = given_facts(*given(types_[0].name, ConstantKind::inductive));
        facts.inductive = major_inductive(i);
        facts.num_params = num_params_;
        facts.num_indices = types_[i].num_indices;
        facts.num_motives = static_cast<std::uint32_t>(types_.size());
        facts.num_minors = static_cast<std::uint32_t>(num_minors);
        facts.has_k = has_k_;
        for (std::size_t k = 0; k < types_[i].constructors.size(); ++k)
            facts.rules.push_back({rule_constructor(i, k), types_[i].constructors[k].num_fields,
                                   rule_rhs(types_[i], k)});
        result.recursors.push_back(info);
        result.recursor_facts.push_back(std::move(facts));
    }
    return result;
}

void InductiveCheck::compare_recursor(const ConstantInfo& info, std::size_t type_idx) {
    const Type& type = types_[type_idx];
    const InductiveFacts& facts = given_facts(info);
    const auto compare = [&](std::uint64_t stated, std::uint64_t is, const char* what) {
        if (stated != is)
            refuse(RejectReason::bad_recursor, info.name,
                   fmt::format("{} is stated to be {}, and is {}", what, stated, is));
    };
    std::size_t num_minors = 0;
    for (const Type& t : types_)
        num_minors += t.minors.size();
    compare(facts.num_params, num_params_, "the number of parameters");
    compare(facts.num_indices, type.num_indices, "the number of indices");
    compare(facts.num_motives, types_.size(), "the number of motives");
    compare(facts.num_minors, num_minors, "the number of minor premises");
    compare(facts.has_k ? 1 : 0, has_k_ ? 1 : 0, "k");
    compare(facts.rules.size(), type.constructors.size(), "the number of rules");
    const auto& own = given_facts(*given(types_[0].name, ConstantKind::inductive));
    if (facts.all != own.all || info.params != recursor_levels_ || info.safety != safety_)
        refuse(RejectReason::bad_recursor, info.name,
               "block, universe parameters and safety must be those of the type");
    if (facts.inductive != major_inductive(type_idx))
        refuse(RejectReason::bad_recursor, info.name, "its major premise is of another type");
    const Term generated = recursor_type(type);
    if (!is_same(info.type, generated))
        refuse(RejectReason::bad_recursor, info.name,
               fmt::format("its type is stated to be\n  {}\nand is\n  {}",
                           checker_.print(info.type), checker_.print(generated)));
    for (std::size_t i = 0; i < facts.rules.size(); ++i) {
        const RecursorRule& rule = facts.rules[i];
        const NameId constructor = rule_constructor(type_idx, i);
        if (rule.constructor != constructor || rule.num_fields != type.constructors[i].num_fields)
            refuse(RejectReason::bad_recursor, info.name,
                   fmt::format("rule {} is not that of {}", i, checker_.names().text(constructor)));
        const Term rhs = rule_rhs(type, i);
        if (!is_same(rule.rhs, rhs))
            refuse(RejectReason::bad_recursor, info.name,
                   fmt::format("rule {} is stated to be\n  {}\nand is\n  {}", i,
                               checker_.print(rule.rhs), checker_.print(rhs)));
    }
}

} // namespace leanhost::kernel
