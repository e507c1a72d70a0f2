// Nested occurrences: earlier inductive types applied to the block become types of their own while
// it is checked.
#include "kernel/inductive.hpp"

#include <algorithm>

namespace leanhost::kernel {

void InductiveCheck::replace_nested() {
    for (std::size_t i = 0; i < types_.size(); ++i) {
        for (std::size_t k = 0; k < types_[i].constructors.size(); ++k) {
            // Replacing may add types: no reference is held over it.
            const Constructor constructor = types_[i].constructors[k];
            const Term body = instantiate_params(constructor.type, constructor.name);
            const Term replaced = replace_in(body);
            if (replaced != body)
                types_[i].constructors[k].type = checker_.mk_pi(params_, replaced);
        }
    }
}

bool InductiveCheck::mentions_block(Term term) {
    const TermNode& node = store_[term];
    switch (node.kind) {
    case TermKind::constant:
        return is_block_type(node.a);
    case TermKind::app:
    case TermKind::lam:
    case TermKind::pi:
    case TermKind::let:
    case TermKind::let_rest:
    case TermKind::proj:
        break;
    default:
        return false;
    }
    if (const std::uint8_t* const found = mentions_.find(term))
        return *found != 0;
    checker_.check_stack();
    const bool result =
        mentions_block(node.a) || (node.kind != TermKind::proj && mentions_block(node.b));
    mentions_.put(term, result ? 1 : 0);
    return result;
}

Term InductiveCheck::replace_in(Term term) {
    if (!mentions_block(term))
        return term;
    if (const Term* const found = replaced_.find(term))
        return *found;
    Term result = auxiliary_for(term);
    if (result == no_term)
        result = has_parts(store_.kind(term)) ? map_parts(store_[term], &InductiveCheck::replace_in)
                                              : term;
    replaced_.put(term, result);
    return result;
}

// Rebuilds a term with `map` done to its parts. Loose variables stay as they are.
Term InductiveCheck::map_parts(const TermNode& node, Term (InductiveCheck::*map)(Term)) {
    checker_.check_stack();
    const auto mapped = [&](Term part) { return (this->*map)(part); };
    switch (node.kind) {
    case TermKind::app: {
        const Term function = mapped(node.a);
        return store_.app(function, mapped(node.b));
    }
    case TermKind::lam:
    case TermKind::pi: {
        const Term domain = mapped(node.a);
        return store_.binder(node.kind, domain, mapped(node.b));
    }
    case TermKind::let: {
        const TermNode& rest = store_[node.b];
        const Term value = mapped(node.a);
        const Term type = mapped(rest.a);
        return store_.let(type, value, mapped(rest.b));
    }
    case TermKind::proj:
        return store_.proj(node.b, node.extra, mapped(node.a));
    case TermKind::fvar:
        return store_.fvar(node.b, mapped(node.a));
    default:
        fail(ErrorCode::internal, "a term without parts");
    }
}

// For an earlier inductive type applied to parameters that mention the block: the auxiliary type in
// its place. Otherwise none.
Term InductiveCheck::auxiliary_for(Term app) {
    const TermNode& head = store_[checker_.app_fn(app)];
    if (head.kind != TermKind::constant || is_block_type(head.a))
        return no_term;
    const ConstantInfo* const info = checker_.find(head.a);
    if (info == nullptr || info->kind != ConstantKind::inductive)
        return no_term;
    const std::uint32_t num_params = checker_.facts(*info).num_params;
    std::vector<Term> args;
    checker_.app_args(app, args);
    if (args.size() < num_params)
        return no_term;
    std::vector<Term> params(args.begin(), args.begin() + num_params);
    if (std::none_of(params.begin(), params.end(), [this](Term p) { return mentions_block(p); }))
        return no_term;
    for (const Term param : params) {
        if (store_[param].loose != 0)
            refuse(RejectReason::bad_inductive, types_[0].name,
                   "the parameters of a nested occurrence contain a local variable");
    }
    const Term nested = checker_.mk_app(checker_.app_fn(app), params);
    const auto is_it = [&](const Nested& n) { return n.app == nested; };
    auto found = std::find_if(nested_.begin(), nested_.end(), is_it);
    if (found == nested_.end()) {
        add_auxiliaries(*info, head.b, params);
        found = std::find_if(nested_.begin(), nested_.end(), is_it);
        // It may have been refused itself, or be about to be by another thread.
        if (found == nested_.end())
            refuse(RejectReason::bad_inductive, types_[0].name,
                   "a nested occurrence of a type that is none of its own block");
    }
    const auto i = static_cast<std::size_t>(found - nested_.begin());
    Term result = store_.constant(types_[num_own_ + i].name, params_levels_);
    result = checker_.mk_app(result, params_);
    for (std::size_t k = num_params; k < args.size(); ++k)
        result = store_.app(result, args[k]);
    return result;
}

// One for each type of the block of `inductive`, all with these parameters.
void InductiveCheck::add_auxiliaries(const ConstantInfo& inductive,
                                     Levels levels,
                                     const std::vector<Term>& params) {
    const std::vector<NameId> all = checker_.facts(inductive).all;
    const auto specialise = [&](const ConstantInfo& info) {
        if (store_.levels(info.params).size() != store_.levels(levels).size())
            refuse(RejectReason::wrong_number_of_levels, types_[0].name, "in a nested occurrence");
        Term type = checker_.instantiate_params(info.type, info.params, levels);
        for (const Term param : params) {
            type = pi_or_none(type);
            if (type == no_term)
                refuse(RejectReason::bad_inductive, types_[0].name,
                       "a nested occurrence has too many parameters");
            type = checker_.instantiate(store_[type].b, param);
        }
        return checker_.mk_pi(params_, type);
    };
    for (const NameId name : all) {
        const ConstantInfo* const info = checker_.find(name);
        if (info == nullptr || info->kind != ConstantKind::inductive)
            refuse(RejectReason::bad_inductive, types_[0].name,
                   "a nested occurrence of what is no inductive type");
        Type type{checker_.fresh_name(), specialise(*info), 0, {}, no_term, {}};
        Nested nested{name, levels, params, no_term};
        nested.app = checker_.mk_app(store_.constant(name, levels), params);
        type_idx_.put(type.name, static_cast<std::uint32_t>(types_.size()));
        for (const NameId constructor : checker_.facts(*info).constructors) {
            const ConstantInfo* const at = checker_.find(constructor);
            if (at == nullptr)
                refuse(RejectReason::bad_inductive, constructor, "is not declared");
            checker_.heartbeat();
            const NameId fresh = checker_.fresh_name();
            auxiliary_constructors_.put(fresh, (std::uint64_t{types_.size()} << 32) |
                                                   type.constructors.size());
            type.constructors.push_back({fresh, specialise(*at), 0});
        }
        types_.push_back(std::move(type));
        nested_.push_back(std::move(nested));
    }
    mentions_.clear(); // there are more names of the block now
}

// Back from auxiliary types and constructors to what they stand for.
Term InductiveCheck::restore(Term term) {
    if (!has_parts(store_.kind(term)) && store_.kind(term) != TermKind::constant)
        return term;
    if (const Term* const found = restored_.find(term))
        return *found;
    Term result = restore_app(term);
    if (result == no_term)
        result =
            has_parts(store_.kind(term)) ? map_parts(store_[term], &InductiveCheck::restore) : term;
    restored_.put(term, result);
    return result;
}

Term InductiveCheck::restore_app(Term term) {
    const TermNode& head = store_[checker_.app_fn(term)];
    if (head.kind != TermKind::constant || (head.a & scratch_bit) == 0)
        return no_term;
    std::vector<Term> args;
    checker_.app_args(term, args);
    if (args.size() < num_params_)
        fail(ErrorCode::internal, "an auxiliary constant without its parameters");
    const std::uint64_t* const constructor = auxiliary_constructors_.find(head.a);
    const std::size_t idx = constructor != nullptr ? static_cast<std::size_t>(*constructor >> 32)
                                                   : *type_idx_.find(head.a);
    const Nested& nested = nested_[idx - num_own_];
    Term result = nested.app;
    if (constructor != nullptr) {
        const ConstantInfo& info = *checker_.find(nested.inductive);
        const auto k = static_cast<std::uint32_t>(*constructor);
        result = checker_.mk_app(
            store_.constant(checker_.facts(info).constructors[k], nested.levels), nested.params);
    }
    // The parameters of an auxiliary are the free variables of the block, at every place.
    for (std::size_t i = 0; i < num_params_; ++i)
        LEANHOST_REQUIRE(args[i] == params_[i]);
    result = restore(result);
    for (std::size_t i = num_params_; i < args.size(); ++i)
        result = store_.app(result, restore(args[i]));
    return result;
}

} // namespace leanhost::kernel
