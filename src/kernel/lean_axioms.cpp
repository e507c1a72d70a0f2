#include "kernel/lean_axioms.hpp"

#include "kernel/quotient.hpp"

namespace leanhost::kernel {
namespace {

/// What the axioms, and the types that they speak of, say in Lean.
class Statements {
public:
    explicit Statements(TypeChecker& checker)
        : checker_(checker), store_(checker.store()), known_(checker.known()) {}

    bool has_lean_statement(const ConstantInfo& axiom) {
        next_ = 0;
        if (axiom.name == known_.propext)
            return num_params(axiom) == 0 && is_eq_as_expected(checker_) && is_iff_as_expected() &&
                   axiom.type == propext();
        if (num_params(axiom) != 1)
            return false;
        u_ = store_.levels(axiom.params)[0];
        if (axiom.name == known_.quot_sound)
            return is_quotient(known_.quot) && is_quotient(known_.quot_mk) &&
                   axiom.type == quot_sound();
        return axiom.type == choice() && is_nonempty_as_expected();
    }

private:
    // {a b : Prop} → (a ↔ b) → a = b
    Term propext() {
        const Term a = local(store_.prop());
        const Term b = local(store_.prop());
        const Term iff = apply(store_.constant(known_.iff, no_levels), {a, b});
        const Term equal = apply(constant(known_.eq, store_.one()), {store_.prop(), a, b});
        return checker_.mk_pi(std::vector{a, b}, store_.pi(iff, equal));
    }
    // {α : Sort u} → {r : α → α → Prop} → {a b : α} → r a b → Quot.mk r a = Quot.mk r b
    Term quot_sound() {
        const Term alpha = local(store_.sort(u_));
        const Term r = local(store_.pi(alpha, store_.pi(alpha, store_.prop())));
        const Term a = local(alpha);
        const Term b = local(alpha);
        const auto mk = [&](Term x) { return apply(constant(known_.quot_mk, u_), {alpha, r, x}); };
        const Term quot = apply(constant(known_.quot, u_), {alpha, r});
        const Term equal = apply(constant(known_.eq, u_), {quot, mk(a), mk(b)});
        return checker_.mk_pi(std::vector{alpha, r, a, b}, store_.pi(apply(r, {a, b}), equal));
    }
    // {α : Sort u} → Nonempty α → α
    Term choice() {
        const Term alpha = local(store_.sort(u_));
        const Term nonempty = apply(constant(known_.nonempty, u_), {alpha});
        return checker_.mk_pi(std::vector{alpha}, store_.pi(nonempty, alpha));
    }

    // structure Iff (a b : Prop) : Prop | intro : (a → b) → (b → a) → Iff a b
    bool is_iff_as_expected() {
        const Term a = local(store_.prop());
        const Term b = local(store_.prop());
        const Term iff = apply(store_.constant(known_.iff, no_levels), {a, b});
        const Term intro = store_.pi(store_.pi(a, b), store_.pi(store_.pi(b, a), iff));
        return is_inductive(known_.iff,
                            store_.pi(store_.prop(), store_.pi(store_.prop(), store_.prop())),
                            known_.iff_intro, checker_.mk_pi(std::vector{a, b}, intro));
    }
    // inductive Nonempty (α : Sort u) : Prop | intro : α → Nonempty α
    bool is_nonempty_as_expected() {
        const ConstantInfo* const info = checker_.find(known_.nonempty);
        if (info == nullptr || num_params(*info) != 1)
            return false;
        const Level u = store_.levels(info->params)[0];
        const Term alpha = local(store_.sort(u));
        const Term nonempty = apply(constant(known_.nonempty, u), {alpha});
        return is_inductive(known_.nonempty, store_.pi(store_.sort(u), store_.prop()),
                            known_.nonempty_intro,
                            checker_.mk_pi(std::vector{alpha}, store_.pi(alpha, nonempty)));
    }
    bool is_inductive(NameId name, Term type, NameId constructor, Term constructor_type) const {
        const ConstantInfo* const info = checker_.find(name);
        const ConstantInfo* const intro = checker_.find(constructor);
        return info != nullptr && info->kind == ConstantKind::inductive &&
               info->safety == DefinitionSafety::safe && info->type == type && intro != nullptr &&
               intro->kind == ConstantKind::constructor && intro->type == constructor_type &&
               checker_.facts(*info).constructors == std::vector{constructor};
    }
    bool is_quotient(NameId name) const {
        const ConstantInfo* const info = checker_.find(name);
        return info != nullptr && info->kind == ConstantKind::quotient;
    }

    std::size_t num_params(const ConstantInfo& info) const {
        return store_.levels(info.params).size();
    }
    Term constant(NameId name, Level level) {
        return store_.constant(name, store_.list(std::span(&level, 1)));
    }
    Term apply(Term function, std::initializer_list<Term> args) {
        return checker_.mk_app(function, std::span(args.begin(), args.size()));
    }
    Term local(Term type) { return checker_.local(next_++, type); }

    TypeChecker& checker_;
    TermStore& store_;
    const KernelNames& known_;
    Level u_ = 0;
    std::uint32_t next_ = 0;
};

bool is_misstated(TypeChecker& checker, NameId name) {
    try {
        const ConstantInfo* const info = checker.find(name);
        return info != nullptr && info->kind == ConstantKind::axiom &&
               !Statements(checker).has_lean_statement(*info);
    } catch (const Rejection&) {
        return true; // of something that cannot even be lifted
    }
}

} // namespace

std::vector<NameId> misstated_axioms(TypeChecker& checker) {
    const KernelNames& known = checker.known();
    std::vector<NameId> names{known.propext, known.quot_sound, known.choice};
    std::erase_if(names, [&](NameId name) { return !is_misstated(checker, name); });
    return names;
}

} // namespace leanhost::kernel
