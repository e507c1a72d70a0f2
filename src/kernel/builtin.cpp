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
    default:
        return false;
    }
}

} // namespace leanhost::kernel
