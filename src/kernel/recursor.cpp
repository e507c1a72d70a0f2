// The recursors that follow from a checked block: their types and rules.
#include "kernel/inductive.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace leanhost::kernel {

std::vector<Term> InductiveCheck::open_telescope(Term type, std::uint32_t count, Term& result) {
    std::vector<Term> locals;
    for (std::uint32_t i = 0; i < count; ++i) {
        type = pi_or_none(type);
        LEANHOST_REQUIRE(type != no_term);
        locals.push_back(local(store_[type].a));
        type = checker_.instantiate(store_[type].b, locals.back());
    }
    result = type;
    return locals;
}

std::vector<Term> InductiveCheck::open_fields(const Constructor& constructor, Term& result) {
    return open_telescope(instantiate_params(constructor.type, constructor.name),
                          constructor.num_fields, result);
}

// A type that may be Prop eliminates to all universes only if nothing but proofs, and what the
// result's indices show, could be told from it.
bool InductiveCheck::eliminates_only_to_prop() {
    if (checker_.order().leq(store_.one(), result_level_))
        return false;
    if (types_.size() > 1 || types_[0].constructors.size() > 1)
        return true;
    if (types_[0].constructors.empty())
        return false;
    const std::uint32_t mark = next_local_;
    Term result = no_term;
    const std::vector<Term> fields = open_fields(types_[0].constructors[0], result);
    std::vector<Term> args;
    checker_.app_args(result, args);
    next_local_ = mark;
    return std::any_of(fields.begin(), fields.end(), [&](Term field) {
        const Level level = checker_.ensure_sort(checker_.infer(store_[field].a));
        return !checker_.order().is_zero(level) &&
               std::find(args.begin(), args.end(), field) == args.end();
    });
}

void InductiveCheck::make_motives() {
    has_k_ = types_.size() == 1 && checker_.order().is_zero(result_level_) &&
             types_[0].constructors.size() == 1 && types_[0].constructors[0].num_fields == 0;
    const bool only_prop = eliminates_only_to_prop();
    const NameId name = recursor_name(0);
    const ConstantInfo* const info =
        name == anonymous ? nullptr : given(name, ConstantKind::recursor);
    if (info == nullptr)
        refuse(RejectReason::bad_recursor, types_[0].name, "its recursor is missing");
    // The recursor's own name for the universe it eliminates to, then the type's parameters.
    const auto stated = store_.levels(info->params);
    const auto own = store_.levels(params_levels_);
    const std::size_t extra = only_prop ? 0 : 1;
    if (stated.size() != own.size() + extra ||
        !std::equal(own.begin(), own.end(), stated.begin() + static_cast<std::ptrdiff_t>(extra)))
        refuse(RejectReason::bad_recursor, name,
               only_prop ? "it must eliminate to Prop only"
                         : "its universe parameters must be one more than those of the type");
    elim_level_ = only_prop ? store_.zero() : stated[0];
    recursor_levels_ = info->params;
    for (Type& type : types_) {
        const std::uint32_t mark = next_local_;
        Term rest = type.type;
        for (const Term param : params_)
            rest = checker_.instantiate(store_[pi_or_none(rest)].b, param);
        std::vector<Term> locals = open_telescope(rest, type.num_indices, rest);
        Term major = store_.constant(type.name, params_levels_);
        major = checker_.mk_app(checker_.mk_app(major, params_), locals);
        locals.push_back(local(major));
        const Term motive_type = checker_.mk_pi(locals, store_.sort(elim_level_));
        next_local_ = mark;
        type.motive = local(motive_type);
    }
}

void InductiveCheck::make_minors() {
    for (Type& type : types_) {
        for (const Constructor& constructor : type.constructors) {
            const std::uint32_t mark = next_local_;
            const Term minor = minor_type(type, constructor);
            next_local_ = mark;
            type.minors.push_back(local(minor));
        }
    }
}

std::optional<InductiveCheck::RecursiveArg> InductiveCheck::recursive_arg(Term type) {
    RecursiveArg arg;
    type = checker_.whnf(type);
    while (store_.kind(type) == TermKind::pi) {
        arg.xs.push_back(local(store_[type].a));
        type = checker_.whnf(checker_.instantiate(store_[type].b, arg.xs.back()));
    }
    const auto idx = valid_app(type);
    if (!idx)
        return std::nullopt;
    arg.type_idx = *idx;
    checker_.app_args(type, arg.indices);
    arg.indices.erase(arg.indices.begin(), arg.indices.begin() + num_params_);
    return arg;
}

// ∀ fields, (∀ xs, motive (field xs)) → … → motive (constructor fields)
Term InductiveCheck::minor_type(const Type& type, const Constructor& constructor) {
    Term result = no_term;
    std::vector<Term> locals = open_fields(constructor, result);
    std::vector<Term> args;
    checker_.app_args(result, args);
    args.erase(args.begin(), args.begin() + num_params_);
    Term value = checker_.mk_app(store_.constant(constructor.name, params_levels_), params_);
    value = checker_.mk_app(value, locals);
    const Term conclusion = store_.app(checker_.mk_app(type.motive, args), value);
    const std::vector<Term> fields = locals;
    for (const Term field : fields) {
        const auto arg = recursive_arg(store_[field].a);
        if (!arg)
            continue;
        const Term motive = checker_.mk_app(types_[arg->type_idx].motive, arg->indices);
        const Term applied = store_.app(motive, checker_.mk_app(field, arg->xs));
        locals.push_back(local(checker_.mk_pi(arg->xs, applied)));
    }
    return checker_.mk_pi(locals, conclusion);
}

Term InductiveCheck::recursor_type(const Type& type) {
    const std::uint32_t mark = next_local_;
    std::vector<Term> locals = params_;
    for (const Type& t : types_)
        locals.push_back(t.motive);
    for (const Type& t : types_)
        locals.insert(locals.end(), t.minors.begin(), t.minors.end());
    Term rest = type.type;
    for (const Term param : params_)
        rest = checker_.instantiate(store_[pi_or_none(rest)].b, param);
    const std::vector<Term> indices = open_telescope(rest, type.num_indices, rest);
    Term major = checker_.mk_app(store_.constant(type.name, params_levels_), params_);
    major = local(checker_.mk_app(major, indices));
    locals.insert(locals.end(), indices.begin(), indices.end());
    locals.push_back(major);
    const Term conclusion = store_.app(checker_.mk_app(type.motive, indices), major);
    std::vector<Term> restored;
    Term result = conclusion;
    next_local_ = mark;
    if (nested_.empty())
        return checker_.mk_pi(locals, result);
    result = restore(result);
    for (const Term l : locals)
        restored.push_back(restore(l));
    return checker_.mk_pi(restored, result);
}

// λ params motives minors fields, minor fields (λ xs, rec … indices (field xs)) …
Term InductiveCheck::rule_rhs(const Type& type, std::size_t constructor_idx) {
    const std::uint32_t mark = next_local_;
    std::vector<Term> before = params_;
    for (const Type& t : types_)
        before.push_back(t.motive);
    for (const Type& t : types_)
        before.insert(before.end(), t.minors.begin(), t.minors.end());
    Term result = no_term;
    const std::vector<Term> fields = open_fields(type.constructors[constructor_idx], result);
    Term rhs = checker_.mk_app(type.minors[constructor_idx], fields);
    for (const Term field : fields) {
        const auto arg = recursive_arg(store_[field].a);
        if (!arg)
            continue;
        Term call = store_.constant(recursor_name(arg->type_idx), recursor_levels_);
        call = checker_.mk_app(checker_.mk_app(call, before), arg->indices);
        call = store_.app(call, checker_.mk_app(field, arg->xs));
        rhs = store_.app(rhs, checker_.mk_lam(arg->xs, call));
    }
    before.insert(before.end(), fields.begin(), fields.end());
    next_local_ = mark;
    if (nested_.empty())
        return checker_.mk_lam(before, rhs);
    rhs = restore(rhs);
    for (Term& l : before)
        l = restore(l);
    return checker_.mk_lam(before, rhs);
}

NameId InductiveCheck::major_inductive(std::size_t type_idx) const {
    return type_idx < num_own_ ? types_[type_idx].name : nested_[type_idx - num_own_].inductive;
}

// Found among those that are stated: the table of all names may be growing.
void InductiveCheck::find_recursor_names() {
    recursor_names_.assign(types_.size(), anonymous);
    for (const ConstantInfo& info : block_.constants) {
        if (info.kind != ConstantKind::recursor)
            continue;
        const NameId prefix = checker_.names().prefix(info.name);
        const std::string_view last = checker_.names().last_text(info.name);
        const std::uint32_t* const own = type_idx_.find(prefix);
        if (last == "rec" && own != nullptr && *own < num_own_)
            recursor_names_[*own] = info.name;
        for (std::size_t i = num_own_; prefix == types_[0].name && i < types_.size(); ++i) {
            if (last == fmt::format("rec_{}", i - num_own_ + 1))
                recursor_names_[i] = info.name;
        }
    }
}

NameId InductiveCheck::recursor_name(std::size_t type_idx) {
    if (recursor_names_.size() != types_.size())
        find_recursor_names();
    return recursor_names_[type_idx];
}

} // namespace leanhost::kernel
