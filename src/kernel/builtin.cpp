#include "kernel/builtin.hpp"

#include "kernel/builtin_recursion.hpp"

// The built-in rules compute with GMP what a definition would take too long for. They hold only if
// the definition is what its name says. That is proved here, not believed: each operation has
// equations that no other function on the naturals satisfies, and the definition has to satisfy
// them by reduction, with variables for the numbers, before the rule is used for the first time. An
// operation that does not is left to its definition: nothing is lost but speed.

namespace leanhost::kernel {
namespace {

/// A definition that takes longer to be understood is left as it is.
constexpr std::uint64_t max_learning_heartbeats = 1'000'000;

} // namespace

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

void TypeChecker::learn_builtin(const ConstantInfo& info, Ordinal ordinal) {
    // All of them were interned before anything else.
    if (info.name > known_.eq_refl || info.safety != DefinitionSafety::safe)
        return;
    begin_declaration(ordinal, no_levels, DefinitionSafety::safe);
    if (info.kind == ConstantKind::inductive && is_nat_as_expected())
        builtins_ |= nat_literals;
    const NatCall call = nat_call(known_, info.name);
    if (call == NatCall::none || info.kind != ConstantKind::definition || !has_builtin_nat() ||
        info.params != no_levels)
        return;
    bool holds = false;
    const std::uint64_t max_heartbeats = limits_.max_heartbeats;
    limits_.max_heartbeats = std::min(
        max_heartbeats == 0 ? max_learning_heartbeats : max_heartbeats, max_learning_heartbeats);
    try {
        holds = is_type_as_expected(call, info.type) && satisfies_equations(call, info.name);
    } catch (const Rejection&) {
        holds = false;
    } catch (const Failure& failure) {
        if (failure.error().code() == ErrorCode::cancelled)
            throw;
    }
    limits_.max_heartbeats = max_heartbeats;
    if (holds)
        builtins_ |= builtin_bit(call);
}

bool TypeChecker::is_type_as_expected(NatCall call, Term type) {
    NatTerms e(*this);
    if (call == NatCall::log2)
        return type == e.nat_to(e.nat());
    const bool is_test = call == NatCall::beq || call == NatCall::ble;
    if (is_test && !is_bool_as_expected())
        return false;
    return type == e.nat_to(e.nat_to(is_test ? e.constant(known_.bool_) : e.nat()));
}

bool TypeChecker::satisfies_equations(NatCall call, NameId f) {
    NatTerms e(*this);
    const Term x = e.x();
    const Term y = e.y();
    const Term sx = e.succ(x);
    const Term sy = e.succ(y);
    const auto has = [this](NatCall other) { return (builtins_ & builtin_bit(other)) != 0; };
    const auto at_zero = [&](Term result) { return e.equal(e.call(f, x, e.zero()), result); };
    const auto at_succ = [&](Term result) { return e.equal(e.call(f, x, sy), result); };
    const bool has_halves = has(NatCall::add) && has(NatCall::div) && has(NatCall::mod);
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
        return has(NatCall::sub) && has(NatCall::ble) && NatRecursion(*this).is_division(f);
    case NatCall::mod:
        return has(NatCall::sub) && has(NatCall::ble) && NatRecursion(*this).is_remainder(f);
    case NatCall::gcd:
        return has(NatCall::mod) && NatRecursion(*this).is_gcd(f);
    case NatCall::log2:
        return has(NatCall::div) && has(NatCall::ble) && NatRecursion(*this).is_log2(f);
    case NatCall::land:
        return has_halves && NatRecursion(*this).is_bitwise(f, {false, false, false, true});
    case NatCall::lor:
        return has_halves && NatRecursion(*this).is_bitwise(f, {false, true, true, true});
    case NatCall::xor_:
        return has_halves && NatRecursion(*this).is_bitwise(f, {false, true, true, false});
    default:
        return false;
    }
}

// The value that is assumed for a call with variables, or what follows for one that has none left.
std::optional<Term> TypeChecker::assumed_nat_call(NameId name, Term lhs, Term rhs) {
    for (const NatAssumption& assumed : assumptions_) {
        if (assumed.function == name && is_def_eq(lhs, assumed.lhs) && is_def_eq(rhs, assumed.rhs))
            return assumed.result;
    }
    const auto left = literal_value(lhs);
    const auto right = left ? literal_value(rhs) : std::nullopt;
    return right ? reduce_nat_call(name, *left, *right) : std::nullopt;
}

// What was found before may be otherwise now.
void TypeChecker::assume(std::vector<NatAssumption> assumptions) {
    assumptions_ = std::move(assumptions);
    types_.clear();
    checked_.clear();
    whnf_core_.clear();
    whnf_core_cheap_.clear();
    whnf_.clear();
    equal_.clear();
    forget_inequalities();
}

} // namespace leanhost::kernel
