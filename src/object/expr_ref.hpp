#pragma once

#include "object/level_ref.hpp"
#include "object/list_ref.hpp"

namespace leanhost::object {

enum class BinderInfo : std::uint8_t { explicit_, implicit, strict_implicit, inst_implicit };

/// A view of a term, Lean's `Expr`. Borrows like ObjectRef.
class ExprRef {
public:
    enum class Kind : std::uint8_t {
        bvar,
        fvar,
        mvar,
        sort,
        constant,
        app,
        lam,
        forall_e,
        let_e,
        lit,
        mdata,
        proj
    };
    static constexpr unsigned num_kinds = 12;

    explicit ExprRef(ObjectRef object) noexcept : object_(object) {}

    ObjectRef object() const noexcept { return object_; }
    /// Throws MalformedObject unless the object has the fields of its kind.
    Kind kind() const;

    // Each accessor is for the kinds named; for others it throws or gives another field's value.
    NatRef bvar_index() const { return NatRef(object_.field(0)); }
    /// fvar, mvar, constant: its name; proj: the structure's.
    NameRef name() const { return NameRef(object_.field(0)); }
    LevelRef sort_level() const { return LevelRef(object_.field(0)); }
    ListRef<LevelRef> const_levels() const { return ListRef<LevelRef>(object_.field(1)); }
    ExprRef app_function() const { return ExprRef(object_.field(0)); }
    ExprRef app_argument() const { return ExprRef(object_.field(1)); }
    /// lam, forall_e, let_e.
    NameRef binder_name() const { return NameRef(object_.field(0)); }
    ExprRef binder_type() const { return ExprRef(object_.field(1)); }
    /// lam, forall_e.
    ExprRef binder_body() const { return ExprRef(object_.field(2)); }
    BinderInfo binder_info() const;
    ExprRef let_value() const { return ExprRef(object_.field(2)); }
    ExprRef let_body() const { return ExprRef(object_.field(3)); }
    bool let_non_dep() const;
    /// lit: a natural number, or else a string. Throws MalformedObject when it is neither.
    bool literal_is_nat() const;
    NatRef nat_literal() const { return NatRef(object_.field(0).field(0)); }
    std::string_view string_literal() const { return object_.field(0).field(0).string(); }
    ObjectRef mdata_entries() const { return object_.field(0); }
    ExprRef mdata_expr() const { return ExprRef(object_.field(1)); }
    NatRef proj_index() const { return NatRef(object_.field(1)); }
    ExprRef proj_struct() const { return ExprRef(object_.field(2)); }

    /// The cached word: 32 bits of hash, depth, flags, range of loose bound variables. Not to be
    /// trusted.
    std::uint64_t cached_data() const { return object_.scalar_field<std::uint64_t>(0); }

    /// The terms directly below are neighbouring fields: in every kind, type before value before
    /// body.
    struct ChildFields {
        unsigned first;
        unsigned count; ///< at most 3
    };
    ChildFields child_fields() const;
    ExprRef child(unsigned field) const { return ExprRef(object_.field(field)); }

private:
    ObjectRef object_;
};

} // namespace leanhost::object
