#include "kernel/builtin.hpp"

#include "kernel/type_checker.hpp"

#include <array>

// The built-in rules compute with GMP what a definition would take too long for. They hold only if
// the definition is what its name says. That is proved here, not believed: each operation has
// equations that no other function on the naturals satisfies, and the definition has to satisfy
// them by reduction, with variables for the numbers, before the rule is used for the first time. An
// operation that does not is left to its definition: nothing is lost but speed.

namespace leanhost::kernel {
namespace {} // namespace

/// Builds the equations' sides.
class BuiltinEquations {
public:
    explicit BuiltinEquations(TypeChecker& checker)
        : checker_(checker), store_(checker.store()), known_(checker.known()),
          nat_(constant(known_.nat)), x_(checker.local(0, nat_)), y_(checker.local(1, nat_)),
          zero_(constant(known_.nat_zero)) {}

    Term constant(NameId name) { return store_.constant(name, no_levels); }
    Term x() const { return x_; }
    Term y() const { return y_; }
    Term zero() const { return zero_; }
    Term succ(Term n) { return store_.app(constant(known_.nat_succ), n); }
    Term call(NameId f, Term a) { return store_.app(constant(f), a); }
    Term call(NameId f, Term a, Term b) { return store_.app(call(f, a), b); }
    Term boolean(bool b) { return constant(b ? known_.bool_true : known_.bool_false); }
    Term nat_to(Term to) { return store_.pi(nat_, to); }
    Term nat() const { return nat_; }
    bool equal(Term t, Term s) { return checker_.is_def_eq(t, s); }

private:
    TypeChecker& checker_;
    TermStore& store_;
    const KernelNames& known_;
    Term nat_;
    Term x_;
    Term y_;
    Term zero_;
};

/// Division and remainder test y ≤ x, which no equation with variables can decide. So the tests
/// that the definition makes are looked at: that they ask what they must, by the type of their
/// `Decidable`, and what comes out on either side. Read so are the definitions by fuel: a test of 0
/// < y, then a loop that tests y ≤ x and subtracts. Older ones, by well-founded recursion, are left
/// as they are.
class DivisionEquations {
public:
    explicit DivisionEquations(TypeChecker& checker)
        : checker_(checker), store_(checker.store()), known_(checker.known()), e_(checker),
          y_(e_.y()), next_local_(2) {}

    bool is_division(NameId f) {
        const Term x = e_.x();
        return are_tests_as_expected() && is_guarded_loop(e_.call(f, x, y_), x, true);
    }

    // By cases on x: 0, and x + 1 with a test that y is not greater.
    bool is_remainder(NameId f) {
        if (!are_tests_as_expected() || !e_.equal(e_.call(f, e_.zero(), y_), e_.zero()))
            return false;
        const Term x = e_.succ(e_.x());
        const auto test = exposed_test(e_.call(f, x, y_));
        return test && !test->is_dependent && is_le(test->condition, y_, x) &&
               e_.equal(test->if_false, x) && is_guarded_loop(test->if_true, x, false);
    }

private:
    struct Test {
        Term condition;
        Term if_true;
        Term if_false;
        bool is_dependent; ///< dite: both sides take a proof
    };

    Term local(Term type) { return checker_.local(next_local_++, type); }
    Term le(Term a, Term b) { return e_.call(known_.nat_le, a, b); }
    bool is_le(Term condition, Term a, Term b) { return e_.equal(condition, le(a, b)); }
    Term sub(Term a, Term b) { return e_.call(known_.nat_sub, a, b); }

    // Unfolds until a test is the head.
    std::optional<Test> exposed_test(Term term) {
        constexpr int most_steps = 32;
        for (int i = 0; i < most_steps; ++i) {
            term = checker_.whnf_core(term);
            const TermNode& head = store_[checker_.app_fn(term)];
            if (head.kind != TermKind::constant)
                return std::nullopt;
            const bool is_dite = head.a == known_.dite;
            if (is_dite || head.a == known_.ite) {
                std::vector<Term> args;
                checker_.app_args(term, args);
                if (args.size() != 5 || args[0] != e_.nat())
                    return std::nullopt;
                return Test{args[1], args[3], args[4], is_dite};
            }
            const auto next = checker_.unfold_definition(term);
            if (!next)
                return std::nullopt;
            term = *next;
        }
        return std::nullopt;
    }

    // dite (0 < y) (fun h => loop y h (x + 1) x _) (fun _ => 0, or x)
    bool is_guarded_loop(Term call, Term x, bool is_division) {
        const auto test = exposed_test(call);
        if (!test || !test->is_dependent || !is_le(test->condition, e_.succ(e_.zero()), y_))
            return false;
        const Term h = local(test->condition);
        const Term no = store_.app(e_.constant(known_.not_), test->condition);
        const Term q = local(no);
        if (!e_.equal(store_.app(test->if_false, q), is_division ? e_.zero() : x))
            return false;
        const Term loop = checker_.whnf_core(store_.app(test->if_true, h));
        const Term function = checker_.app_fn(loop);
        if (store_.kind(function) != TermKind::constant)
            return false;
        const auto whole = loop_call(function, h, e_.succ(x), x);
        return whole && e_.equal(loop, *whole) && is_loop(function, h, is_division);
    }

    // loop y h fuel x p, with a variable for the proof p of x < fuel
    std::optional<Term> loop_call(Term function, Term h, Term fuel, Term x) {
        const Term call = checker_.mk_app(function, std::vector{y_, h, fuel, x});
        const Term type = checker_.whnf(checker_.infer_type_checked(call));
        if (store_.kind(type) != TermKind::pi || !is_le(store_[type].a, e_.succ(x), fuel))
            return std::nullopt;
        return store_.app(call, local(store_[type].a));
    }

    // loop y h (f + 1) x p = dite (y ≤ x) (fun _ => loop y h f (x - y) _, plus 1) (fun _ => 0, or
    // x)
    bool is_loop(Term function, Term h, bool is_division) {
        const Term x = local(e_.nat());
        const Term fuel = local(e_.nat());
        const auto call = loop_call(function, h, e_.succ(fuel), x);
        const auto test = call ? exposed_test(*call) : std::nullopt;
        if (!test || !test->is_dependent || !is_le(test->condition, y_, x))
            return false;
        const Term p = local(test->condition);
        const Term q = local(store_.app(e_.constant(known_.not_), test->condition));
        const auto rest = loop_call(function, h, fuel, sub(x, y_));
        return rest && e_.equal(store_.app(test->if_false, q), is_division ? e_.zero() : x) &&
               e_.equal(store_.app(test->if_true, p), is_division ? e_.succ(*rest) : *rest);
    }

    const ConstantInfo* constant_of(NameId name, ConstantKind kind) {
        const ConstantInfo* const info = checker_.find(name);
        return info != nullptr && info->kind == kind ? info : nullptr;
    }

    // ≤, False, Not, Decidable, dite and ite are what their names say.
    bool are_tests_as_expected() {
        return is_le_as_expected() && is_decidable_as_expected() && is_test_function(known_.dite) &&
               is_test_function(known_.ite);
    }

    bool is_le_as_expected() {
        const ConstantInfo* const type = constant_of(known_.nat_le, ConstantKind::inductive);
        const ConstantInfo* const refl = constant_of(known_.nat_le_refl, ConstantKind::constructor);
        const ConstantInfo* const step = constant_of(known_.nat_le_step, ConstantKind::constructor);
        if (type == nullptr || refl == nullptr || step == nullptr ||
            checker_.facts(*type).constructors !=
                std::vector{known_.nat_le_refl, known_.nat_le_step})
            return false;
        const Term n = e_.x();
        const Term m = e_.y();
        const Term step_type = store_.pi(le(n, m), le(n, e_.succ(m)));
        return type->type == e_.nat_to(e_.nat_to(store_.prop())) &&
               refl->type == checker_.mk_pi(std::vector{n}, le(n, n)) &&
               step->type == checker_.mk_pi(std::vector{n, m}, step_type);
    }

    bool is_decidable_as_expected() {
        const ConstantInfo* const type = constant_of(known_.decidable, ConstantKind::inductive);
        const ConstantInfo* const no =
            constant_of(known_.decidable_is_false, ConstantKind::constructor);
        const ConstantInfo* const yes =
            constant_of(known_.decidable_is_true, ConstantKind::constructor);
        const ConstantInfo* const falsity = constant_of(known_.false_, ConstantKind::inductive);
        const ConstantInfo* const negation = constant_of(known_.not_, ConstantKind::definition);
        if (type == nullptr || no == nullptr || yes == nullptr || falsity == nullptr ||
            negation == nullptr || !checker_.facts(*falsity).constructors.empty() ||
            falsity->type != store_.prop() ||
            checker_.facts(*type).constructors !=
                std::vector{known_.decidable_is_false, known_.decidable_is_true})
            return false;
        const Term prop = store_.prop();
        const Term p = checker_.local(0, prop);
        const Term not_p = store_.app(e_.constant(known_.not_), p);
        const Term decidable = store_.app(e_.constant(known_.decidable), p);
        return e_.equal(not_p, store_.pi(p, e_.constant(known_.false_))) &&
               type->type == store_.pi(prop, store_.sort(store_.one())) &&
               yes->type == checker_.mk_pi(std::vector{p}, store_.pi(p, decidable)) &&
               no->type == checker_.mk_pi(std::vector{p}, store_.pi(not_p, decidable));
    }

    // f Nat p (isTrue p h) t e = t (h) and f Nat p (isFalse p q) t e = e (q).
    bool is_test_function(NameId name) {
        const ConstantInfo* const info = constant_of(name, ConstantKind::definition);
        if (info == nullptr || store_.levels(info->params).size() != 1)
            return false;
        const bool is_dite = name == known_.dite;
        const Term p = checker_.local(0, store_.prop());
        const Term not_p = store_.app(e_.constant(known_.not_), p);
        const Term h = checker_.local(1, p);
        const Term q = checker_.local(2, not_p);
        const Term t = checker_.local(3, is_dite ? store_.pi(p, e_.nat()) : e_.nat());
        const Term s = checker_.local(4, is_dite ? store_.pi(not_p, e_.nat()) : e_.nat());
        const Level levels[] = {store_.one()};
        const Term f =
            checker_.mk_app(store_.constant(name, store_.list(levels)), std::vector{e_.nat(), p});
        const Term yes = e_.call(known_.decidable_is_true, p, h);
        const Term no = e_.call(known_.decidable_is_false, p, q);
        const Term if_yes = checker_.mk_app(f, std::vector{yes, t, s});
        const Term if_no = checker_.mk_app(f, std::vector{no, t, s});
        checker_.check(if_yes);
        checker_.check(if_no);
        return e_.equal(if_yes, is_dite ? store_.app(t, h) : t) &&
               e_.equal(if_no, is_dite ? store_.app(s, q) : s);
    }

    TypeChecker& checker_;
    TermStore& store_;
    const KernelNames& known_;
    BuiltinEquations e_;
    Term y_;
    std::uint32_t next_local_;
};

bool TypeChecker::is_nat_as_expected() {
    const ConstantInfo* const nat = find(known_.nat);
    const ConstantInfo* const zero = find(known_.nat_zero);
    const ConstantInfo* const succ = find(known_.nat_succ);
    if (nat == nullptr || nat->kind != ConstantKind::inductive || nat->params != no_levels ||
        zero == nullptr || zero->kind != ConstantKind::constructor || succ == nullptr ||
        succ->kind != ConstantKind::constructor ||
        facts(*nat).constructors != std::vector{known_.nat_zero, known_.nat_succ} ||
        nat->safety != DefinitionSafety::safe)
        return false;
    const Term type = store_.constant(known_.nat, no_levels);
    return nat->type == store_.sort(store_.one()) && zero->type == type &&
           succ->type == store_.pi(type, type);
}

bool TypeChecker::is_bool_as_expected() {
    const ConstantInfo* const info = find(known_.bool_);
    const Term type = store_.constant(known_.bool_, no_levels);
    for (const NameId name : {known_.bool_false, known_.bool_true}) {
        const ConstantInfo* const constructor = find(name);
        if (constructor == nullptr || constructor->kind != ConstantKind::constructor ||
            constructor->type != type)
            return false;
    }
    return info != nullptr && info->kind == ConstantKind::inductive &&
           info->type == store_.sort(store_.one()) && info->safety == DefinitionSafety::safe &&
           facts(*info).constructors == std::vector{known_.bool_false, known_.bool_true};
}

void TypeChecker::learn_builtin(const ConstantInfo& info) {
    // All of them were interned before anything else.
    if (info.name > known_.eq_refl || info.safety != DefinitionSafety::safe)
        return;
    begin_declaration(info.ordinal + 1, no_levels, DefinitionSafety::safe);
    if (info.kind == ConstantKind::inductive && is_nat_as_expected())
        builtins_ |= nat_literals;
    const NatCall call = nat_call(known_, info.name);
    if (call == NatCall::none || info.kind != ConstantKind::definition || !has_builtin_nat() ||
        info.params != no_levels)
        return;
    bool holds = false;
    try {
        holds = is_type_as_expected(call, info.type) && satisfies_equations(call, info.name);
    } catch (const Rejection&) {
        holds = false;
    } catch (const Failure& failure) {
        if (failure.error().code() == ErrorCode::cancelled)
            throw;
    }
    if (holds)
        builtins_ |= builtin_bit(call);
}

bool TypeChecker::is_type_as_expected(NatCall call, Term type) {
    BuiltinEquations e(*this);
    if (call == NatCall::log2)
        return type == e.nat_to(e.nat());
    const bool is_test = call == NatCall::beq || call == NatCall::ble;
    if (is_test && !is_bool_as_expected())
        return false;
    return type == e.nat_to(e.nat_to(is_test ? e.constant(known_.bool_) : e.nat()));
}

bool TypeChecker::satisfies_equations(NatCall call, NameId f) {
    BuiltinEquations e(*this);
    const Term x = e.x();
    const Term y = e.y();
    const Term sx = e.succ(x);
    const Term sy = e.succ(y);
    const auto has = [this](NatCall other) { return (builtins_ & builtin_bit(other)) != 0; };
    const auto at_zero = [&](Term result) { return e.equal(e.call(f, x, e.zero()), result); };
    const auto at_succ = [&](Term result) { return e.equal(e.call(f, x, sy), result); };
    const Term rest = e.call(f, x, y);
    switch (call) {
    case NatCall::add:
        return at_zero(x) && at_succ(e.succ(rest));
    case NatCall::sub: {
        const NameId pred = known_.nat_pred;
        const ConstantInfo* const info = find(pred);
        return info != nullptr && info->type == e.nat_to(e.nat()) &&
               e.equal(e.call(pred, e.zero()), e.zero()) && e.equal(e.call(pred, sx), x) &&
               at_zero(x) && at_succ(e.call(pred, rest));
    }
    case NatCall::mul:
        return has(NatCall::add) && at_zero(e.zero()) && at_succ(e.call(known_.nat_add, rest, x));
    case NatCall::pow:
        return has(NatCall::mul) && at_zero(e.succ(e.zero())) &&
               at_succ(e.call(known_.nat_mul, rest, x));
    case NatCall::beq:
        return e.equal(e.call(f, e.zero(), e.zero()), e.boolean(true)) &&
               e.equal(e.call(f, e.zero(), sy), e.boolean(false)) &&
               e.equal(e.call(f, sx, e.zero()), e.boolean(false)) &&
               e.equal(e.call(f, sx, sy), rest);
    case NatCall::ble:
        return e.equal(e.call(f, e.zero(), e.zero()), e.boolean(true)) &&
               e.equal(e.call(f, e.zero(), sy), e.boolean(true)) &&
               e.equal(e.call(f, sx, e.zero()), e.boolean(false)) &&
               e.equal(e.call(f, sx, sy), rest);
    case NatCall::shift_left:
        return has(NatCall::mul) && at_zero(x) &&
               at_succ(e.call(f, e.call(known_.nat_mul, store_.nat(2), x), y));
    case NatCall::shift_right:
        return has(NatCall::div) && at_zero(x) &&
               at_succ(e.call(known_.nat_div, rest, store_.nat(2)));
    case NatCall::div:
        return has(NatCall::sub) && DivisionEquations(*this).is_division(f);
    case NatCall::mod:
        return has(NatCall::sub) && DivisionEquations(*this).is_remainder(f);
    case NatCall::gcd:
        return has(NatCall::mod) && e.equal(e.call(f, e.zero(), y), y) &&
               e.equal(e.call(f, sx, y), e.call(f, e.call(known_.nat_mod, y, sx), sx));
    default:
        return false;
    }
}

} // namespace leanhost::kernel
