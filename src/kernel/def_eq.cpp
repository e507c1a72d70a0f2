#include "kernel/type_checker.hpp"

#include <algorithm>

namespace leanhost::kernel {

bool TypeChecker::is_def_eq(Closure t, Closure s) {
    unsigned budget = 1024;
    t = head_beta(t);
    s = head_beta(s);
    if (is_same({t.term, t.env, 0}, {s.term, s.env, 0}, 0, budget))
        return true;
    return is_def_eq(force(t), force(s));
}

// Whether two closures stand for one term, seen without building either. "No" may be wrong.
bool TypeChecker::is_same(BindingSide t, BindingSide s, std::uint32_t depth, unsigned& budget) {
    const auto resolve = [&](BindingSide& side) {
        for (;;) {
            const TermNode& node = store_[side.term];
            if (node.kind != TermKind::bvar || node.a < depth - side.base)
                return;
            const EnvNode& entry = envs_[entry_of(side.env, node.a - (depth - side.base))];
            side = {entry.term, entry.env, depth};
        }
    };
    const auto is_plain = [&](const BindingSide& side, const TermNode& node) {
        return node.loose == 0 && (!node.has_params() || root_of(side.env) == no_env);
    };
    check_stack();
    for (;;) {
        resolve(t);
        resolve(s);
        const TermNode& t_node = store_[t.term];
        const TermNode& s_node = store_[s.term];
        if (t.term == s.term && t.env == s.env && t.base == s.base)
            return true;
        if (is_plain(t, t_node) && is_plain(s, s_node))
            return t.term == s.term;
        if (t_node.kind != s_node.kind || budget == 0)
            return false;
        --budget;
        switch (t_node.kind) {
        case TermKind::bvar:
            return t_node.a == s_node.a;
        case TermKind::sort:
            return substitute_level(t_node.a, t.env) == substitute_level(s_node.a, s.env);
        case TermKind::constant:
            return t_node.a == s_node.a && are_levels_same(t_node.b, t.env, s_node.b, s.env);
        case TermKind::app:
            if (!is_same({t_node.b, t.env, t.base}, {s_node.b, s.env, s.base}, depth, budget))
                return false;
            break;
        case TermKind::lam:
        case TermKind::pi:
            if (!is_same({t_node.a, t.env, t.base}, {s_node.a, s.env, s.base}, depth, budget))
                return false;
            ++depth;
            t.term = t_node.b;
            s.term = s_node.b;
            continue;
        case TermKind::proj:
            if (t_node.b != s_node.b || t_node.extra != s_node.extra)
                return false;
            break;
        default:
            return false;
        }
        t.term = t_node.a;
        s.term = s_node.a;
    }
}

bool TypeChecker::are_levels_same(Levels t, Env env_t, Levels s, Env env_s) {
    const auto left = store_.levels(t);
    const auto right = store_.levels(s);
    return std::equal(left.begin(), left.end(), right.begin(), right.end(), [&](Level l, Level r) {
        return substitute_level(l, env_t) == substitute_level(r, env_s);
    });
}

Term TypeChecker::uf_find(Term term) {
    const Term* parent = equal_.find(term);
    if (parent == nullptr)
        return term;
    Term root = *parent;
    while ((parent = equal_.find(root)) != nullptr && *parent != root)
        root = *parent;
    if (root != term)
        equal_.put(term, root);
    return root;
}

void TypeChecker::uf_union(Term t, Term s) {
    const Term root_t = uf_find(t);
    const Term root_s = uf_find(s);
    if (root_t != root_s)
        equal_.put(std::max(root_t, root_s), std::min(root_t, root_s));
}

// As long as the answer for two terms is that of two others, which are looked at next: lists and
// unary numbers are as deep as they are long.
bool TypeChecker::is_def_eq(Term t, Term s) {
    // What a call that ends by an exception has left there must not get another's answer.
    const StackMark mark(pairs_);
    TermPair pair{t, s};
    Answer answer = is_def_eq_step(pair);
    while (answer == Answer::unknown)
        answer = is_def_eq_step(pair);
    for (std::size_t i = pairs_.size(); i-- > mark.base();) {
        if (answer == Answer::yes)
            uf_union(pairs_[i].t, pairs_[i].s);
        else
            unequal_.put(pairs_[i].key(), 1);
    }
    return answer == Answer::yes;
}

// "Unknown": the answer is that of what `pair` has become.
TypeChecker::Answer TypeChecker::is_def_eq_step(TermPair& pair) {
    if (pair.t == pair.s)
        return Answer::yes;
    const Answer quick = quick_is_def_eq(pair.t, pair.s);
    if (quick != Answer::unknown)
        return quick;
    if (unequal_.find(pair.key()) != nullptr)
        return Answer::no;
    pairs_.push_back(pair);
    return is_def_eq_core(pair);
}

TypeChecker::Answer TypeChecker::quick_is_def_eq(Term t, Term s) {
    if (t == s)
        return Answer::yes;
    const TermNode& t_node = store_[t];
    const TermNode& s_node = store_[s];
    if (t_node.kind == s_node.kind) {
        switch (t_node.kind) {
        case TermKind::sort:
            return order_.equal(t_node.a, s_node.a) ? Answer::yes : Answer::no;
        case TermKind::lam:
        case TermKind::pi:
            if (uf_find(t) == uf_find(s))
                return Answer::yes;
            if (!is_def_eq_binding(t, s))
                return Answer::no;
            uf_union(t, s);
            return Answer::yes;
        case TermKind::nat:
        case TermKind::big_nat:
        case TermKind::string:
            return are_literals_same(t, s) ? Answer::yes : Answer::no;
        default:
            break;
        }
    }
    return uf_find(t) == uf_find(s) ? Answer::yes : Answer::unknown;
}

// Of one kind. Two terms may stand for one literal: one from before the export's own was read.
bool TypeChecker::are_literals_same(Term t, Term s) const {
    if (store_.kind(t) == TermKind::string)
        return store_.string_text(t) == store_.string_text(s);
    std::uint64_t small_t = 0;
    std::uint64_t small_s = 0;
    return std::ranges::equal(store_.nat_limbs(t, small_t), store_.nat_limbs(s, small_s));
}

// Both are lambdas or both are function types.
bool TypeChecker::is_def_eq_binding(Term t, Term s) {
    check_stack();
    const TermKind kind = store_.kind(t);
    std::uint32_t level = std::max(store_[t].free, store_[s].free);
    Closure left{t, no_env};
    Closure right{s, no_env};
    while (store_.kind(left.term) == kind && store_.kind(right.term) == kind) {
        const TermNode& l = store_[left.term];
        const TermNode& r = store_[right.term];
        if (!is_def_eq(Closure{l.a, left.env}, Closure{r.a, right.env}))
            return false;
        if (store_[l.b].loose == 0 && store_[r.b].loose == 0) {
            left = {l.b, no_env};
            right = {r.b, no_env};
            continue;
        }
        const Term fvar = local(level++, force({l.a, left.env}));
        left = {l.b, push(left.env, {fvar, no_env})};
        right = {r.b, push(right.env, {fvar, no_env})};
    }
    return is_def_eq(left, right);
}

bool TypeChecker::is_def_eq_args(Term t, Term s) {
    if (num_args(t) != num_args(s))
        return false;
    std::vector<Term> left;
    std::vector<Term> right;
    app_args(t, left);
    app_args(s, right);
    for (std::size_t i = 0; i < left.size(); ++i) {
        if (!is_def_eq(left[i], right[i]))
            return false;
    }
    return true;
}

bool TypeChecker::is_def_eq_app(Term t, Term s) {
    if (store_.kind(t) != TermKind::app || store_.kind(s) != TermKind::app)
        return false;
    if (num_args(t) != num_args(s))
        return false;
    return is_def_eq(app_fn(t), app_fn(s)) && is_def_eq_args(t, s);
}

bool TypeChecker::may_be_proof(Term term) {
    switch (store_.kind(term)) {
    case TermKind::sort:
    case TermKind::pi:
    case TermKind::nat:
    case TermKind::big_nat:
    case TermKind::string:
        return false;
    default:
        return true;
    }
}

TypeChecker::Answer TypeChecker::is_def_eq_proof_irrel(Term t, Term s) {
    if (!may_be_proof(t) || !may_be_proof(s))
        return Answer::unknown;
    const Term type = infer_type(t);
    if (!is_prop(type))
        return Answer::unknown;
    return is_def_eq(type, infer_type(s)) ? Answer::yes : Answer::no;
}

TypeChecker::Answer TypeChecker::is_def_eq_core(TermPair& pair) {
    check_stack();
    heartbeat();
    const auto [t, s] = pair;
    const TermNode& s_node = store_[s];
    if (s_node.kind == TermKind::constant && s_node.a == known_.bool_true &&
        (store_[t].free == 0 || is_eager_)) {
        // Nobody has said that what has this name is a constructor, or has no universes.
        const TermNode& reduced = store_[whnf(t)];
        if (reduced.kind == TermKind::constant && reduced.a == s_node.a &&
            order_.equal_lists(reduced.b, s_node.b))
            return Answer::yes;
    }
    Term t_n = whnf_core(t, true);
    Term s_n = whnf_core(s, true);
    if (t_n != t || s_n != s) {
        const Answer quick = quick_is_def_eq(t_n, s_n);
        if (quick != Answer::unknown)
            return quick;
    }
    const Answer answer = is_def_eq_proof_irrel(t_n, s_n);
    if (answer != Answer::unknown)
        return answer;
    switch (lazy_delta(t_n, s_n)) {
    case Step::equal:
        return Answer::yes;
    case Step::different:
        return Answer::no;
    case Step::progress:
        pair = {t_n, s_n};
        return Answer::unknown;
    case Step::unknown:
        break;
    }

    const TermNode& l = store_[t_n];
    const TermNode& r = store_[s_n];
    if (l.kind == TermKind::constant && r.kind == TermKind::constant && l.a == r.a &&
        order_.equal_lists(l.b, r.b))
        return Answer::yes;
    if (l.kind == TermKind::proj && r.kind == TermKind::proj && l.extra == r.extra && l.b == r.b &&
        lazy_delta_proj(l.a, r.a, l))
        return Answer::yes;
    const Term t_nn = whnf_core(t_n);
    const Term s_nn = whnf_core(s_n);
    if (t_nn != t_n || s_nn != s_n) {
        pair = {t_nn, s_nn};
        return Answer::unknown;
    }
    if (are_injective(t_n, s_n)) {
        pair = {t_n, s_n};
        return is_def_eq_injective(pair);
    }
    const bool is_equal = is_def_eq_app(t_n, s_n) || try_eta(t_n, s_n) || try_eta(s_n, t_n) ||
                          try_eta_struct(t_n, s_n) || try_eta_struct(s_n, t_n) ||
                          try_string_literal(t_n, s_n) || try_string_literal(s_n, t_n) ||
                          is_def_eq_unit_like(t_n, s_n);
    if (!is_equal && (is_compiled_call(t_n) || is_compiled_call(s_n)))
        has_met_compiled_call_ = true;
    return is_equal ? Answer::yes : Answer::no;
}

// `Lean.reduceBool c`, `Lean.reduceNat c`: Lean's kernel runs c's compiled code.
bool TypeChecker::is_compiled_call(Term term) const noexcept {
    const TermNode& head = store_[app_fn(term)];
    return head.kind == TermKind::constant &&
           (head.a == known_.reduce_bool || head.a == known_.reduce_nat);
}

// Whether both are one constructor of a type without eta rules, applied to as many arguments: then
// they are equal if, and only if, these are.
bool TypeChecker::are_injective(Term t, Term s) const {
    if (store_.kind(t) != TermKind::app || store_.kind(s) != TermKind::app)
        return false;
    const TermNode& head_t = store_[app_fn(t)];
    const TermNode& head_s = store_[app_fn(s)];
    if (head_t.kind != TermKind::constant || head_s.kind != TermKind::constant ||
        head_t.a != head_s.a)
        return false;
    const ConstantInfo* const info = find(head_t.a);
    return info != nullptr && info->kind == ConstantKind::constructor &&
           num_args(t) == num_args(s) && !is_structure_like(find(facts(*info).inductive));
}

// Of two that are injective; "unknown": the answer is that of the last arguments, now in `pair`.
TypeChecker::Answer TypeChecker::is_def_eq_injective(TermPair& pair) {
    const TermPair last{store_[pair.t].b, store_[pair.s].b};
    const Term t = store_[pair.t].a;
    const Term s = store_[pair.s].a;
    const bool are_rest_equal =
        t == s || (store_.kind(t) == TermKind::app ? is_def_eq_app(t, s) : is_def_eq(t, s));
    pair = last;
    return are_rest_equal ? Answer::unknown : Answer::no;
}

const ConstantInfo* TypeChecker::is_delta(Term term) const {
    const TermNode& head = store_[app_fn(term)];
    if (head.kind != TermKind::constant)
        return nullptr;
    const ConstantInfo* const info = find(head.a);
    if (info == nullptr || !info->has_value_to_unfold() ||
        store_.levels(head.b).size() != store_.levels(info->params).size())
        return nullptr;
    return info;
}

// "Progress": the answer is that of what t and s have become; "unknown": nothing is to be unfolded.
TypeChecker::Step TypeChecker::lazy_delta(Term& t, Term& s) {
    for (;;) {
        if (const Step offset = is_def_eq_offset_nat(t, s); offset != Step::unknown)
            return offset;
        if ((store_[t].free == 0 && store_[s].free == 0) || is_eager_) {
            for (Term* const side : {&t, &s}) {
                if (const auto reduced = reduce_nat(*side)) {
                    *side = *reduced;
                    return Step::progress;
                }
            }
        }
        if (const Step step = lazy_delta_step(t, s); step != Step::progress)
            return step;
    }
}

TypeChecker::Step TypeChecker::lazy_delta_step(Term& t, Term& s) {
    heartbeat();
    const ConstantInfo* const info_t = is_delta(t);
    const ConstantInfo* const info_s = is_delta(s);
    if (info_t == nullptr && info_s == nullptr)
        return Step::unknown;
    if (info_t != nullptr && info_s != nullptr) {
        const Step step = unfold_both(t, s, *info_t, *info_s);
        if (step != Step::progress)
            return step;
    } else if (info_t != nullptr) {
        // The other side may be a projection that only whnf_core in full can take further.
        const Term full = unfold_proj_app(s);
        if (full != no_term)
            s = full;
        else
            t = unfold_and_reduce(t);
    } else {
        const Term full = unfold_proj_app(t);
        if (full != no_term)
            t = full;
        else
            s = unfold_and_reduce(s);
    }
    switch (quick_is_def_eq(t, s)) {
    case Answer::yes:
        return Step::equal;
    case Answer::no:
        return Step::different;
    default:
        return Step::progress;
    }
}

// A stuck projection that moves when its structure is reduced in full.
Term TypeChecker::unfold_proj_app(Term term) {
    if (store_.kind(app_fn(term)) != TermKind::proj)
        return no_term;
    const Term result = whnf_core(term);
    return result == term ? no_term : result;
}

TypeChecker::Step
TypeChecker::unfold_both(Term& t, Term& s, const ConstantInfo& info_t, const ConstantInfo& info_s) {
    using Hints = object::ReducibilityHints::Kind;
    // Opaque (theorems) last, abbreviations first, the greater height before the smaller.
    const auto rank = [](const ConstantInfo& info) -> std::uint64_t {
        if (info.kind == ConstantKind::theorem || info.hints == Hints::opaque)
            return 0;
        return info.hints == Hints::abbreviation ? std::uint64_t{1} << 33
                                                 : std::uint64_t{info.height} + 1;
    };
    const std::uint64_t rank_t = rank(info_t);
    const std::uint64_t rank_s = rank(info_s);
    if (rank_t < rank_s) {
        s = unfold_and_reduce(s);
        return Step::progress;
    }
    if (rank_t > rank_s) {
        t = unfold_and_reduce(t);
        return Step::progress;
    }
    if (&info_t == &info_s && store_.kind(t) == TermKind::app && store_.kind(s) == TermKind::app &&
        info_t.hints == Hints::regular) {
        const std::uint64_t key = (std::uint64_t{std::min(t, s)} << 32) | std::max(t, s);
        if (tried_args_.find(key) == nullptr) {
            if (order_.equal_lists(store_[app_fn(t)].b, store_[app_fn(s)].b) &&
                is_def_eq_args(t, s))
                return Step::equal;
            tried_args_.put(key, 1);
        }
    }
    t = unfold_and_reduce(t);
    s = unfold_and_reduce(s);
    return Step::progress;
}

// Two projections of one field: of structures that become equal, or fields once they are seen.
bool TypeChecker::lazy_delta_proj(Term t, Term s, const TermNode& proj) {
    const TermNode field{proj.kind, 0, 0, 0, proj.extra, proj.a, proj.b};
    for (;;) {
        switch (lazy_delta_step(t, s)) {
        case Step::equal:
            return true;
        case Step::progress:
            continue;
        default:
            break;
        }
        const Term t_field = field_of_constructor(t, field);
        const Term s_field = t_field == no_term ? no_term : field_of_constructor(s, field);
        if (s_field != no_term)
            return is_def_eq(t_field, s_field);
        return is_def_eq(t, s);
    }
}

bool TypeChecker::try_eta(Term t, Term s) {
    if (store_.kind(t) != TermKind::lam || store_.kind(s) == TermKind::lam)
        return false;
    const Term type = whnf(infer_type(s));
    if (store_.kind(type) != TermKind::pi)
        return false;
    // s is closed, so nothing in it has to be lifted.
    const Term expanded = store_.lam(store_[type].a, store_.app(s, store_.bvar(0)));
    return is_def_eq(t, expanded);
}

bool TypeChecker::try_eta_struct(Term t, Term s) {
    const TermNode& head = store_[app_fn(s)];
    if (head.kind != TermKind::constant)
        return false;
    const ConstantInfo* const info = find(head.a);
    if (info == nullptr || info->kind != ConstantKind::constructor)
        return false;
    const InductiveFacts& constructor = facts(*info);
    std::vector<Term> args;
    app_args(s, args);
    if (args.size() != std::size_t{constructor.num_params} + constructor.num_fields ||
        !is_structure_like(find(constructor.inductive)))
        return false;
    if (!is_def_eq(infer_type(t), infer_type(s)))
        return false;
    for (std::uint32_t i = 0; i < constructor.num_fields; ++i) {
        const Term field = store_.proj(constructor.inductive, i, t);
        if (!is_def_eq(field, args[constructor.num_params + i]))
            return false;
    }
    return true;
}

bool TypeChecker::is_def_eq_unit_like(Term t, Term s) {
    const Term type = whnf(infer_type(t));
    const TermNode& head = store_[app_fn(type)];
    if (head.kind != TermKind::constant)
        return false;
    const ConstantInfo* const inductive = find(head.a);
    if (!is_structure_like(inductive))
        return false;
    const ConstantInfo* const constructor = find(facts(*inductive).constructors[0]);
    if (constructor == nullptr || constructor->kind != ConstantKind::constructor ||
        facts(*constructor).num_fields != 0)
        return false;
    return is_def_eq(type, infer_type(s));
}

bool TypeChecker::try_string_literal(Term t, Term s) {
    if (store_.kind(t) != TermKind::string || store_.kind(s) != TermKind::app)
        return false;
    const TermNode& head = store_[app_fn(s)];
    if (head.kind != TermKind::constant ||
        (head.a != known_.string_mk && head.a != known_.string_of_list))
        return false;
    const Term expanded = string_literal_to_constructor(t);
    return expanded != t && store_[app_fn(expanded)].a == head.a && is_def_eq(expanded, s);
}

} // namespace leanhost::kernel
