#pragma once

#include "kernel/term_store.hpp"
#include "object/constant_info.hpp"

#include <deque>
#include <span>
#include <string>
#include <vector>

namespace leanhost::kernel {

using object::ConstantKind;
using object::DefinitionSafety;

/// Where a declaration stands: a constant may use those of smaller ordinals only.
using Ordinal = std::uint32_t;

struct RecursorRule {
    NameId constructor;
    std::uint32_t num_fields;
    Term rhs;
};

/// What only constants of inductive types have.
struct InductiveFacts {
    std::vector<NameId> all;          ///< inductive, recursor: the types of the block
    std::vector<NameId> constructors; ///< inductive
    std::vector<RecursorRule> rules;  ///< recursor
    NameId inductive = anonymous;     ///< constructor; recursor: the major premise's type
    std::uint32_t num_params = 0;
    std::uint32_t num_indices = 0;
    std::uint32_t num_nested = 0; ///< or `unstated`: modules before Lean 4.12 do not say
    std::uint32_t index = 0;      ///< constructor
    std::uint32_t num_fields = 0; ///< constructor
    std::uint32_t num_motives = 0;
    std::uint32_t num_minors = 0;
    bool is_recursive = false;
    bool is_reflexive = false;
    bool has_k = false;

    static constexpr std::uint32_t unstated = 0xFFFFFFFF;
};

/// What an environment holds under a name.
struct ConstantInfo {
    NameId name = anonymous;
    ConstantKind kind = ConstantKind::axiom;
    DefinitionSafety safety = DefinitionSafety::safe;
    std::uint8_t quotient_kind = 0;
    object::ReducibilityHints::Kind hints = object::ReducibilityHints::Kind::opaque;
    std::uint32_t height = 0;
    Levels params = no_levels; ///< as levels of kind `param`
    Term type = no_term;
    Term value = no_term; ///< definition, theorem, opaque
    Ordinal ordinal = 0;
    std::uint32_t facts = none; ///< inductive types, constructors, recursors
    std::uint32_t origin = 0;   ///< what the environment's source, if it has one, knows it by

    static constexpr std::uint32_t none = 0xFFFFFFFF;

    /// Whether delta unfolds it.
    bool has_value_to_unfold() const noexcept {
        return kind == ConstantKind::definition || kind == ConstantKind::theorem;
    }
};

/// What one line of an export submits.
struct Declaration {
    std::vector<ConstantInfo> constants;
    std::deque<InductiveFacts> facts; ///< of those constants whose `facts` counts into it
    bool is_inductive_block = false;
    /// Lean lets two modules state the same theorem: the name may be taken.
    bool is_restated = false;
    /// Of a block: it has no recursors here, they may be declared later. See InductiveLines.
    bool do_recursors_follow = false;
    /// So many constants, the first, were declared before: those of the block whose recursors these
    /// are.
    std::size_t num_known = 0;

    std::span<const ConstantInfo> known() const { return std::span(constants).first(num_known); }
    /// What it declares.
    std::span<const ConstantInfo> declared() const {
        return std::span(constants).subspan(num_known);
    }
};

/// The inductive type of a recursor's major premise, by the recursor's `type`, which stands behind
/// what its `facts` count; `anonymous` if there is none.
NameId major_inductive(const TermStore& store, const InductiveFacts& facts, Term type);

/// Where an environment finds constants that nobody has added to it. Serves one thread.
class ConstantSource {
public:
    ConstantSource() = default;
    ConstantSource(const ConstantSource&) = delete;
    ConstantSource& operator=(const ConstantSource&) = delete;
    virtual ~ConstantSource() = default;

    /// Adds the constant of that name to the environment and returns it; null: there is none.
    virtual const ConstantInfo* load(NameId name) = 0;
    /// The value of a constant that `load` has added without one.
    virtual Term load_value(const ConstantInfo& info) = 0;
};

/// All constants by name. One thread adds, others may look up what was there when they were told
/// so; with a source, one thread uses it.
class Environment {
public:
    Environment();

    /// Null: no such constant. Throws what the source throws.
    const ConstantInfo* find(NameId name) const {
        if (const std::uint32_t place = place_of(name))
            return &constants_[place - 1];
        return source_ == nullptr ? nullptr : source_->load(name);
    }
    /// Of a definition, theorem or opaque constant. Throws what the source throws.
    Term value_of(const ConstantInfo& info) const {
        return info.value == no_term && source_ != nullptr ? source_->load_value(info) : info.value;
    }
    /// Borrows the source.
    void set_source(ConstantSource* source) noexcept { source_ = source; }
    const InductiveFacts& facts(const ConstantInfo& info) const { return *facts_at_[info.facts]; }

    /// Adds `info`, whose facts (null: none) are copied. The name must be free.
    const ConstantInfo* add(ConstantInfo info, const InductiveFacts* facts);
    /// The value of a constant that was added without one.
    void set_value(NameId name, Term value);
    std::size_t size() const noexcept { return constants_.size(); }
    const ConstantInfo& operator[](std::uint32_t i) const { return constants_[i]; }
    std::size_t bytes() const noexcept;

private:
    /// In constants_, plus one; 0: none.
    std::uint32_t place_of(NameId name) const noexcept {
        return name < by_name_.capacity() ? __atomic_load_n(&by_name_[name], __ATOMIC_ACQUIRE) : 0;
    }

    // Others may look up what was added while one thread adds: nothing of these moves.
    ReservedArray<std::uint32_t> by_name_;
    ReservedArray<ConstantInfo> constants_;
    std::deque<InductiveFacts> facts_;
    ReservedArray<const InductiveFacts*> facts_at_;
    ConstantSource* source_ = nullptr;
};

/// Constants beside an environment: those of the block that is being checked.
class Overlay {
public:
    Overlay() : index_(64) {}
    const ConstantInfo* find(NameId name) const noexcept {
        const std::uint32_t* const at = index_.find(name);
        return at != nullptr ? &constants_[*at] : nullptr;
    }
    const InductiveFacts& facts(const ConstantInfo& info) const { return facts_[info.facts]; }
    /// Replaces what stands under the name.
    void add(ConstantInfo info, const InductiveFacts* facts);

private:
    KeyMap<NameId, std::uint32_t> index_;
    std::deque<ConstantInfo> constants_;
    std::deque<InductiveFacts> facts_;
};

/// Names that the kernel gives a meaning. Of those with a built-in rule, one whose rule is needed
/// to show another's stands before it.
struct KernelNames {
    explicit KernelNames(NameTable& names);

    NameId nat, nat_zero, nat_succ;
    NameId nat_add, nat_sub, nat_mul, nat_pow, nat_beq, nat_ble, nat_div, nat_mod, nat_gcd,
        nat_land, nat_lor, nat_xor, nat_shift_left, nat_shift_right, nat_log2, nat_pred;
    NameId bool_, bool_true, bool_false;
    NameId string, string_mk, string_of_list, list, list_nil, list_cons, char_, char_of_nat;
    NameId eq, eq_refl, quot, quot_mk, quot_lift, quot_ind;
    NameId nat_le, nat_le_refl, nat_le_step;
    NameId acc, acc_intro;
    NameId opt_param, auto_param, out_param, semi_out_param;
    NameId eager_reduce, reduce_bool, reduce_nat;
    NameId propext, quot_sound, choice, iff, iff_intro, nonempty, nonempty_intro;
};

} // namespace leanhost::kernel
