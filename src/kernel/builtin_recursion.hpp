#pragma once

#include "kernel/type_checker.hpp"

#include <functional>

namespace leanhost::kernel {

/// Builds terms over natural numbers, with the variables x and y.
class NatTerms {
public:
    explicit NatTerms(TypeChecker& checker);

    Term constant(NameId name) { return store_.constant(name, no_levels); }
    Term x() const { return x_; }
    Term y() const { return y_; }
    Term zero() const { return zero_; }
    Term nat() const { return nat_; }
    Term succ(Term n) { return store_.app(constant(known_.nat_succ), n); }
    Term call(NameId f, Term a) { return store_.app(constant(f), a); }
    Term call(NameId f, Term a, Term b) { return store_.app(call(f, a), b); }
    Term boolean(bool b) { return constant(b ? known_.bool_true : known_.bool_false); }
    Term nat_to(Term to) { return store_.pi(nat_, to); }
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

/// Shows of functions that are defined by recursion on something smaller that they are what their
/// names say. Why each step is sound: docs/decisions/009-builtin-rules.md.
///
/// The equations of such a function do not hold by reduction alone: a proof that the recursion ends
/// (`Acc`), or a number that counts down, stands in the way. What stands there is generalised: see
/// View. The tests that a definition makes are not looked at: what they compare is assumed, either
/// way, and they are reduced.
class NatRecursion {
public:
    explicit NatRecursion(TypeChecker& checker);

    bool is_gcd(NameId f);
    bool is_division(NameId f);
    bool is_remainder(NameId f);
    bool is_log2(NameId f);
    /// `bits[2 * b + c]`: of the bits b and c; nothing of two zeros.
    bool is_bitwise(NameId f, const std::array<bool, 4>& bits);

private:
    /// A way to see the calls `f a b` of a function: an application in which x and y stand for a
    /// and b, and perhaps one argument that counts down.
    ///
    /// To unfold a call, a proof of accessibility is taken for one by its constructor (any is), or
    /// the count for a successor (then the call of the recursion has one less, whatever that is).
    struct View {
        static constexpr std::size_t no_fuel = ~std::size_t{0};
        Term function = no_term;
        std::vector<Term> args;
        std::vector<bool> is_proof; ///< of each argument
        std::size_t fuel_at = no_fuel;
    };
    using Equations = std::function<bool(const View&)>;

    /// Whether there is a view of `call`, made of x and y, that satisfies `equations`. Where the
    /// count may run out, which it does for x = 0 only, the function's value is `at_zero`.
    bool has_view(Term call, Term at_zero, const Equations& equations);
    bool is_fuel_enough(const View& view, Term at_zero);
    std::optional<View> view_of(Term application);
    /// The terms that `term` becomes by unfolding what stands at its head, itself the first.
    std::vector<Term> unfoldings(Term term);

    bool has_equation(const View& view, Term a, Term b, Term result);
    std::optional<Term> recursive_call(const View& view, Term a, Term b);
    std::optional<Term> call_of(const View& view, Term fuel, Term a, Term b);
    bool is_equal_when_exposed(Term t, Term s);
    std::optional<Term> with_accessible(Term application);
    Term substitute(Term term, Term a, Term b);
    bool reaches_remainder(Term call, Term a, Term b);
    bool is_loop_of_remainder(NameId f);
    bool has_rest(const View& view, Term at_less, bool counts);
    bool has_bits(const View& view, const std::array<bool, 4>& bits);
    bool is_less_than_fuel(Term type);
    bool is_le_as_expected();
    bool is_acc_as_expected();
    Term local(Term type) { return checker_.local(next_local_++, type); }

    TypeChecker& checker_;
    TermStore& store_;
    const KernelNames& known_;
    NatTerms e_;
    std::uint32_t next_local_ = 2; ///< after x and y
    Term fuel_;
};

} // namespace leanhost::kernel
