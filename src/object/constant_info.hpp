#pragma once

#include "object/expr_ref.hpp"

namespace leanhost::object {

enum class ConstantKind : std::uint8_t {
    axiom,
    definition,
    theorem,
    opaque,
    quotient,
    inductive,
    constructor,
    recursor
};
inline constexpr unsigned num_constant_kinds = 8;

std::string_view constant_kind_name(ConstantKind kind) noexcept; ///< "axiom", "definition", …

enum class DefinitionSafety : std::uint8_t { unsafe, safe, partial };

/// How eagerly a definition is unfolded. `height` only for `regular`.
struct ReducibilityHints {
    enum class Kind : std::uint8_t { opaque, abbreviation, regular };
    Kind kind;
    std::uint32_t height;
};

class RecursorRuleRef {
public:
    explicit RecursorRuleRef(ObjectRef object) noexcept : object_(object) {}
    NameRef constructor() const { return NameRef(object_.field(0)); }
    NatRef num_fields() const { return NatRef(object_.field(1)); }
    ExprRef rhs() const { return ExprRef(object_.field(2)); }

private:
    ObjectRef object_;
};

/// A view of what an environment holds under a name, Lean's `ConstantInfo`. Borrows like ObjectRef.
///
/// Field positions are those of every real module since 2020; what changed is told from the object
/// itself (docs/olean-format.md). Accessors that a kind does not have throw MalformedObject.
class ConstantInfoRef {
public:
    explicit ConstantInfoRef(ObjectRef object) noexcept : object_(object) {}

    ObjectRef object() const noexcept { return object_; }
    ConstantKind kind() const;

    NameRef name() const { return NameRef(constant_val().field(0)); }
    ListRef<NameRef> universe_params() const { return ListRef<NameRef>(constant_val().field(1)); }
    ExprRef type() const { return ExprRef(constant_val().field(2)); }

    /// definition, theorem and opaque have a value.
    bool has_value() const;
    ExprRef value() const;

    ReducibilityHints hints() const;    ///< definition
    DefinitionSafety safety() const;    ///< definition
    bool is_unsafe() const;             ///< every kind; a theorem and the quotient never are
    std::uint8_t quotient_kind() const; ///< quotient

    // inductive
    NatRef num_params() const;    ///< also constructor and recursor
    NatRef num_indices() const;   ///< also recursor
    ListRef<NameRef> all() const; ///< also recursor; definition, theorem, opaque if has_all
    bool has_all() const;         ///< modules before 2023 have none for definitions
    ListRef<NameRef> constructors() const;
    bool is_recursive() const;
    bool is_reflexive() const;
    std::optional<NatRef> num_nested() const; ///< modules before 4.12 do not say

    // constructor
    NameRef inductive_name() const;
    NatRef constructor_index() const;
    NatRef num_constructor_fields() const;

    // recursor
    NatRef num_motives() const;
    NatRef num_minors() const;
    ListRef<RecursorRuleRef> rules() const;
    bool has_k() const;

private:
    ObjectRef val() const { return object_.field(0); }
    ObjectRef constant_val() const { return val().field(0); }
    ObjectRef val_of(ConstantKind wanted) const;
    std::uint8_t flag(unsigned i) const { return val().scalar_field<std::uint8_t>(i); }

    ObjectRef object_;
};

} // namespace leanhost::object
