#pragma once

#include "kernel/type_checker.hpp"

namespace leanhost::kernel {

/// Checks a block of mutual, possibly nested, inductive types: types, constructors, positivity,
/// universes; and generates the recursors, which must be those that the block states. Nothing that
/// the block says of itself is believed: each count and flag is computed and compared.
///
/// Nested occurrences such as `List (Tree α)` become auxiliary types of the block; recursors are
/// generated for the enlarged block and translated back. Lean: src/kernel/inductive.cpp.
class InductiveCheck {
public:
    InductiveCheck(TypeChecker& checker, const Declaration& block);

    /// Rejects, or returns.
    void run();

    /// What follows from the block's types and constructors, in the order of its types, auxiliary
    /// ones last. Terms are scratch of the checker.
    struct Generated {
        std::vector<ConstantInfo> recursors;
        std::vector<InductiveFacts> recursor_facts;
        std::uint32_t num_nested = 0;
        bool is_recursive = false;
        bool is_reflexive = false;
    };
    /// For who changes a block and needs what it states of its recursors to fit again. Rejects
    /// where types or constructors are wrong; the recursors' universe parameters are those stated.
    Generated generate();

private:
    struct Constructor {
        NameId name;
        Term type; ///< parameters first; nested occurrences replaced
        std::uint32_t num_fields = 0;
    };
    struct Type {
        NameId name;
        Term type; ///< parameters first
        std::uint32_t num_indices = 0;
        std::vector<Constructor> constructors;
        Term motive = no_term;
        std::vector<Term> minors; ///< free variables, one a constructor
    };
    /// What an auxiliary type stands for.
    struct Nested {
        NameId inductive; ///< such as List
        Levels levels;
        std::vector<Term> params; ///< over the block's parameters
        Term app;                 ///< inductive applied to params
    };
    /// An argument of a constructor that is recursive: ∀ xs, I params indices.
    struct RecursiveArg {
        std::vector<Term> xs;
        std::vector<Term> indices;
        std::size_t type_idx;
    };

    [[noreturn]] void refuse(RejectReason reason, NameId at, const std::string& why) const;
    [[noreturn]] void refuse_param(RejectReason reason, NameId at, Term type, Term param) const;

    // All but the comparison with what is stated.
    void derive_types();
    void derive_recursors();

    // what the block says of itself
    void read_block();
    void read_constructors(const ConstantInfo& info, Type& type);
    const ConstantInfo* given(NameId name, ConstantKind kind) const;
    const InductiveFacts& given_facts(const ConstantInfo& info) const {
        return block_.facts[info.facts];
    }

    // types
    void open_params();
    void check_type(Type& type, bool is_first);
    Term instantiate_params(Term type, NameId at);
    Term pi_or_none(Term type);

    // nested occurrences
    void replace_nested();
    Term replace_in(Term term);
    Term auxiliary_for(Term app);
    void
    add_auxiliaries(const ConstantInfo& inductive, Levels levels, const std::vector<Term>& params);
    Term restore(Term term);
    Term restore_app(Term term);
    bool mentions_block(Term term);
    bool is_block_type(NameId name) const { return type_idx_.find(name) != nullptr; }

    // constructors
    void declare_types();
    void check_constructor(const Type& type, std::size_t type_idx, Constructor& constructor);
    void check_positivity(Term type, NameId constructor);
    std::optional<std::size_t> valid_app(Term type);
    void declare_constructor(const Type& type, const Constructor& constructor, std::uint32_t index);
    void compare_type_facts();

    // recursors
    bool eliminates_only_to_prop();
    void make_motives();
    void make_minors();
    Term minor_type(const Type& type, const Constructor& constructor);
    std::vector<Term> open_fields(const Constructor& constructor, Term& result);
    std::vector<Term> open_telescope(Term type, std::uint32_t count, Term& result);
    std::optional<RecursiveArg> recursive_arg(Term type);
    Term recursor_type(const Type& type);
    Term rule_rhs(const Type& type, std::size_t constructor_idx);
    void compare_recursors();
    void compare_recursor(const ConstantInfo& info, std::size_t type_idx);
    NameId rule_constructor(std::size_t type_idx, std::size_t constructor_idx) const;
    void find_recursor_names();
    NameId recursor_name(std::size_t type_idx);
    NameId major_inductive(std::size_t type_idx) const;
    Term local(Term type);
    bool is_same(Term stated, Term is);
    bool have_same_parts(Term stated, Term is);
    Term annotated(Term term);
    Term map_parts(const TermNode& node, Term (InductiveCheck::*map)(Term));

    TypeChecker& checker_;
    TermStore& store_;
    const Declaration& block_;
    Overlay overlay_;
    std::vector<Type> types_; ///< the block's own, then auxiliary ones
    std::size_t num_own_ = 0;
    std::vector<NameId> recursor_names_; ///< of types_; `anonymous`: not stated
    std::vector<Nested> nested_;         ///< of types_[num_own_ + i]
    KeyMap<NameId, std::uint32_t> type_idx_;
    KeyMap<NameId, std::uint64_t> auxiliary_constructors_; ///< type index << 32 | index
    KeyMap<Term, Term> replaced_;
    KeyMap<Term, Term> restored_;
    KeyMap<std::uint64_t, bool> compared_; // a stated term and a generated one
    KeyMap<Term, std::uint8_t> mentions_;
    std::uint32_t num_params_ = 0;
    Levels params_levels_ = no_levels; ///< universe parameters, each standing for itself
    DefinitionSafety safety_ = DefinitionSafety::safe;
    std::vector<Term> params_; ///< free variables
    Level result_level_ = 0;
    bool is_recursive_ = false;
    bool is_reflexive_ = false;
    bool has_k_ = false;
    Level elim_level_ = 0;
    Levels recursor_levels_ = no_levels;
    std::uint32_t next_local_ = 0;
};

} // namespace leanhost::kernel
