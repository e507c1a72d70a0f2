#pragma once

#include "base/monitor.hpp"
#include "kernel/builtin.hpp"
#include "kernel/environment.hpp"
#include "kernel/level.hpp"
#include "kernel/verdict.hpp"

#include <leanhost/cancellation.hpp>

#include <gmp.h>

#include <optional>

namespace leanhost::kernel {

/// A substitution for the loose bound variables and universe parameters of a term: a linked list of
/// closures. 0 is the empty one.
using Env = std::uint32_t;
inline constexpr Env no_env = 0;

/// A term under a substitution, not carried out. With `no_env` the term itself.
struct Closure {
    Term term = no_term;
    Env env = no_env;
};

/// What a check may cost.
struct Limits {
    std::uint64_t max_heartbeats = 0;  ///< for one declaration; 0: without limit
    std::size_t max_scratch_bytes = 0; ///< for one declaration; 0: without limit
    std::size_t keep_scratch_bytes = std::size_t{384}
                                     << 10; ///< kept from one declaration to the next

    /// Scratch is never dropped: what is lifted stands in it. For safe declarations only.
    static constexpr std::size_t keep_all = ~std::size_t{0};
};

/// A call with variables, which is to be of that value: see NatRecursion.
struct NatAssumption {
    NameId function;
    Term lhs;
    Term rhs;
    Term result;
};

/// Types, weak head normal forms and definitional equality of terms, for one thread.
///
/// Terms given are closed (no loose bound variables) unless they come with an Env. Free variables
/// carry their type and de Bruijn level, so every fact about a term holds in whatever context it
/// stands, and facts are kept until the scratch is reset. A new free variable gets a level that no
/// free variable of the terms at hand has (`TermNode::free`).
///
/// Throws Rejection for ill-typed terms; Failure resource_exhausted, deep_recursion, cancelled
/// where a limit is reached.
class TypeChecker {
public:
    TypeChecker(const Environment& environment,
                const NameTable& names,
                const KernelNames& known,
                TermArena& persistent,
                const Limits& limits);

    TermStore& store() noexcept { return store_; }
    LevelOrder& order() noexcept { return order_; }
    const Environment& environment() const noexcept { return environment_; }
    const KernelNames& known() const noexcept { return known_; }
    const NameTable& names() const noexcept { return names_; }

    /// Everything until the next call belongs to a declaration with these properties. Also drops
    /// scratch when there is more than what is to be kept: handles from before are then invalid.
    void begin_declaration(Ordinal ordinal, Levels params, DefinitionSafety safety);
    /// What is persistent is only what `view` has, from now on: another thread adds to it. Drops
    /// the scratch, in which terms may stand that are persistent now.
    void see(const TermArena::View& view);
    /// Drops the scratch if terms may stand in it that were added to what is persistent later: such
    /// a term is there twice, and where handles are compared it is not the same as itself. False:
    /// there are none, nothing was dropped.
    bool start_afresh();
    /// How deep the stack may reach: an address, below which recursion is declined.
    void set_stack_limit(std::uintptr_t limit) noexcept { stack_limit_ = limit; }
    void set_token(CancellationToken token) { token_ = std::move(token); }
    /// A second reason to be cancelled, or none.
    void set_stop_token(CancellationToken token) { stop_token_ = std::move(token); }

    /// Is told of heartbeats now and then, and may end the check by what it throws; null: nobody.
    void set_monitor(Monitor* monitor) noexcept { monitor_ = monitor; }
    void set_limits(const Limits& limits) noexcept { limits_ = limits; }

    /// The type of `term`, which is checked throughout.
    Closure check(Term term);
    /// The level of the sort that the type `term` lives in; rejects what is no type.
    Level check_type(Term term);
    /// Checks that `value` has type `type`, which was checked before.
    void check_has_type(Term value, Term type);

    /// The type of a well-typed term; does not check it again.
    Term infer_type(Term term) { return force(infer(term)); }
    Term infer_type_checked(Term term) { return force(check(term)); }
    Closure infer(Term term);
    Term whnf(Term term);
    /// Without delta.
    Term whnf_core(Term term, bool cheap_proj = false);
    bool is_def_eq(Term t, Term s);
    bool is_def_eq(Closure t, Closure s);
    bool is_prop(Term type);
    std::optional<Term> unfold_definition(Term term);
    Level ensure_sort(Closure type);

    /// Carries the substitution out.
    Term force(Closure closure);
    /// `names[i]` replaced by `values[i]` in the universe levels of a closed term.
    Term instantiate_params(Term term, Levels names, Levels values);
    /// `term`, whose loose variable 0 is replaced by `value`, a closed term.
    Term instantiate(Term body, Term value);
    /// Free variables replaced by loose bound ones: fvars[n - 1 - i] by variable i.
    Term abstract(Term term, std::span<const Term> fvars);
    Term mk_pi(std::span<const Term> fvars, Term body) { return bind(TermKind::pi, fvars, body); }
    Term mk_lam(std::span<const Term> fvars, Term body) { return bind(TermKind::lam, fvars, body); }
    /// A free variable of de Bruijn level `level`.
    Term local(std::uint32_t level, Term type) { return store_.fvar(level, type); }

    Term app_fn(Term term) const noexcept;
    /// The arguments of an application, first to last, appended to `out`.
    void app_args(Term term, std::vector<Term>& out) const;
    unsigned num_args(Term term) const noexcept;
    Term mk_app(Term function, std::span<const Term> args);

    const ConstantInfo* find(NameId name) const;
    /// Of a constant that was found.
    Term value_of(const ConstantInfo& info) const { return environment_.value_of(info); }
    const InductiveFacts& facts(const ConstantInfo& info) const;
    /// Constants of the declaration that is being checked, found before those of the environment.
    void set_overlay(const Overlay* overlay) noexcept { overlay_ = overlay; }
    /// A name that no input has and that was never given out before.
    NameId fresh_name() noexcept { return scratch_bit | next_fresh_name_++; }
    /// Declines when the stack is nearly used up. For whatever recurses over terms.
    void check_stack() const {
        if (reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) < stack_limit_)
            fail_deep();
    }
    /// What was found unequal may be equal with what the block that ends here declares.
    void forget_inequalities();

    /// Whether values of the inductive type eta-expand: one constructor, no indices, no recursion.
    bool is_structure_like(const ConstantInfo* info) const;

    /// Whether `info` makes a built-in rule hold, with what stands before `ordinal`; it does
    /// itself. See builtin.cpp.
    void learn_builtin(const ConstantInfo& info, Ordinal ordinal);

    std::string print(Term term, std::size_t limit_bytes = 600);
    std::string print(Closure closure) { return print(force(closure)); }

    /// Whether something was not equal to a call that Lean answers by running compiled code: then a
    /// rejection of this declaration says nothing.
    bool has_met_compiled_call() const noexcept { return has_met_compiled_call_; }

    std::uint64_t heartbeats() const noexcept { return heartbeats_; }
    std::uint64_t total_heartbeats() const noexcept { return total_heartbeats_ + heartbeats_; }
    /// Steps of beta, zeta, delta, iota and projections that were carried out, in all.
    std::uint64_t total_reductions() const noexcept { return reductions_; }
    /// A step of work. Now and then throws when cancelled or over a limit.
    void heartbeat() {
        if ((++heartbeats_ & 1023) == 0)
            check_limits();
    }
    /// Throws when cancelled or over a limit: for work that takes no heartbeats.
    void check_limits();
    std::size_t scratch_bytes() const noexcept; ///< with the room of tables
    std::size_t load_bytes() const noexcept;    ///< in use
    /// The most that was seen: when declarations begin, and now and then within them.
    std::size_t peak_scratch_bytes() const noexcept {
        return std::max(peak_scratch_bytes_, scratch_bytes());
    }
    /// Of the limits; 0: without limit.
    void set_max_scratch_bytes(std::size_t max_bytes) noexcept;
    const std::vector<const char*>& path() const noexcept { return path_; }

private:
    struct EnvNode {
        Env parent;
        Term term;           ///< of a root: names of universe parameters
        Env env;             ///< of `term`; of a root: values of universe parameters
        Term type;           ///< of a let-bound term, under the same env; or none
        Env root;            ///< where the universe parameters stand; itself for a root
        std::uint32_t depth; ///< entries up to the root
    };
    static constexpr std::uint32_t env_stride = 64;
    struct InstKey {
        Term term = 0;
        Env env = 0;
        std::uint32_t offset = 0;
        bool operator==(const InstKey&) const = default;
        std::uint64_t hash() const noexcept {
            return mix((std::uint64_t{term} << 32) | env, offset);
        }
    };
    struct CheckedType {
        Closure type;
        std::uint32_t serial = 0; ///< of the declaration whose universe parameters were checked
    };
    struct TermPair {
        Term t;
        Term s;
        std::uint64_t key() const noexcept {
            return (std::uint64_t{std::min(t, s)} << 32) | std::max(t, s);
        }
    };
    /// What is pushed onto `stack` while this lives goes with it.
    template <class T>
    class StackMark {
    public:
        explicit StackMark(std::vector<T>& stack) noexcept : stack_(stack), base_(stack.size()) {}
        StackMark(const StackMark&) = delete;
        StackMark& operator=(const StackMark&) = delete;
        ~StackMark() {
            stack_.erase(stack_.begin() + static_cast<std::ptrdiff_t>(base_), stack_.end());
        }
        std::size_t base() const noexcept { return base_; }

    private:
        std::vector<T>& stack_;
        const std::size_t base_;
    };
    struct BindingSide {
        Term term;
        Env env;
        std::uint32_t base; ///< binders crossed before `env` was entered
    };
    enum class Delta : bool { no, yes };
    enum class Answer : std::uint8_t { no, yes, unknown };
    enum class Step : std::uint8_t { equal, different, unknown, progress };
    /// Where evaluation stands: a term under an Env, applied to the closures above `base`.
    struct Machine {
        Term term;
        Env env;
        std::size_t base;
        Delta delta;
        bool cheap_proj;
    };

    // instantiate.cpp
    Env push(Env parent, Closure entry, Term type = no_term);
    Env root_for(Levels names, Levels values);
    Env root_of(Env env) const noexcept { return envs_[env].root; }
    Env entry_of(Env env, std::uint32_t index) const;
    Env ancestor(Env env, std::uint32_t distance) const;
    Term force_entry(Env entry);
    Closure head_beta(Closure closure);
    Term substitute(Term term, Env env, std::uint32_t offset);
    Term substitute_parts(const TermNode& node, Env env, std::uint32_t offset);
    Term substitute_spine(const TermNode& node, Env env, std::uint32_t offset);
    bool is_unaffected(const TermNode& node, Env env, std::uint32_t offset) const noexcept {
        return node.loose <= offset && (!node.has_params() || root_of(env) == no_env);
    }
    Level substitute_level(Level level, Env env);
    Levels substitute_levels(Levels levels, Env env);
    void begin_abstracting(std::span<const Term> fvars);
    Term abstract_core(Term term, std::uint32_t offset);
    Term abstract_parts(const TermNode& node, std::uint32_t offset);
    Term bind(TermKind kind, std::span<const Term> fvars, Term body);

    // infer.cpp
    Closure infer_core(Closure closure, std::uint32_t depth, bool is_checked);
    Closure infer_step(const TermNode& node, Closure closure, std::uint32_t depth, bool is_checked);
    Closure infer_bvar(Closure closure);
    Closure infer_constant(const TermNode& node, Env env, bool is_checked);
    static std::uint64_t checked_key(Closure closure) noexcept {
        return (std::uint64_t{closure.term} << 32) | closure.env;
    }
    const CheckedType* find_checked(const TermNode& node, std::uint64_t key, bool is_checked) const;
    Closure infer_app(Closure closure, std::uint32_t depth, bool is_checked);
    Closure
    infer_spine(Closure closure, std::uint32_t depth, bool is_checked, const Closure* type_of_last);
    Closure infer_lam(Closure closure, std::uint32_t depth, bool is_checked);
    Closure infer_pi(Closure closure, std::uint32_t depth, bool is_checked);
    Closure infer_let(Closure closure, std::uint32_t depth, bool is_checked);
    void check_let(const TermNode& let, const TermNode& rest, Env env, std::uint32_t depth);
    Closure infer_proj(const TermNode& node, Env env, std::uint32_t depth, bool is_checked);
    Closure infer_literal(const TermNode& node, bool is_checked);
    Closure ensure_pi(Closure type, Closure function);
    Closure to_pi(Closure type);
    /// In which shared terms a variable was looked for, with its index there, and whether it is.
    using VarSearch = KeyMap<std::uint64_t, bool>;
    bool is_var_used(Term term, std::uint32_t index, VarSearch& searched);
    bool is_var_used_below(const TermNode& node, std::uint32_t index, VarSearch& searched);
    bool check_function_argument(Closure arg, Closure domain, std::uint32_t depth);
    void check_argument(Closure arg, Closure domain, Closure application, std::uint32_t depth);
    void require_argument_type(Closure arg, Closure type, Closure domain, Closure application);
    bool is_eager_reduce(Term term) const;
    void check_against(Closure value, Closure type, std::uint32_t depth);
    void check_level_params(Level level);
    const ConstantInfo& usable_constant(NameId name) const;

    // whnf.cpp
    Term run(Machine machine);
    bool step_bvar(Machine& machine, const TermNode& node);
    bool step_constant(Machine& machine, const TermNode& node);
    bool step_nat_call(Machine& machine, NameId name);
    bool step_delta(Machine& machine, const ConstantInfo& info, Levels levels);
    bool step_proj(Machine& machine, const TermNode& node);
    Term rebuild(const Machine& machine);
    Term whnf_of(Term term, Delta delta, bool cheap_proj);
    bool reduce_recursor(Machine& machine, const ConstantInfo& info, Levels levels);
    bool reduce_quotient(Machine& machine, const ConstantInfo& info);
    Term major_to_constructor(const ConstantInfo& recursor, Term major);
    std::optional<Term> constructor_when_k(const ConstantInfo& recursor, Term major);
    std::optional<Term> eta_struct_major(const ConstantInfo& inductive, Term major);
    Term mk_nullary_constructor(Term type, const InductiveFacts& inductive);
    Term field_of_constructor(Term structure, const TermNode& proj);
    std::size_t num_stack_args(const Machine& machine) const {
        return stack_.size() - machine.base;
    }
    Term force_arg(std::size_t i);
    Closure argument(Term term, Env env) const;

    // def_eq.cpp
    Answer is_def_eq_step(TermPair& pair);
    bool is_compiled_call(Term term) const noexcept;
    Answer is_def_eq_core(TermPair& pair);
    Answer quick_is_def_eq(Term t, Term s);
    bool are_literals_same(Term t, Term s) const;
    bool is_def_eq_binding(Term t, Term s);
    bool is_def_eq_args(Term t, Term s);
    bool are_injective(Term t, Term s) const;
    Answer is_def_eq_injective(TermPair& pair);
    bool is_def_eq_app(Term t, Term s);
    Answer is_def_eq_proof_irrel(Term t, Term s);
    Step is_def_eq_offset_nat(Term& t, Term& s);
    Step lazy_delta(Term& t, Term& s);
    Step lazy_delta_step(Term& t, Term& s);
    Step unfold_both(Term& t, Term& s, const ConstantInfo& info_t, const ConstantInfo& info_s);
    bool lazy_delta_proj(Term t, Term s, const TermNode& proj);
    Term unfold_proj_app(Term term);
    const ConstantInfo* is_delta(Term term) const;
    Term unfold_and_reduce(Term term);
    bool try_eta(Term t, Term s);
    bool try_eta_struct(Term t, Term s);
    bool try_string_literal(Term t, Term s);
    bool is_def_eq_unit_like(Term t, Term s);
    bool is_same(BindingSide t, BindingSide s, std::uint32_t depth, unsigned& budget);
    bool are_levels_same(Levels t, Env env_t, Levels s, Env env_s);
    Term uf_find(Term term);
    void uf_union(Term t, Term s);
    bool may_be_proof(Term term);

    // literal.cpp
    std::optional<Term> reduce_nat(Term term);
    std::optional<Term> reduce_nat_call(NameId name, Term lhs, Term rhs);
    std::optional<Term> reduce_nat_unary(NameId name, Term argument);
    bool is_nat_literal(Term term) const noexcept;
    std::optional<Term> literal_value(Term term);
    std::optional<Term> nat_pred(Term term);
    bool is_nat_zero(Term term) const noexcept;
    Term nat_literal_to_constructor(Term literal);
    Term string_literal_to_constructor(Term literal);
    bool has_builtin_nat() const noexcept { return (builtins_ & nat_literals) != 0; }
    bool has_builtin_string();
    bool are_lists_as_expected();
    const ConstantInfo* find_safe(NameId name) const;
    bool is_builtin_nat_call(NameId name) const noexcept;
    bool is_nat_as_expected();
    bool is_bool_as_expected();
    bool is_type_as_expected(NatCall call, Term type);
    bool satisfies_equations(NatCall call, NameId f);
    std::optional<Term> assumed_nat_call(NameId name, Term lhs, Term rhs);
    void assume(std::vector<NatAssumption> assumptions);
    friend class NatRecursion;
    friend class Assuming;

    void require_not_cancelled() const;
    [[noreturn]] void fail_deep() const;
    void reset_scratch();
    void drop_facts(std::size_t keep_slots);
    std::size_t fact_bytes() const noexcept;
    void check_memory();

    const Environment& environment_;
    const NameTable& names_;
    const KernelNames& known_;
    TermArena scratch_;
    TermStore store_;
    LevelOrder order_;
    Limits limits_;
    CancellationToken token_;
    CancellationToken stop_token_;
    Monitor* monitor_ = nullptr;
    std::uintptr_t stack_limit_ = 0;

    ReservedArray<EnvNode> envs_;
    std::vector<Closure> stack_; ///< of the machines; grows and shrinks as a stack
    /// From entries whose depth is a multiple of env_stride to the one so many above: long chains
    /// are not walked entry by entry.
    KeyMap<Env, Env> far_parents_;
    KeyMap<std::uint64_t, Env> roots_;
    KeyMap<std::uint64_t, Levels> substituted_levels_;
    KeyMap<InstKey, Term> substituted_;
    KeyMap<InstKey, Term> abstracted_;
    KeyMap<Term, Closure> types_;
    KeyMap<std::uint64_t, CheckedType> checked_;
    KeyMap<Level, std::uint32_t> checked_levels_; ///< deep ones; the declaration's serial
    KeyMap<Term, Term> whnf_core_;
    KeyMap<Term, Term> whnf_core_cheap_;
    KeyMap<Term, Term> whnf_;
    KeyMap<Term, Term> equal_;
    KeyMap<std::uint64_t, std::uint8_t> unequal_;
    KeyMap<std::uint64_t, std::uint8_t> tried_args_;
    std::vector<Closure> kept_args_; ///< of reduce_recursor
    std::vector<Term> spine_;        ///< of substitute_spine and infer_app; a stack, too
    std::vector<Closure> nested_;    ///< of infer_app; a stack
    std::vector<TermPair> pairs_;    ///< of is_def_eq: whose answers are that of the next; a stack
    std::vector<std::uint32_t> fvar_positions_; ///< of `abstract`: by de Bruijn level
    std::span<const Term> abstracting_;
    std::uint32_t num_abstracting_ = 0;
    std::uint32_t least_abstracted_ = 0;

    // the declaration being checked
    Ordinal ordinal_ = 0;
    Levels params_ = no_levels;
    DefinitionSafety safety_ = DefinitionSafety::safe;
    std::uint32_t serial_ = 0;
    bool sees_view_ = false; ///< or else all that is persistent
    std::uint64_t num_persistent_at_reset_ = 0;
    bool has_met_compiled_call_ = false;
    bool is_eager_ = false; ///< calls with variables are reduced where terms are compared
    const Overlay* overlay_ = nullptr;
    std::uint64_t heartbeats_ = 0;
    std::uint64_t total_heartbeats_ = 0;
    std::size_t peak_scratch_bytes_ = 0;
    std::uint64_t reductions_ = 0;
    std::vector<const char*> path_;

    std::uint32_t builtins_ = 0;             ///< nat_literals and the bits of NatCall
    std::vector<NatAssumption> assumptions_; ///< none but while a rule is being shown
    NameId string_function_ = anonymous;     ///< what a string literal is an application of
    std::uint32_t next_fresh_name_ = 0;
};

} // namespace leanhost::kernel
