#include "kernel/type_checker.hpp"

#include <algorithm>

namespace leanhost::kernel {

Env TypeChecker::push(Env parent, Closure entry, Term type) {
    const EnvNode& above = envs_[parent];
    const std::uint32_t depth = above.depth + 1;
    const Env env = envs_.push({parent, entry.term, entry.env, type, above.root, depth});
    if (depth % env_stride == 0)
        far_parents_.put(env, ancestor(env, env_stride));
    return env;
}

Env TypeChecker::ancestor(Env env, std::uint32_t distance) const {
    if (distance >= 2 * env_stride) {
        for (; envs_[env].depth % env_stride != 0; --distance)
            env = envs_[env].parent;
        for (; distance >= env_stride; distance -= env_stride)
            env = *far_parents_.find(env);
    }
    for (; distance > 0; --distance)
        env = envs_[env].parent;
    return env;
}

// Without parameters, or with each standing for itself, nothing has to be replaced.
Env TypeChecker::root_for(Levels names, Levels values) {
    if (names == values)
        return no_env;
    const std::uint64_t key = (std::uint64_t{names} << 32) | values;
    if (const Env* const found = roots_.find(key))
        return *found;
    const Env root = envs_.push({no_env, names, values, no_term, envs_.size(), 0});
    roots_.put(key, root);
    return root;
}

Env TypeChecker::entry_of(Env env, std::uint32_t index) const {
    // Only a loose variable beyond the binders could lead elsewhere, and those are refused on
    // entry.
    LEANHOST_REQUIRE(envs_[env].depth > index);
    return ancestor(env, index);
}

Term TypeChecker::force_entry(Env entry) {
    EnvNode& node = envs_[entry];
    if (node.env != no_env) {
        const Env env = node.env;
        const Term term = force({node.term, env});
        if (node.type != no_term)
            node.type = force({node.type, env});
        node.term = term;
        node.env = no_env;
    }
    return node.term;
}

Term TypeChecker::force(Closure closure) {
    if (closure.env == no_env || is_unaffected(store_[closure.term], closure.env, 0))
        return closure.term;
    return substitute(closure.term, closure.env, 0);
}

// As far as the head is a function that stands here or in `env`, and arguments are there for it.
// Nothing is built.
Closure TypeChecker::head_beta(Closure closure) {
    for (;;) {
        const TermNode& node = store_[closure.term];
        if (node.kind == TermKind::bvar && closure.env != no_env) {
            const EnvNode& entry = envs_[entry_of(closure.env, node.a)];
            closure = {entry.term, entry.env};
            continue;
        }
        if (node.kind != TermKind::app)
            return closure;
        Closure head{app_fn(node.a), closure.env};
        while (store_.kind(head.term) == TermKind::bvar && head.env != no_env) {
            const EnvNode& entry = envs_[entry_of(head.env, store_[head.term].a)];
            head = {entry.term, entry.env};
        }
        if (store_.kind(head.term) != TermKind::lam)
            return closure;
        heartbeat();
        const std::size_t base = spine_.size();
        for (Term at = closure.term; store_.kind(at) == TermKind::app; at = store_[at].a)
            spine_.push_back(store_[at].b);
        while (spine_.size() > base && store_.kind(head.term) == TermKind::lam) {
            head = {store_[head.term].b, push(head.env, argument(spine_.back(), closure.env))};
            spine_.pop_back();
        }
        const bool is_done = spine_.size() == base;
        spine_.resize(base);
        if (!is_done)
            return closure; // what is left would have to be applied to a closure
        closure = head;
    }
}

Term TypeChecker::instantiate_params(Term term, Levels names, Levels values) {
    return force({term, root_for(names, values)});
}

Term TypeChecker::instantiate(Term body, Term value) {
    return force({body, push(no_env, {value, no_env})});
}

Level TypeChecker::substitute_level(Level level, Env env) {
    const Env root = root_of(env);
    return root == no_env ? level : order_.instantiate(level, envs_[root].term, envs_[root].env);
}

Levels TypeChecker::substitute_levels(Levels levels, Env env) {
    if (levels == no_levels || root_of(env) == no_env)
        return levels;
    const std::uint64_t key = (std::uint64_t{levels} << 32) | root_of(env);
    if (const Levels* const found = substituted_levels_.find(key))
        return *found;
    std::vector<Level> values;
    for (const Level level : store_.levels(levels))
        values.push_back(substitute_level(level, env));
    const Levels result = store_.list(values);
    substituted_levels_.put(key, result);
    return result;
}

Term TypeChecker::substitute(Term term, Env env, std::uint32_t offset) {
    const TermNode& node = store_[term];
    if (is_unaffected(node, env, offset))
        return term;
    switch (node.kind) {
    case TermKind::bvar:
        return force_entry(entry_of(env, node.a - offset));
    case TermKind::sort:
        return store_.sort(substitute_level(node.a, env));
    case TermKind::constant: {
        // Remembered here: among all that is persistent it would take longer to find.
        const InstKey key{term, root_of(env), 0};
        if (const Term* const found = substituted_.find(key))
            return *found;
        const Term result = store_.constant(node.a, substitute_levels(node.b, env));
        substituted_.put(key, result);
        return result;
    }
    default:
        break;
    }
    // Below, only the parameters matter, and they are the root's.
    if (node.loose <= offset) {
        env = root_of(env);
        offset = node.loose;
    }
    if (!node.is_shared())
        return substitute_parts(node, env, offset);
    const InstKey key{term, env, offset};
    if (const Term* const found = substituted_.find(key))
        return *found;
    const Term result = substitute_parts(node, env, offset);
    substituted_.put(key, result);
    return result;
}

Term TypeChecker::substitute_parts(const TermNode& node, Env env, std::uint32_t offset) {
    check_stack();
    switch (node.kind) {
    case TermKind::app:
        return substitute_spine(node, env, offset);
    case TermKind::lam:
    case TermKind::pi: {
        const Term domain = substitute(node.a, env, offset);
        return store_.binder(node.kind, domain, substitute(node.b, env, offset + 1));
    }
    case TermKind::let: {
        const TermNode& rest = store_[node.b];
        const Term value = substitute(node.a, env, offset);
        const Term type = substitute(rest.a, env, offset);
        return store_.let(type, value, substitute(rest.b, env, offset + 1));
    }
    case TermKind::proj:
        return store_.proj(node.b, node.extra, substitute(node.a, env, offset));
    case TermKind::fvar:
        // The parameters of a free variable's type are those of the declaration, never replaced.
    default:
        fail(ErrorCode::internal, "substitution met a term that cannot be affected");
    }
}

// Along the functions of an application without recursion: spines are the deepest terms there are.
Term TypeChecker::substitute_spine(const TermNode& node, Env env, std::uint32_t offset) {
    const std::size_t base = spine_.size();
    spine_.push_back(node.b);
    Term head = node.a;
    for (;;) {
        const TermNode& at = store_[head];
        if (at.kind != TermKind::app || at.is_shared() || is_unaffected(at, env, offset))
            break;
        spine_.push_back(at.b);
        head = at.a;
    }
    Term result = substitute(head, env, offset);
    while (spine_.size() > base) {
        const Term argument = spine_.back();
        spine_.pop_back();
        result = store_.app(result, substitute(argument, env, offset));
    }
    return result;
}

void TypeChecker::begin_abstracting(std::span<const Term> fvars) {
    abstracted_.clear();
    abstracting_ = fvars;
    least_abstracted_ = 0xFFFFFFFF;
    for (std::uint32_t i = 0; i < fvars.size(); ++i) {
        const std::uint32_t level = store_[fvars[i]].b;
        if (level >= fvar_positions_.size())
            fvar_positions_.resize(level + 64, 0);
        fvar_positions_[level] = i;
        least_abstracted_ = std::min(least_abstracted_, level);
    }
}

Term TypeChecker::abstract(Term term, std::span<const Term> fvars) {
    begin_abstracting(fvars);
    num_abstracting_ = static_cast<std::uint32_t>(fvars.size());
    return abstract_core(term, 0);
}

Term TypeChecker::bind(TermKind kind, std::span<const Term> fvars, Term body) {
    begin_abstracting(fvars);
    num_abstracting_ = static_cast<std::uint32_t>(fvars.size());
    Term result = abstract_core(body, 0);
    while (num_abstracting_ > 0) {
        --num_abstracting_;
        const Term type = store_[fvars[num_abstracting_]].a;
        result = store_.binder(kind, abstract_core(type, 0), result);
    }
    return result;
}

Term TypeChecker::abstract_core(Term term, std::uint32_t offset) {
    const TermNode& node = store_[term];
    if (node.free <= least_abstracted_)
        return term;
    if (node.kind == TermKind::fvar) {
        const std::uint32_t i = node.b < fvar_positions_.size() ? fvar_positions_[node.b] : 0;
        return i < num_abstracting_ && abstracting_[i] == term
                   ? store_.bvar(std::uint64_t{offset} + num_abstracting_ - 1 - i)
                   : term;
    }
    const InstKey key{term, num_abstracting_, offset};
    if (const Term* const found = abstracted_.find(key))
        return *found;
    const Term result = abstract_parts(node, offset);
    abstracted_.put(key, result);
    return result;
}

Term TypeChecker::abstract_parts(const TermNode& node, std::uint32_t offset) {
    check_stack();
    switch (node.kind) {
    case TermKind::app: {
        const std::size_t base = spine_.size();
        spine_.push_back(node.b);
        Term head = node.a;
        for (; store_.kind(head) == TermKind::app && store_[head].free > least_abstracted_;
             head = store_[head].a)
            spine_.push_back(store_[head].b);
        Term result = abstract_core(head, offset);
        while (spine_.size() > base) {
            const Term argument = spine_.back();
            spine_.pop_back();
            result = store_.app(result, abstract_core(argument, offset));
        }
        return result;
    }
    case TermKind::lam:
    case TermKind::pi: {
        const Term domain = abstract_core(node.a, offset);
        return store_.binder(node.kind, domain, abstract_core(node.b, offset + 1));
    }
    case TermKind::let: {
        const TermNode& rest = store_[node.b];
        const Term value = abstract_core(node.a, offset);
        const Term type = abstract_core(rest.a, offset);
        return store_.let(type, value, abstract_core(rest.b, offset + 1));
    }
    case TermKind::proj:
        return store_.proj(node.b, node.extra, abstract_core(node.a, offset));
    default:
        fail(ErrorCode::internal, "abstraction met a term without parts");
    }
}

Term TypeChecker::app_fn(Term term) const noexcept {
    while (store_.kind(term) == TermKind::app)
        term = store_[term].a;
    return term;
}

void TypeChecker::app_args(Term term, std::vector<Term>& out) const {
    const std::size_t first = out.size();
    for (; store_.kind(term) == TermKind::app; term = store_[term].a)
        out.push_back(store_[term].b);
    std::reverse(out.begin() + static_cast<std::ptrdiff_t>(first), out.end());
}

unsigned TypeChecker::num_args(Term term) const noexcept {
    unsigned count = 0;
    for (; store_.kind(term) == TermKind::app; term = store_[term].a)
        ++count;
    return count;
}

Term TypeChecker::mk_app(Term function, std::span<const Term> args) {
    for (const Term arg : args)
        function = store_.app(function, arg);
    return function;
}

} // namespace leanhost::kernel
