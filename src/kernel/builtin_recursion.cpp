#include "kernel/builtin_recursion.hpp"

namespace leanhost::kernel {
namespace {

constexpr std::size_t most_unfoldings = 48;
constexpr std::size_t acc_major_idx = 5; ///< of Acc.rec: α r motive minor x, then the proof

} // namespace

/// Calls whose value is assumed as long as this lives.
class Assuming {
public:
    Assuming(TypeChecker& checker, std::vector<NatAssumption> assumptions) : checker_(checker) {
        checker_.assume(std::move(assumptions));
    }
    Assuming(const Assuming&) = delete;
    Assuming& operator=(const Assuming&) = delete;
    ~Assuming() { checker_.assume({}); }

private:
    TypeChecker& checker_;
};

NatTerms::NatTerms(TypeChecker& checker)
    : checker_(checker), store_(checker.store()), known_(checker.known()),
      nat_(constant(known_.nat)), x_(checker.local(0, nat_)), y_(checker.local(1, nat_)),
      zero_(constant(known_.nat_zero)) {}

NatRecursion::NatRecursion(TypeChecker& checker)
    : checker_(checker), store_(checker.store()), known_(checker.known()), e_(checker),
      fuel_(local(e_.nat())) {}

// ---- the functions, by equations that no other function on numbers satisfies

// gcd 0 y = y, gcd (x + 1) y = gcd (y % (x + 1)) (x + 1)
bool NatRecursion::is_gcd(NameId f) {
    const Term x = e_.x();
    const Term y = e_.y();
    return has_view(e_.call(f, x, y), y, [&](const View& view) {
        const Term sx = e_.succ(x);
        const auto rest = recursive_call(view, e_.call(known_.nat_mod, y, sx), sx);
        return rest && has_equation(view, e_.zero(), y, y) && has_equation(view, sx, y, *rest);
    });
}

// x / 0 = 0, x / y = 0 if x < y, else (x - y) / y + 1
bool NatRecursion::is_division(NameId f) {
    const Term x = e_.x();
    return is_equal_when_exposed(e_.call(f, x, e_.zero()), e_.zero()) &&
           has_view(e_.call(f, x, e_.succ(e_.y())), e_.zero(),
                    [&](const View& view) { return has_rest(view, e_.zero(), true); });
}

// As division's, but x % 0 = x, x % y = x if x < y, else (x - y) % y. Or by cases: 0, and x + 1
// with a test that y is not greater or none, before the function that has these equations.
bool NatRecursion::is_remainder(NameId f) {
    if (is_loop_of_remainder(f))
        return true;
    const Term y = e_.y();
    const Term x = e_.succ(e_.x());
    const Term call = e_.call(f, x, y);
    if (!is_equal_when_exposed(e_.call(f, e_.zero(), y), e_.zero()))
        return false;
    if (reaches_remainder(call, x, y))
        return true;
    {
        const Assuming less(checker_, {{known_.nat_ble, y, x, e_.boolean(false)}});
        if (!e_.equal(call, x))
            return false;
    }
    const Assuming not_less(checker_, {{known_.nat_ble, y, x, e_.boolean(true)}});
    return reaches_remainder(call, x, y);
}

bool NatRecursion::is_loop_of_remainder(NameId f) {
    const Term x = e_.x();
    return is_equal_when_exposed(e_.call(f, x, e_.zero()), x) &&
           has_view(e_.call(f, x, e_.succ(e_.y())), e_.zero(),
                    [&](const View& view) { return has_rest(view, x, false); });
}

bool NatRecursion::reaches_remainder(Term call, Term a, Term b) {
    for (const Term term : unfoldings(call)) {
        const TermNode& head = store_[checker_.app_fn(term)];
        if (term == call || head.kind != TermKind::constant || head.b != no_levels ||
            term != e_.call(head.a, a, b))
            continue;
        return checker_.infer_type(e_.constant(head.a)) == e_.nat_to(e_.nat_to(e_.nat())) &&
               is_loop_of_remainder(head.a);
    }
    return false;
}

// Of x and y + 1: `at_less` when x is less, else what x - (y + 1) has, plus 1 if that is counted.
// Whether y + 1 ≤ x is assumed, and that 0 < y + 1, which some definitions of ≤ leave open.
bool NatRecursion::has_rest(const View& view, Term at_less, bool counts) {
    const Term x = e_.x();
    const Term y = e_.succ(e_.y());
    const auto rest = recursive_call(view, e_.call(known_.nat_sub, x, y), e_.y());
    if (!rest)
        return false;
    const auto holds = [&](bool is_le, Term result) {
        const Assuming assuming(checker_,
                                {{known_.nat_ble, e_.succ(e_.zero()), y, e_.boolean(true)},
                                 {known_.nat_ble, y, x, e_.boolean(is_le)},
                                 {known_.nat_ble, e_.succ(x), y, e_.boolean(!is_le)}});
        return has_equation(view, x, e_.y(), result);
    };
    return holds(false, at_less) && holds(true, counts ? e_.succ(*rest) : *rest);
}

// log2 x = 0 if x < 2, else log2 (x / 2) + 1
bool NatRecursion::is_log2(NameId f) {
    const Term x = e_.x();
    const Term two = store_.nat(2);
    return has_view(e_.call(f, x), e_.zero(), [&](const View& view) {
        const auto half = recursive_call(view, e_.call(known_.nat_div, x, two), e_.y());
        const auto holds = [&](bool is_le, Term result) {
            const Assuming assuming(checker_,
                                    {{known_.nat_ble, two, x, e_.boolean(is_le)},
                                     {known_.nat_ble, e_.succ(x), two, e_.boolean(!is_le)}});
            return has_equation(view, x, e_.y(), result);
        };
        return half && holds(false, e_.zero()) && holds(true, e_.succ(*half));
    });
}

bool NatRecursion::is_bitwise(NameId f, const std::array<bool, 4>& bits) {
    const Term at_zero = bits[1] ? e_.y() : e_.zero();
    return has_view(e_.call(f, e_.x(), e_.y()), at_zero, [&](const View& view) {
        const Term sx = e_.succ(e_.x());
        return has_equation(view, e_.zero(), e_.y(), at_zero) &&
               has_equation(view, sx, e_.zero(), bits[2] ? sx : e_.zero()) && has_bits(view, bits);
    });
}

// Twice what the halves have, plus the bit of the last bits, whichever these are.
bool NatRecursion::has_bits(const View& view, const std::array<bool, 4>& bits) {
    const Term a = e_.succ(e_.x());
    const Term b = e_.succ(e_.y());
    const Term two = store_.nat(2);
    const auto half =
        recursive_call(view, e_.call(known_.nat_div, a, two), e_.call(known_.nat_div, b, two));
    if (!half)
        return false;
    const Term twice = e_.call(known_.nat_add, *half, *half);
    for (unsigned i = 0; i < bits.size(); ++i) {
        const Assuming assuming(checker_, {{known_.nat_mod, a, two, store_.nat(i >> 1U)},
                                           {known_.nat_mod, b, two, store_.nat(i & 1U)}});
        if (!has_equation(view, a, b, bits[i] ? e_.succ(twice) : twice))
            return false;
    }
    return true;
}

// ---- views

bool NatRecursion::has_view(Term call, Term at_zero, const Equations& equations) {
    const auto plain = view_of(call);
    if (!plain)
        return false;
    if (equations(*plain))
        return true;
    for (const Term term : unfoldings(call)) {
        auto view = view_of(term);
        for (std::size_t i = 0; view && i < view->args.size(); ++i) {
            if (view->is_proof[i] || checker_.infer_type(view->args[i]) != e_.nat())
                continue;
            view->fuel_at = i;
            if (is_fuel_enough(*view, at_zero) && equations(*view))
                return true;
        }
    }
    return false;
}

std::optional<NatRecursion::View> NatRecursion::view_of(Term application) {
    View view;
    view.function = checker_.app_fn(application);
    if (store_.kind(view.function) != TermKind::constant)
        return std::nullopt;
    checker_.app_args(application, view.args);
    for (const Term arg : view.args)
        view.is_proof.push_back(checker_.is_prop(checker_.infer_type(arg)));
    return view;
}

// The count is more than x if a proof says so, or if it starts as x + 1; and stays it, since what
// stands for x becomes less whenever the count does. If it starts as x, then it may be zero where x
// is, and what comes out there must be right.
bool NatRecursion::is_fuel_enough(const View& view, Term at_zero) {
    const auto call = call_of(view, fuel_, e_.x(), e_.y());
    if (!call || !call_of(view, e_.succ(fuel_), e_.x(), e_.y()))
        return false;
    std::vector<Term> args;
    checker_.app_args(*call, args);
    for (std::size_t i = view.fuel_at + 1; i < args.size(); ++i) {
        if (view.is_proof[i] && is_less_than_fuel(store_[args[i]].a))
            return true;
    }
    const Term fuel = view.args[view.fuel_at];
    if (e_.equal(fuel, e_.succ(e_.x())))
        return true;
    const auto both_zero = call_of(view, e_.zero(), e_.zero(), e_.y());
    return both_zero && e_.equal(fuel, e_.x()) && e_.equal(*both_zero, at_zero);
}

std::vector<Term> NatRecursion::unfoldings(Term term) {
    std::vector<Term> result{term};
    while (result.size() < most_unfoldings) {
        const Term reduced = checker_.whnf_core(term);
        if (reduced != term)
            result.push_back(reduced);
        const auto next = checker_.unfold_definition(reduced);
        if (!next)
            break;
        // Beta only: what counts down is to be met before it is looked at.
        term = checker_.force(checker_.head_beta({*next, no_env}));
        result.push_back(term);
    }
    return result;
}

bool NatRecursion::has_equation(const View& view, Term a, Term b, Term result) {
    if (view.fuel_at != View::no_fuel) {
        const auto call = call_of(view, e_.succ(fuel_), a, b);
        return call && e_.equal(*call, result);
    }
    const auto call = call_of(view, no_term, a, b);
    return call && is_equal_when_exposed(*call, result);
}

std::optional<Term> NatRecursion::recursive_call(const View& view, Term a, Term b) {
    return call_of(view, fuel_, a, b);
}

// The view's application with these. A proof becomes a variable: any will do, and that of the
// view may speak of what was replaced. Nothing, if the result would be ill-typed.
std::optional<Term> NatRecursion::call_of(const View& view, Term fuel, Term a, Term b) {
    Term call = view.function;
    for (std::size_t i = 0; i < view.args.size(); ++i) {
        const Term type = checker_.whnf(checker_.infer_type(call));
        if (store_.kind(type) != TermKind::pi)
            return std::nullopt;
        const Term domain = store_[type].a;
        const Term arg = i == view.fuel_at  ? fuel
                         : view.is_proof[i] ? local(domain)
                                            : substitute(view.args[i], a, b);
        if (!e_.equal(checker_.infer_type(arg), domain))
            return std::nullopt;
        call = store_.app(call, arg);
    }
    return call;
}

Term NatRecursion::substitute(Term term, Term a, Term b) {
    const Term variables[] = {e_.x(), e_.y()};
    const Term body = checker_.abstract(term, variables);
    return checker_.force({body, checker_.push(checker_.push(no_env, {a, no_env}), {b, no_env})});
}

// ---- accessibility

bool NatRecursion::is_equal_when_exposed(Term t, Term s) {
    for (const Term term : unfoldings(t)) {
        const auto exposed = with_accessible(term);
        if (exposed && e_.equal(*exposed, s))
            return true;
    }
    return e_.equal(t, s);
}

// Acc.rec … x p …, where p is taken for Acc.intro x h with a variable h: proofs are equal, and
// every one is made so.
std::optional<Term> NatRecursion::with_accessible(Term application) {
    const Term function = checker_.app_fn(application);
    const TermNode& head = store_[function];
    const ConstantInfo* const info =
        head.kind == TermKind::constant ? checker_.find(head.a) : nullptr;
    if (info == nullptr || info->kind != ConstantKind::recursor ||
        checker_.facts(*info).inductive != known_.acc || !is_acc_as_expected())
        return std::nullopt;
    std::vector<Term> args;
    checker_.app_args(application, args);
    if (args.size() <= acc_major_idx)
        return std::nullopt;
    const Term type = checker_.whnf(checker_.infer_type(args[acc_major_idx]));
    const TermNode& type_head = store_[checker_.app_fn(type)];
    if (type_head.kind != TermKind::constant || type_head.a != known_.acc)
        return std::nullopt;
    std::vector<Term> params_and_index;
    checker_.app_args(type, params_and_index);
    const Term intro =
        checker_.mk_app(store_.constant(known_.acc_intro, type_head.b), params_and_index);
    const Term intro_type = checker_.whnf(checker_.infer_type(intro));
    if (store_.kind(intro_type) != TermKind::pi)
        return std::nullopt;
    args[acc_major_idx] = store_.app(intro, local(store_[intro_type].a));
    return checker_.mk_app(function, args);
}

// inductive Acc {α : Sort u} (r : α → α → Prop) : α → Prop
// | intro (x : α) (h : ∀ y, r y x → Acc r y) : Acc r x
bool NatRecursion::is_acc_as_expected() {
    const ConstantInfo* const type = checker_.find(known_.acc);
    const ConstantInfo* const intro = checker_.find(known_.acc_intro);
    if (type == nullptr || type->kind != ConstantKind::inductive || intro == nullptr ||
        intro->kind != ConstantKind::constructor || intro->params != type->params ||
        store_.levels(type->params).size() != 1 || type->safety != DefinitionSafety::safe ||
        checker_.facts(*type).constructors != std::vector{known_.acc_intro})
        return false;
    const Term alpha = local(store_.sort(store_.levels(type->params)[0]));
    const Term prop = store_.prop();
    const Term r = local(store_.pi(alpha, store_.pi(alpha, prop)));
    const Term x = local(alpha);
    const Term y = local(alpha);
    const auto acc = [&](Term of) {
        return checker_.mk_app(store_.constant(known_.acc, type->params),
                               std::vector{alpha, r, of});
    };
    const Term below = store_.pi(store_.app(store_.app(r, y), x), acc(y));
    const Term h = checker_.mk_pi(std::vector{y}, below);
    return type->type == checker_.mk_pi(std::vector{alpha, r}, store_.pi(alpha, prop)) &&
           intro->type == checker_.mk_pi(std::vector{alpha, r, x}, store_.pi(h, acc(x)));
}

// ---- order

// x + 1 ≤ the count, in whatever words
bool NatRecursion::is_less_than_fuel(Term type) {
    return is_le_as_expected() && e_.equal(type, e_.call(known_.nat_le, e_.succ(e_.x()), fuel_));
}

bool NatRecursion::is_le_as_expected() {
    const ConstantInfo* const type = checker_.find(known_.nat_le);
    const ConstantInfo* const refl = checker_.find(known_.nat_le_refl);
    const ConstantInfo* const step = checker_.find(known_.nat_le_step);
    if (type == nullptr || type->kind != ConstantKind::inductive || refl == nullptr ||
        refl->kind != ConstantKind::constructor || step == nullptr ||
        step->kind != ConstantKind::constructor || type->safety != DefinitionSafety::safe ||
        checker_.facts(*type).constructors != std::vector{known_.nat_le_refl, known_.nat_le_step})
        return false;
    const Term n = e_.x();
    const Term m = e_.y();
    const auto le = [&](Term a, Term b) { return e_.call(known_.nat_le, a, b); };
    const Term step_type = store_.pi(le(n, m), le(n, e_.succ(m)));
    return type->type == e_.nat_to(e_.nat_to(store_.prop())) &&
           refl->type == checker_.mk_pi(std::vector{n}, le(n, n)) &&
           step->type == checker_.mk_pi(std::vector{n, m}, step_type);
}

} // namespace leanhost::kernel
