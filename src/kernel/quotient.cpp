#include "kernel/quotient.hpp"

#include <fmt/format.h>

namespace leanhost::kernel {
namespace {

/// Builds the package's types with the universe parameters that are stated.
class QuotientTypes {
public:
    QuotientTypes(TypeChecker& checker, const ConstantInfo& info)
        : checker_(checker), store_(checker.store()), params_(store_.levels(info.params)) {}

    // {α : Sort u} → (α → α → Prop) → Sort u
    Term type() {
        open_relation();
        return checker_.mk_pi(std::vector{alpha_, r_}, sort(0));
    }
    // {α : Sort u} → (r : α → α → Prop) → (a : α) → Quot r
    Term constructor() {
        open_relation();
        const Term a = local(alpha_);
        return checker_.mk_pi(std::vector{alpha_, r_, a}, quot());
    }
    // {α : Sort u} → {r} → {β : Sort v} → (f : α → β) → (∀ a b, r a b → f a = f b) → Quot r → β
    Term lift() {
        open_relation();
        const Term beta = local(sort(1));
        const Term f = local(arrow(alpha_, beta));
        const Term a = local(alpha_);
        const Term b = local(alpha_);
        const Level eq_levels[] = {params_[1]};
        Term equation = store_.constant(checker_.known().eq, store_.list(eq_levels));
        equation = checker_.mk_app(equation, std::vector{beta, app(f, a), app(f, b)});
        const Term related = checker_.mk_app(r_, std::vector{a, b});
        const Term sound = checker_.mk_pi(std::vector{a, b}, arrow(related, equation));
        return checker_.mk_pi(std::vector{alpha_, r_, beta, f}, arrow(sound, arrow(quot(), beta)));
    }
    // {α : Sort u} → {r} → {β : Quot r → Prop} → (∀ a, β (Quot.mk r a)) → (q : Quot r) → β q
    Term ind() {
        open_relation();
        const Term beta = local(arrow(quot(), store_.prop()));
        const Term a = local(alpha_);
        const Level levels[] = {params_[0]};
        Term mk = store_.constant(checker_.known().quot_mk, store_.list(levels));
        mk = checker_.mk_app(mk, std::vector{alpha_, r_, a});
        const Term all = checker_.mk_pi(std::vector{a}, app(beta, mk));
        const Term q = local(quot());
        return checker_.mk_pi(std::vector{alpha_, r_, beta},
                              arrow(all, checker_.mk_pi(std::vector{q}, app(beta, q))));
    }

private:
    Term local(Term type) { return checker_.local(next_++, type); }
    Term sort(std::size_t i) { return store_.sort(params_[i]); }
    // Neither side has loose variables, so nothing has to be lifted.
    Term arrow(Term from, Term to) { return store_.pi(from, to); }
    Term app(Term f, Term x) { return store_.app(f, x); }
    void open_relation() {
        alpha_ = local(sort(0));
        r_ = local(arrow(alpha_, arrow(alpha_, store_.prop())));
    }
    Term quot() {
        const Level levels[] = {params_[0]};
        const Term type = store_.constant(checker_.known().quot, store_.list(levels));
        return checker_.mk_app(type, std::vector{alpha_, r_});
    }

    TypeChecker& checker_;
    TermStore& store_;
    std::span<const Level> params_;
    std::uint32_t next_ = 0;
    Term alpha_ = no_term;
    Term r_ = no_term;
};

[[noreturn]] void refuse(const TypeChecker& checker, const ConstantInfo& info, const char* why) {
    reject(RejectReason::bad_quotient, fmt::format("{}: {}", checker.names().text(info.name), why));
}

// The package is one thing: its types mean what they should only over its own Quot and Quot.mk.
void require_own(TypeChecker& checker,
                 const ConstantInfo& quotient,
                 NameId name,
                 std::uint8_t kind) {
    const ConstantInfo* const part = checker.find(name);
    if (part == nullptr || part->kind != ConstantKind::quotient || part->quotient_kind != kind)
        refuse(checker, quotient,
               "the quotient package needs its own Quot and Quot.mk before what is about them");
}

} // namespace

void check_quotient(TypeChecker& checker, const ConstantInfo& info) {
    const KernelNames& known = checker.known();
    const NameId names[] = {known.quot, known.quot_mk, known.quot_lift, known.quot_ind};
    if (info.quotient_kind > 3 || names[info.quotient_kind] != info.name)
        refuse(checker, info, "it is not the constant of the quotient package that it says it is");
    const std::size_t num_params = info.quotient_kind == 2 ? 2 : 1;
    if (checker.store().levels(info.params).size() != num_params)
        refuse(checker, info, "it has not the universe parameters of the quotient package");
    if (!is_eq_as_expected(checker))
        refuse(checker, info, "the quotient package needs Eq as Lean has it");
    if (info.quotient_kind >= 1)
        require_own(checker, info, known.quot, 0);
    // The type of `lift` does not speak of Quot.mk, and its rule applies to what is of that kind.
    // Exports before format 3.0 have it first.
    if (info.quotient_kind == 3 ||
        (info.quotient_kind == 2 && checker.find(known.quot_mk) != nullptr))
        require_own(checker, info, known.quot_mk, 1);
    QuotientTypes types(checker, info);
    const Term wanted = info.quotient_kind == 0   ? types.type()
                        : info.quotient_kind == 1 ? types.constructor()
                        : info.quotient_kind == 2 ? types.lift()
                                                  : types.ind();
    checker.check_type(info.type);
    if (info.type != wanted)
        reject(RejectReason::bad_quotient,
               fmt::format("{} is stated to have type\n  {}\nand has\n  {}",
                           checker.names().text(info.name), checker.print(info.type),
                           checker.print(wanted)));
}

bool is_eq_as_expected(TypeChecker& checker) {
    TermStore& store = checker.store();
    const KernelNames& known = checker.known();
    const ConstantInfo* const eq = checker.find(known.eq);
    const ConstantInfo* const refl = checker.find(known.eq_refl);
    if (eq == nullptr || eq->kind != ConstantKind::inductive ||
        eq->safety != DefinitionSafety::safe || refl == nullptr ||
        refl->kind != ConstantKind::constructor || store.levels(eq->params).size() != 1 ||
        checker.facts(*eq).constructors != std::vector{known.eq_refl})
        return false;
    const Level u = store.levels(eq->params)[0];
    const Term alpha = checker.local(0, store.sort(u));
    const Term type =
        checker.mk_pi(std::vector{alpha}, store.pi(alpha, store.pi(alpha, store.prop())));
    const Term a = checker.local(1, alpha);
    const Term equation =
        checker.mk_app(store.constant(known.eq, eq->params), std::vector{alpha, a, a});
    return eq->type == type && refl->type == checker.mk_pi(std::vector{alpha, a}, equation);
}

} // namespace leanhost::kernel
