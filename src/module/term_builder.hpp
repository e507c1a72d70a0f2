#pragma once

#include "module/object_builder.hpp"
#include "object/data_words.hpp"

#include <leanhost/name.hpp>

#include <optional>

namespace leanhost::module {

/// A binder of a lambda or a function type: its name and type are refs of the builder.
struct BuiltBinder {
    BuiltRef name;
    BuiltRef type;
    object::BinderInfo info = object::BinderInfo::explicit_;
};

/// Builds names, universe levels and terms in an ObjectBuilder, each with the hash or word that
/// Lean caches in it. What is given must be of the kind that the parameter's name says; this is not
/// checked. Throws Failure as the ObjectBuilder does. Borrows the ObjectBuilder.
class TermBuilder {
public:
    explicit TermBuilder(ObjectBuilder& objects) : objects_(objects) {}

    ObjectBuilder& objects() const noexcept { return objects_; }

    static constexpr BuiltRef anonymous_name() { return BuiltRef(1); }
    BuiltRef mk_name(const Name& name);
    BuiltRef mk_name_str(BuiltRef prefix, std::string_view component);
    BuiltRef mk_name_num(BuiltRef prefix, std::uint64_t component);
    std::uint64_t name_hash(BuiltRef name) const;

    static constexpr BuiltRef level_zero() { return BuiltRef(1); }
    BuiltRef mk_level_succ(BuiltRef level);
    BuiltRef mk_level_max(BuiltRef lhs, BuiltRef rhs);
    BuiltRef mk_level_imax(BuiltRef lhs, BuiltRef rhs);
    BuiltRef mk_level_param(BuiltRef name);
    BuiltRef mk_level_mvar(BuiltRef name);
    std::uint64_t level_word(BuiltRef level) const;

    BuiltRef mk_bvar(std::uint64_t index);
    BuiltRef mk_fvar(BuiltRef name);
    BuiltRef mk_mvar(BuiltRef name);
    BuiltRef mk_sort(BuiltRef level);
    BuiltRef mk_const(BuiltRef name, std::span<const BuiltRef> levels);
    BuiltRef mk_app(BuiltRef f, BuiltRef a);
    BuiltRef mk_app(BuiltRef f, std::span<const BuiltRef> args);
    BuiltRef mk_lam(const BuiltBinder& binder, BuiltRef body);
    BuiltRef mk_forall(const BuiltBinder& binder, BuiltRef body);
    BuiltRef
    mk_let(BuiltRef name, BuiltRef type, BuiltRef value, BuiltRef body, bool non_dep = false);
    BuiltRef mk_nat_lit(std::uint64_t value);
    /// The least significant limb comes first; zeros on top are dropped.
    BuiltRef mk_nat_lit(std::span<const std::uint64_t> limbs);
    BuiltRef mk_string_lit(std::string_view value);
    /// `entries` is a List (Name × DataValue).
    BuiltRef mk_mdata(BuiltRef entries, BuiltRef e);
    BuiltRef mk_proj(BuiltRef structure, std::uint64_t index, BuiltRef e);
    std::uint64_t expr_word(BuiltRef e) const;

    BuiltRef mk_list(std::span<const BuiltRef> elements);
    BuiltRef mk_option(std::optional<BuiltRef> value);
    /// Of Prod, and of any structure with two object fields.
    BuiltRef mk_pair(BuiltRef first, BuiltRef second);

private:
    BuiltRef
    mk_level(object::LevelRef::Kind kind, std::span<const BuiltRef> fields, std::uint64_t word);
    BuiltRef
    mk_expr(object::ExprRef::Kind kind, std::span<const BuiltRef> fields, std::uint64_t word);
    std::uint64_t cached_word(BuiltRef object) const;
    void require_level_depth(BuiltRef below) const;
    BuiltRef mk_flagged_expr(object::ExprRef::Kind kind,
                             std::span<const BuiltRef> fields,
                             std::uint64_t word,
                             std::uint8_t flag);

    ObjectBuilder& objects_;
    object::DataWords words_{object::HashMode::lean_2023};
};

} // namespace leanhost::module
