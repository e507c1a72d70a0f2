#include "kernel/type_checker.hpp"

namespace leanhost::kernel {

Term TypeChecker::whnf_core(Term term, bool cheap_proj) {
    const TermNode& node = store_[term];
    switch (node.kind) {
    case TermKind::app: {
        const TermNode& head = store_[app_fn(term)];
        if (head.kind == TermKind::fvar)
            return term;
        if (head.kind == TermKind::constant) {
            const ConstantInfo* const info = find(head.a);
            if (info == nullptr ||
                (info->kind != ConstantKind::recursor && info->kind != ConstantKind::quotient))
                return term;
        }
        break;
    }
    case TermKind::let:
    case TermKind::proj:
        break;
    default:
        return term;
    }
    auto& cache = cheap_proj ? whnf_core_cheap_ : whnf_core_;
    if (const Term* const found = cache.find(term))
        return *found;
    const Term result = whnf_of(term, Delta::no, cheap_proj);
    cache.put(term, result);
    return result;
}

Term TypeChecker::whnf(Term term) {
    const TermNode& node = store_[term];
    switch (node.kind) {
    case TermKind::app:
    case TermKind::let:
    case TermKind::proj:
        break;
    case TermKind::constant: {
        const ConstantInfo* const info = find(node.a);
        if (info == nullptr || !info->has_value_to_unfold())
            return term;
        break;
    }
    default:
        return term;
    }
    if (const Term* const found = whnf_.find(term))
        return *found;
    const Term result = whnf_of(term, Delta::yes, false);
    whnf_.put(term, result);
    return result;
}

Term TypeChecker::whnf_of(Term term, Delta delta, bool cheap_proj) {
    return run({term, no_env, stack_.size(), delta, cheap_proj});
}

Closure TypeChecker::argument(Term term, Env env) const {
    if (env == no_env || is_unaffected(store_[term], env, 0))
        return {term, no_env};
    return {term, env};
}

Term TypeChecker::run(Machine machine) {
    check_stack();
    for (;;) {
        heartbeat();
        const TermNode& node = store_[machine.term];
        switch (node.kind) {
        case TermKind::app:
            stack_.push_back(argument(node.b, machine.env));
            machine.term = node.a;
            continue;
        case TermKind::lam:
            if (stack_.size() == machine.base)
                return force({machine.term, machine.env});
            ++reductions_;
            machine.env = push(machine.env, stack_.back());
            stack_.pop_back();
            machine.term = node.b;
            continue;
        case TermKind::let:
            ++reductions_;
            machine.env = push(machine.env, argument(node.a, machine.env));
            machine.term = store_[node.b].b;
            continue;
        case TermKind::bvar:
            if (step_bvar(machine, node))
                continue;
            break;
        case TermKind::constant:
            if (step_constant(machine, node)) {
                ++reductions_;
                continue;
            }
            break;
        case TermKind::proj:
            if (step_proj(machine, node)) {
                ++reductions_;
                continue;
            }
            break;
        default:
            break;
        }
        return rebuild(machine);
    }
}

Term TypeChecker::rebuild(const Machine& machine) {
    Term result = force({machine.term, machine.env});
    while (stack_.size() > machine.base) {
        const Closure arg = stack_.back();
        stack_.pop_back();
        result = store_.app(result, force(arg));
    }
    return result;
}

Term TypeChecker::force_arg(std::size_t i) {
    const std::size_t at = stack_.size() - 1 - i;
    const Term term = force(stack_[at]);
    stack_[at] = {term, no_env};
    return term;
}

// A function is entered where it stands; anything else is evaluated once and for all.
bool TypeChecker::step_bvar(Machine& machine, const TermNode& node) {
    const Env entry = entry_of(machine.env, node.a);
    if (store_.kind(envs_[entry].term) == TermKind::lam) {
        machine.term = envs_[entry].term;
        machine.env = envs_[entry].env;
        return true;
    }
    const Term term = force_entry(entry);
    machine.env = no_env;
    machine.term = machine.delta == Delta::yes ? whnf(term) : whnf_core(term, machine.cheap_proj);
    if (num_stack_args(machine) == 0)
        return false;
    // A function that waits for more arguments goes on with them: a lambda, or a recursor or a
    // built-in function that had too few.
    return store_.kind(machine.term) == TermKind::lam ||
           store_.kind(app_fn(machine.term)) == TermKind::constant;
}

bool TypeChecker::step_constant(Machine& machine, const TermNode& node) {
    const ConstantInfo* const info = find(node.a);
    if (info == nullptr)
        return false;
    const Levels levels = node.b;
    switch (info->kind) {
    case ConstantKind::recursor:
        return reduce_recursor(machine, *info, levels);
    case ConstantKind::quotient:
        return reduce_quotient(machine, *info);
    case ConstantKind::definition:
    case ConstantKind::theorem:
        return machine.delta == Delta::yes &&
               (step_nat_call(machine, info->name) || step_delta(machine, *info, levels));
    case ConstantKind::constructor:
        return machine.delta == Delta::yes && step_nat_call(machine, info->name);
    default:
        return false;
    }
}

bool TypeChecker::step_delta(Machine& machine, const ConstantInfo& info, Levels levels) {
    if (store_.levels(levels).size() != store_.levels(info.params).size())
        return false;
    machine.env = root_for(info.params, substitute_levels(levels, machine.env));
    machine.term = value_of(info);
    return true;
}

bool TypeChecker::step_nat_call(Machine& machine, NameId name) {
    if (!is_builtin_nat_call(name))
        return false;
    const std::size_t num_args = num_stack_args(machine);
    std::optional<Term> result;
    if (num_args == 2) {
        const Term lhs = force_arg(0);
        const Term rhs = force_arg(1);
        if (!assumptions_.empty() && (store_[lhs].free | store_[rhs].free) != 0)
            result = assumed_nat_call(name, lhs, rhs);
        // With variables, few come to a number. By recursion on the second, most definitions would
        // reduce that one anyway.
        else if (literal_value(rhs))
            result = reduce_nat_call(name, lhs, rhs);
    } else if (num_args == 1) {
        const Term arg = force_arg(0);
        // A successor of what has variables is left: below it there may be as many as it counts.
        if (store_[arg].free == 0 || name != known_.nat_succ)
            result = reduce_nat_unary(name, arg);
    }
    if (!result)
        return false;
    stack_.resize(machine.base);
    machine.term = *result;
    machine.env = no_env;
    return true;
}

bool TypeChecker::step_proj(Machine& machine, const TermNode& node) {
    const Term structure = force({node.a, machine.env});
    const Term value =
        machine.cheap_proj ? whnf_core(structure, machine.cheap_proj) : whnf(structure);
    const Term field = field_of_constructor(value, node);
    if (field == no_term)
        return false;
    machine.term = field;
    machine.env = no_env;
    return true;
}

Term TypeChecker::field_of_constructor(Term structure, const TermNode& proj) {
    if (store_.kind(structure) == TermKind::string)
        structure = whnf(string_literal_to_constructor(structure));
    const TermNode& head = store_[app_fn(structure)];
    if (head.kind != TermKind::constant)
        return no_term;
    const ConstantInfo* const info = find(head.a);
    if (info == nullptr || info->kind != ConstantKind::constructor)
        return no_term;
    const InductiveFacts& constructor = facts(*info);
    const unsigned wanted = constructor.num_params + proj.extra;
    const unsigned count = num_args(structure);
    if (constructor.inductive != proj.b || wanted >= count)
        return no_term;
    Term at = structure;
    for (unsigned i = count - 1; i > wanted; --i)
        at = store_[at].a;
    return store_[at].b;
}

bool TypeChecker::reduce_recursor(Machine& machine, const ConstantInfo& info, Levels levels) {
    const InductiveFacts& recursor = facts(info);
    const std::size_t num_kept =
        std::size_t{recursor.num_params} + recursor.num_motives + recursor.num_minors;
    const std::size_t major_idx = num_kept + recursor.num_indices;
    if (num_stack_args(machine) <= major_idx ||
        store_.levels(levels).size() != store_.levels(info.params).size())
        return false;
    const Term major = major_to_constructor(info, force_arg(major_idx));
    const TermNode& head = store_[app_fn(major)];
    if (head.kind != TermKind::constant)
        return false;
    const RecursorRule* rule = nullptr;
    for (const RecursorRule& candidate : recursor.rules) {
        if (candidate.constructor == head.a)
            rule = &candidate;
    }
    const unsigned num_major_args = num_args(major);
    if (rule == nullptr || rule->num_fields > num_major_args)
        return false;
    const Env root = root_for(info.params, substitute_levels(levels, machine.env));

    kept_args_.assign(stack_.end() - static_cast<std::ptrdiff_t>(num_kept), stack_.end());
    stack_.resize(stack_.size() - major_idx - 1);
    Term at = major;
    for (std::uint32_t i = 0; i < rule->num_fields; ++i, at = store_[at].a)
        stack_.push_back({store_[at].b, no_env});
    stack_.insert(stack_.end(), kept_args_.begin(), kept_args_.end());
    machine.term = rule->rhs;
    machine.env = root;
    return true;
}

Term TypeChecker::major_to_constructor(const ConstantInfo& recursor, Term major) {
    if (facts(recursor).has_k) {
        if (const auto constructor = constructor_when_k(recursor, major))
            major = *constructor;
    }
    major = whnf(major);
    switch (store_.kind(major)) {
    case TermKind::nat:
    case TermKind::big_nat:
        return nat_literal_to_constructor(major);
    case TermKind::string:
        return whnf(string_literal_to_constructor(major));
    default:
        break;
    }
    const ConstantInfo* const inductive = find(facts(recursor).inductive);
    if (inductive == nullptr || !is_structure_like(inductive))
        return major;
    return eta_struct_major(*inductive, major).value_or(major);
}

// The constructor's application to the parameters of `type`, an application of its inductive type.
Term TypeChecker::mk_nullary_constructor(Term type, const InductiveFacts& inductive) {
    std::vector<Term> args;
    app_args(type, args);
    args.resize(std::min<std::size_t>(args.size(), inductive.num_params));
    const Levels levels = store_[app_fn(type)].b;
    return mk_app(store_.constant(inductive.constructors[0], levels), args);
}

std::optional<Term> TypeChecker::constructor_when_k(const ConstantInfo& recursor, Term major) {
    const Term type = whnf(infer_type(major));
    const TermNode& head = store_[app_fn(type)];
    if (head.kind != TermKind::constant || head.a != facts(recursor).inductive)
        return std::nullopt;
    const ConstantInfo* const inductive = find(head.a);
    if (inductive == nullptr || inductive->kind != ConstantKind::inductive ||
        facts(*inductive).constructors.size() != 1)
        return std::nullopt;
    const Term constructor = mk_nullary_constructor(type, facts(*inductive));
    if (!is_def_eq(type, infer_type(constructor)))
        return std::nullopt;
    return constructor;
}

bool TypeChecker::is_structure_like(const ConstantInfo* info) const {
    if (info == nullptr || info->kind != ConstantKind::inductive)
        return false;
    const InductiveFacts& inductive = facts(*info);
    return inductive.constructors.size() == 1 && inductive.num_indices == 0 &&
           !inductive.is_recursive;
}

// s of a structure type becomes mk (s.1) (s.2) …, unless the structure is a proposition.
std::optional<Term> TypeChecker::eta_struct_major(const ConstantInfo& inductive, Term major) {
    const TermNode& head = store_[app_fn(major)];
    const InductiveFacts& structure = facts(inductive);
    if (head.kind == TermKind::constant && head.a == structure.constructors[0])
        return std::nullopt;
    const Term type = whnf(infer_type(major));
    const TermNode& type_head = store_[app_fn(type)];
    if (type_head.kind != TermKind::constant || type_head.a != inductive.name || is_prop(type))
        return std::nullopt;
    const ConstantInfo* const constructor = find(structure.constructors[0]);
    if (constructor == nullptr || constructor->kind != ConstantKind::constructor)
        return std::nullopt;
    Term result = mk_nullary_constructor(type, structure);
    for (std::uint32_t i = 0; i < facts(*constructor).num_fields; ++i)
        result = store_.app(result, store_.proj(inductive.name, i, major));
    return result;
}

bool TypeChecker::reduce_quotient(Machine& machine, const ConstantInfo& info) {
    constexpr std::uint8_t lift = 2;
    constexpr std::uint8_t ind = 3;
    constexpr std::size_t function_idx = 3;
    if (info.quotient_kind != lift && info.quotient_kind != ind)
        return false;
    const std::size_t major_idx = info.quotient_kind == lift ? 5 : 4;
    if (num_stack_args(machine) <= major_idx)
        return false;
    const Term major = whnf(force_arg(major_idx));
    const TermNode& head = store_[app_fn(major)];
    if (head.kind != TermKind::constant || head.a != known_.quot_mk || num_args(major) != 3)
        return false;
    const ConstantInfo* const mk = find(head.a);
    if (mk == nullptr || mk->kind != ConstantKind::quotient)
        return false;
    const Closure function = stack_[stack_.size() - 1 - function_idx];
    stack_.resize(stack_.size() - major_idx - 1);
    stack_.push_back({store_[major].b, no_env});
    machine.term = function.term;
    machine.env = function.env;
    return true;
}

std::optional<Term> TypeChecker::unfold_definition(Term term) {
    const TermNode& head = store_[app_fn(term)];
    if (head.kind != TermKind::constant)
        return std::nullopt;
    const ConstantInfo* const info = find(head.a);
    if (info == nullptr || !info->has_value_to_unfold() ||
        store_.levels(head.b).size() != store_.levels(info->params).size())
        return std::nullopt;
    std::vector<Term> args;
    app_args(term, args);
    return mk_app(instantiate_params(value_of(*info), info->params, head.b), args);
}

// unfold_definition and whnf_core in one go, nothing being built in between.
Term TypeChecker::unfold_and_reduce(Term term) {
    const std::size_t base = stack_.size();
    Term at = term;
    for (; store_.kind(at) == TermKind::app; at = store_[at].a)
        stack_.push_back({store_[at].b, no_env});
    // The last argument was pushed first: that is the stack's order.
    const TermNode& head = store_[at];
    Machine machine{at, no_env, base, Delta::no, true};
    step_delta(machine, *find(head.a), head.b);
    return run(machine);
}

} // namespace leanhost::kernel
