#include "kernel/type_checker.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace leanhost::kernel {

Closure TypeChecker::check(Term term) {
    if (store_[term].loose != 0)
        reject(RejectReason::loose_bound_variable, "a bound variable that no binder binds");
    return infer_core({term, no_env}, store_[term].free, true);
}

Level TypeChecker::check_type(Term term) {
    return ensure_sort(check(term));
}

void TypeChecker::check_has_type(Term value, Term type) {
    if (store_[value].loose != 0)
        reject(RejectReason::loose_bound_variable, "a bound variable that no binder binds");
    check_against({value, no_env}, {type, no_env}, std::max(store_[value].free, store_[type].free));
}

Closure TypeChecker::infer(Term term) {
    return infer_core({term, no_env}, store_[term].free, false);
}

Closure TypeChecker::infer_core(Closure closure, std::uint32_t depth, bool is_checked) {
    const TermNode& node = store_[closure.term];
    switch (node.kind) {
    case TermKind::bvar:
        return infer_bvar(closure);
    case TermKind::fvar:
        return {node.a, no_env};
    case TermKind::sort:
        if (is_checked)
            check_level_params(node.a);
        return {store_.sort(store_.succ(substitute_level(node.a, closure.env))), no_env};
    case TermKind::constant:
        return infer_constant(node, closure.env, is_checked);
    case TermKind::nat:
    case TermKind::big_nat:
    case TermKind::string:
        return infer_literal(node, is_checked);
    default:
        break;
    }
    if (closure.env != no_env && is_unaffected(node, closure.env, 0))
        closure.env = no_env;
    const bool is_closed = closure.env == no_env;
    const std::uint64_t key = checked_key(closure);
    if (!is_checked && is_closed) {
        if (const Closure* const found = types_.find(closure.term))
            return *found;
    } else if (node.is_shared()) {
        if (const CheckedType* const found = find_checked(node, key, is_checked))
            return found->type;
    }
    const Closure type = infer_step(node, closure, depth, is_checked);
    if (!is_checked && is_closed)
        types_.put(closure.term, type);
    else if (node.is_shared())
        checked_.put(key, {type, is_checked ? serial_ : 0});
    return type;
}

const TypeChecker::CheckedType*
TypeChecker::find_checked(const TermNode& node, std::uint64_t key, bool is_checked) const {
    const CheckedType* const found = checked_.find(key);
    const bool is_enough = found != nullptr && (!is_checked || found->serial == serial_ ||
                                                (!node.has_params() && found->serial != 0));
    return is_enough ? found : nullptr;
}

Closure TypeChecker::infer_step(const TermNode& node,
                                Closure closure,
                                std::uint32_t depth,
                                bool is_checked) {
    check_stack();
    heartbeat();
    switch (node.kind) {
    case TermKind::app:
        return infer_app(closure, depth, is_checked);
    case TermKind::lam:
        return infer_lam(closure, depth, is_checked);
    case TermKind::pi:
        return infer_pi(closure, depth, is_checked);
    case TermKind::let:
        return infer_let(closure, depth, is_checked);
    case TermKind::proj:
        return infer_proj(node, closure.env, depth, is_checked);
    default:
        fail(ErrorCode::internal, "infer met what is no term");
    }
}

Closure TypeChecker::infer_bvar(Closure closure) {
    const EnvNode& entry = envs_[entry_of(closure.env, store_[closure.term].a)];
    if (entry.type != no_term)
        return {entry.type, entry.env};
    if (store_.kind(entry.term) == TermKind::fvar)
        return {store_[entry.term].a, no_env};
    return infer(force_entry(entry_of(closure.env, store_[closure.term].a)));
}

void TypeChecker::check_level_params(Level level) {
    const LevelNode* node = &store_.level(level);
    // A level that shares its parts is small and, written out, may be beyond all bounds.
    if (node->depth >= LevelOrder::least_shared_depth) {
        const std::uint32_t* const found = checked_levels_.find(level);
        if (found != nullptr && *found == serial_)
            return;
        checked_levels_.put(level, serial_);
    }
    for (; node->has_params; node = &store_.level(node->a)) {
        if (node->kind == LevelKind::param) {
            const auto declared = store_.levels(params_);
            if (std::find(declared.begin(), declared.end(), level) == declared.end())
                reject(
                    RejectReason::undeclared_universe_parameter,
                    fmt::format("the universe parameter {} is not declared", names_.text(node->a)));
            return;
        }
        if (node->kind != LevelKind::succ)
            check_level_params(node->b);
        level = node->a;
    }
}

const ConstantInfo& TypeChecker::usable_constant(NameId name) const {
    const ConstantInfo* const info = find(name);
    if (info == nullptr)
        reject(RejectReason::unknown_constant,
               fmt::format("the constant {} is not declared before", names_.text(name)));
    if (info->safety != DefinitionSafety::safe && safety_ == DefinitionSafety::safe)
        reject(RejectReason::unsafe_constant,
               fmt::format("{} is unsafe or partial, what uses it is not", names_.text(name)));
    if (info->safety == DefinitionSafety::unsafe && safety_ != DefinitionSafety::unsafe)
        reject(RejectReason::unsafe_constant,
               fmt::format("{} is unsafe, what uses it is not", names_.text(name)));
    return *info;
}

Closure TypeChecker::infer_constant(const TermNode& node, Env env, bool is_checked) {
    const ConstantInfo& info = usable_constant(node.a);
    const auto given = store_.levels(node.b);
    const auto wanted = store_.levels(info.params);
    if (given.size() != wanted.size())
        reject(RejectReason::wrong_number_of_levels,
               fmt::format("{} has {} universe parameters, {} levels are given",
                           names_.text(node.a), wanted.size(), given.size()));
    if (is_checked) {
        for (const Level level : given)
            check_level_params(level);
    }
    return {info.type, root_for(info.params, substitute_levels(node.b, env))};
}

// To a function type without building anything where that can be seen.
Closure TypeChecker::ensure_pi(Closure type, Closure function) {
    type = head_beta(type);
    if (store_.kind(type.term) == TermKind::pi)
        return type;
    const Term result = whnf(force(type));
    if (store_.kind(result) != TermKind::pi)
        reject(RejectReason::function_expected,
               fmt::format("what is applied is no function\n  {}\nof type\n  {}", print(function),
                           print(result)));
    return {result, no_env};
}

Level TypeChecker::ensure_sort(Closure type) {
    type = head_beta(type);
    if (store_.kind(type.term) == TermKind::sort)
        return substitute_level(store_[type.term].a, type.env);
    const Term result = whnf(force(type));
    if (store_.kind(result) != TermKind::sort)
        reject(RejectReason::sort_expected,
               fmt::format("a type is expected here, not a term of type\n  {}", print(result)));
    return store_[result].a;
}

// Last arguments that are applications are checked from the innermost out: lists and unary numbers
// are as deep as they are long.
Closure TypeChecker::infer_app(Closure closure, std::uint32_t depth, bool is_checked) {
    if (!is_checked)
        return infer_spine(closure, depth, false, nullptr);
    const StackMark mark(nested_);
    for (Closure at{store_[closure.term].b, closure.env};; at.term = store_[at.term].b) {
        const TermNode& node = store_[at.term];
        if (node.kind != TermKind::app)
            break;
        if (at.env != no_env && is_unaffected(node, at.env, 0))
            at.env = no_env;
        if (node.is_shared() && find_checked(node, checked_key(at), true) != nullptr)
            break;
        nested_.push_back(at);
        path_.push_back("argument");
    }
    Closure type;
    const Closure* type_of_last = nullptr;
    for (; nested_.size() > mark.base(); nested_.pop_back()) {
        heartbeat();
        const Closure at = nested_.back();
        type = infer_spine(at, depth, true, type_of_last);
        if (store_[at.term].is_shared())
            checked_.put(checked_key(at), {type, serial_});
        type_of_last = &type;
        path_.pop_back();
    }
    return infer_spine(closure, depth, true, type_of_last);
}

// The last argument was checked before if `type_of_last` is there.
Closure TypeChecker::infer_spine(Closure closure,
                                 std::uint32_t depth,
                                 bool is_checked,
                                 const Closure* type_of_last) {
    const std::size_t base = spine_.size();
    Term head = closure.term;
    for (; store_.kind(head) == TermKind::app; head = store_[head].a)
        spine_.push_back(store_[head].b);
    const Env env = closure.env;
    if (is_checked)
        path_.push_back("function");
    Closure type = infer_core({head, env}, depth, is_checked);
    for (std::size_t i = spine_.size(); i-- > base;) {
        const Term arg = spine_[i];
        type = ensure_pi(type, {head, env});
        const TermNode& pi = store_[type.term];
        if (is_checked) {
            path_.back() = "argument";
            const Closure domain{pi.a, type.env};
            if (i == base && type_of_last != nullptr)
                require_argument_type({arg, env}, *type_of_last, domain, closure);
            else
                check_argument({arg, env}, domain, closure, depth);
        }
        const std::uint16_t loose = store_[pi.b].loose;
        type = {pi.b, loose == 0 ? root_of(type.env) : push(type.env, argument(arg, env))};
    }
    spine_.resize(base);
    if (is_checked)
        path_.pop_back();
    return type;
}

void TypeChecker::check_argument(Closure arg,
                                 Closure domain,
                                 Closure application,
                                 std::uint32_t depth) {
    if (store_.kind(arg.term) == TermKind::lam && check_function_argument(arg, domain, depth))
        return;
    require_argument_type(arg, infer_core(arg, depth, true), domain, application);
}

void TypeChecker::require_argument_type(Closure arg,
                                        Closure type,
                                        Closure domain,
                                        Closure application) {
    is_eager_ = is_eager_reduce(arg.term);
    const bool is_expected = is_def_eq(type, domain);
    is_eager_ = false;
    if (!is_expected)
        reject(RejectReason::application_type_mismatch,
               fmt::format("the argument\n  {}\nhas type\n  {}\nwhere\n  {}\nis expected, in\n  {}",
                           print(arg), print(type), print(domain), print(application)));
}

// `eagerReduce p`: a proof by computation, for which Lean says that calls with variables, too, are
// best reduced at once when its type is compared with what is expected.
bool TypeChecker::is_eager_reduce(Term term) const {
    const TermNode& head = store_[app_fn(term)];
    return head.kind == TermKind::constant && head.a == known_.eager_reduce && num_args(term) == 2;
}

// A function where a function is expected is checked against what is expected of it, so that its
// own type is not built. False: to be done the other way.
bool TypeChecker::check_function_argument(Closure arg, Closure domain, std::uint32_t depth) {
    const TermNode& node = store_[arg.term];
    if (arg.env != no_env && is_unaffected(node, arg.env, 0))
        arg.env = no_env;
    const std::uint64_t key = checked_key(arg);
    if (node.is_shared() && checked_.find(key) != nullptr)
        return false;
    const Closure pi = to_pi(domain);
    if (pi.term == no_term)
        return false;
    check_against(arg, pi, depth);
    if (node.is_shared())
        checked_.put(key, {domain, serial_});
    return true;
}

Closure TypeChecker::infer_lam(Closure closure, std::uint32_t depth, bool is_checked) {
    std::vector<Term> fvars;
    const std::size_t path_size = path_.size();
    while (store_.kind(closure.term) == TermKind::lam) {
        const TermNode& node = store_[closure.term];
        const Closure domain{node.a, closure.env};
        if (is_checked) {
            path_.push_back("domain");
            ensure_sort(infer_core(domain, depth, true));
            path_.back() = "body";
        }
        fvars.push_back(local(depth++, force(domain)));
        closure = {node.b, push(closure.env, {fvars.back(), no_env})};
    }
    const Term body_type = force(infer_core(closure, depth, is_checked));
    path_.resize(path_size);
    return {mk_pi(fvars, body_type), no_env};
}

Closure TypeChecker::infer_pi(Closure closure, std::uint32_t depth, bool is_checked) {
    std::vector<Level> levels;
    const std::size_t path_size = path_.size();
    while (store_.kind(closure.term) == TermKind::pi) {
        const TermNode& node = store_[closure.term];
        const Closure domain{node.a, closure.env};
        if (is_checked)
            path_.push_back("domain");
        levels.push_back(ensure_sort(infer_core(domain, depth, is_checked)));
        if (is_checked)
            path_.back() = "body";
        const Term fvar = local(depth++, force(domain));
        closure = {node.b, push(closure.env, {fvar, no_env})};
    }
    Level level = ensure_sort(infer_core(closure, depth, is_checked));
    path_.resize(path_size);
    for (std::size_t i = levels.size(); i-- > 0;)
        level = store_.imax(levels[i], level);
    return {store_.sort(level), no_env};
}

Closure TypeChecker::infer_let(Closure closure, std::uint32_t depth, bool is_checked) {
    const std::size_t path_size = path_.size();
    while (store_.kind(closure.term) == TermKind::let) {
        const TermNode& node = store_[closure.term];
        const TermNode& rest = store_[node.b];
        if (is_checked)
            check_let(node, rest, closure.env, depth);
        closure = {rest.b, push(closure.env, {node.a, closure.env}, rest.a)};
    }
    const Closure type = infer_core(closure, depth, is_checked);
    path_.resize(path_size);
    return type;
}

// Leaves the path at the body.
void TypeChecker::check_let(const TermNode& let,
                            const TermNode& rest,
                            Env env,
                            std::uint32_t depth) {
    path_.push_back("type");
    ensure_sort(infer_core({rest.a, env}, depth, true));
    path_.back() = "value";
    const Closure value_type = infer_core({let.a, env}, depth, true);
    if (!is_def_eq(value_type, {rest.a, env}))
        reject(RejectReason::let_type_mismatch,
               fmt::format("the value of a let has type\n  {}\nwhere\n  {}\nis stated",
                           print(value_type), print({rest.a, env})));
    path_.back() = "body";
}

// A function against a function type binder by binder: what is known of both need not be inferred.
void TypeChecker::check_against(Closure value, Closure type, std::uint32_t depth) {
    const std::size_t path_size = path_.size();
    for (;;) {
        const TermNode& node = store_[value.term];
        if (node.kind == TermKind::lam)
            type = head_beta(type);
        const TermNode& expected = store_[type.term];
        if (node.kind == TermKind::let) {
            check_let(node, store_[node.b], value.env, depth);
            value = {store_[node.b].b, push(value.env, {node.a, value.env}, store_[node.b].a)};
            continue;
        }
        if (node.kind != TermKind::lam || expected.kind != TermKind::pi)
            break;
        const Closure domain{node.a, value.env};
        path_.push_back("domain");
        ensure_sort(infer_core(domain, depth, true));
        if (!is_def_eq(domain, {expected.a, type.env}))
            reject(RejectReason::value_type_mismatch,
                   fmt::format("a binder of the value has type\n  {}\nwhere\n  {}\nis stated",
                               print(domain), print({expected.a, type.env})));
        path_.back() = "body";
        const Term fvar = local(depth++, force(domain));
        value = {node.b, push(value.env, {fvar, no_env})};
        type = {expected.b, push(type.env, {fvar, no_env})};
    }
    const Closure inferred = infer_core(value, depth, true);
    if (!is_def_eq(inferred, type))
        reject(RejectReason::value_type_mismatch,
               fmt::format("the value has type\n  {}\nwhere\n  {}\nis stated", print(inferred),
                           print(type)));
    path_.resize(path_size);
}

Closure
TypeChecker::infer_proj(const TermNode& node, Env env, std::uint32_t depth, bool is_checked) {
    if (is_checked)
        path_.push_back("structure");
    const Term type = whnf(force(infer_core({node.a, env}, depth, is_checked)));
    if (is_checked)
        path_.pop_back();
    const TermNode& head = store_[app_fn(type)];
    const ConstantInfo* const info = head.kind == TermKind::constant ? find(head.a) : nullptr;
    const auto refuse = [&](const char* why) {
        reject(RejectReason::bad_projection,
               fmt::format("projection {} of {} out of a term of type\n  {}\n{}", node.extra,
                           names_.text(node.b), print(type), why));
    };
    if (info == nullptr || info->kind != ConstantKind::inductive || head.a != node.b)
        refuse("which is not that type");
    const InductiveFacts& inductive = facts(*info);
    std::vector<Term> args;
    app_args(type, args);
    if (inductive.constructors.size() != 1 ||
        args.size() != std::size_t{inductive.num_params} + inductive.num_indices)
        refuse("which is no structure");
    const ConstantInfo& constructor = usable_constant(inductive.constructors[0]);
    Closure at{constructor.type, root_for(constructor.params, head.b)};
    const Term structure = force({node.a, env});
    const bool is_proposition = is_prop(type);
    VarSearch searched(4);
    for (std::uint32_t i = 0; i < inductive.num_params; ++i) {
        at = to_pi(at);
        if (at.term == no_term)
            refuse("whose constructor has fewer parameters");
        at = {store_[at.term].b, push(at.env, {args[i], no_env})};
    }
    for (std::uint32_t i = 0;; ++i) {
        at = to_pi(at);
        if (at.term == no_term)
            refuse("which has fewer fields");
        const TermNode& pi = store_[at.term];
        const bool is_last = i == node.extra;
        // Nothing but proofs leaves a proposition, not even in the types of later fields.
        const bool must_be_proof = is_proposition && (is_last || is_var_used(pi.b, 0, searched));
        if (must_be_proof && !is_prop(force({pi.a, at.env})))
            refuse("which is a proposition: the field is no proof");
        if (is_last)
            return {pi.a, at.env};
        at = {pi.b, push(at.env, {store_.proj(node.b, i, structure), no_env})};
    }
}

Closure TypeChecker::to_pi(Closure type) {
    type = head_beta(type);
    if (store_.kind(type.term) == TermKind::pi)
        return type;
    const Term result = whnf(force(type));
    return {store_.kind(result) == TermKind::pi ? result : no_term, no_env};
}

bool TypeChecker::is_var_used(Term term, std::uint32_t index, VarSearch& searched) {
    const TermNode& node = store_[term];
    if (node.loose <= index)
        return false;
    if (node.kind == TermKind::bvar)
        return node.a == index;
    const std::uint64_t key = (std::uint64_t{term} << 32) | index;
    if (const bool* const found = searched.find(key))
        return *found;
    check_stack();
    heartbeat();
    const bool is_used = is_var_used_below(node, index, searched);
    if (node.is_shared())
        searched.put(key, is_used);
    return is_used;
}

bool TypeChecker::is_var_used_below(const TermNode& node,
                                    std::uint32_t index,
                                    VarSearch& searched) {
    switch (node.kind) {
    case TermKind::app:
        return is_var_used(node.b, index, searched) || is_var_used(node.a, index, searched);
    case TermKind::lam:
    case TermKind::pi:
        return is_var_used(node.a, index, searched) || is_var_used(node.b, index + 1, searched);
    case TermKind::let: {
        const TermNode& rest = store_[node.b];
        return is_var_used(node.a, index, searched) || is_var_used(rest.a, index, searched) ||
               is_var_used(rest.b, index + 1, searched);
    }
    case TermKind::proj:
        return is_var_used(node.a, index, searched);
    default:
        return false;
    }
}

Closure TypeChecker::infer_literal(const TermNode& node, bool is_checked) {
    const bool is_string = node.kind == TermKind::string;
    if (is_checked && !(is_string ? has_builtin_string() : has_builtin_nat()))
        reject(RejectReason::bad_literal,
               is_string ? "a string literal, but String, Char and List are not what they must be"
                         : "a Nat literal, but Nat is not what it must be");
    return {store_.constant(is_string ? known_.string : known_.nat, no_levels), no_env};
}

bool TypeChecker::is_prop(Term type) {
    const Term sort = whnf(infer_type(type));
    return store_.kind(sort) == TermKind::sort && order_.is_zero(store_[sort].a);
}

} // namespace leanhost::kernel
