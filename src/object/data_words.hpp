#pragma once

#include "object/expr_ref.hpp"
#include "object/module_data.hpp"

namespace leanhost::object {

/// Which functions the words cached in a module were computed with. Three are known from real
/// files; when between April 2022 and February 2023 the second gave way to the third is not.
enum class HashMode : std::uint8_t {
    lean_2020, ///< container v0
    lean_2022, ///< a root with three fields, in a later container
    lean_2023, ///< since February 2023, today's
};

/// Told from the module itself: whether its container states a base address (v0 does not) and how
/// many fields its root has.
HashMode hash_mode_of(const ModuleDataRef& data, bool has_base_address);

/// Computes the words that Lean caches in names, levels and terms: each from the words of what
/// stands directly below it, so that a whole graph is computed, or checked, in one pass over its
/// objects.
///
/// A name's word is its hash; a level's holds hash, flags and depth; a term's hash, depth, flags
/// and the range of its loose bound variables. A number too big for its bits is cut to them (Lean
/// panics there). Stateless and thread-safe. Formulas and bit positions: docs/olean-format.md.
class DataWords {
public:
    explicit constexpr DataWords(HashMode mode) noexcept : mode_(mode) {}

    // What the object should have cached, going by what its children have.
    std::uint64_t of_name(NameRef name) const;
    std::uint64_t of_level(LevelRef level) const;
    std::uint64_t of_term(ExprRef term) const;

    std::uint64_t str_name(std::uint64_t prefix, std::string_view component) const;
    /// A component of 2^64 and above counts as `big_name_component`.
    std::uint64_t num_name(std::uint64_t prefix, std::uint64_t component) const;
    static constexpr std::uint64_t big_name_component = 17;

    std::uint64_t succ(std::uint64_t level) const;
    std::uint64_t max(std::uint64_t lhs, std::uint64_t rhs) const;
    std::uint64_t imax(std::uint64_t lhs, std::uint64_t rhs) const;
    std::uint64_t level_param(std::uint64_t name) const;
    std::uint64_t level_mvar(std::uint64_t name) const;

    std::uint64_t bvar(std::uint64_t index) const;
    std::uint64_t fvar(std::uint64_t name) const;
    std::uint64_t mvar(std::uint64_t name) const;
    std::uint64_t sort(std::uint64_t level) const;
    std::uint64_t constant(std::uint64_t name, std::span<const std::uint64_t> levels) const;
    std::uint64_t app(std::uint64_t function, std::uint64_t argument) const;
    /// A binder's info is part of the word in the modes of 2020 and 2022 alone; so is `non_dep`
    /// below.
    std::uint64_t lam(std::uint64_t type, std::uint64_t body, BinderInfo info) const;
    std::uint64_t forall_e(std::uint64_t type, std::uint64_t body, BinderInfo info) const;
    std::uint64_t
    let_e(std::uint64_t type, std::uint64_t value, std::uint64_t body, bool non_dep) const;
    /// Of the number modulo 2^64.
    std::uint64_t nat_lit(std::uint64_t low_word) const;
    std::uint64_t str_lit(std::string_view text) const;
    std::uint64_t mdata(std::uint64_t term) const;
    std::uint64_t proj(std::uint64_t structure, std::uint64_t index, std::uint64_t term) const;

private:
    struct Term;
    std::uint64_t mix(std::uint64_t h, std::uint64_t k) const;
    std::uint64_t text_hash(std::string_view text) const;
    std::uint64_t id_hash(std::uint64_t name) const;
    std::uint64_t salt(ExprRef::Kind kind, const Term& term) const;
    std::uint64_t
    binder(ExprRef::Kind kind, std::uint64_t type, std::uint64_t body, BinderInfo info) const;
    Term above(std::uint64_t child) const;
    Term above(std::uint64_t a, std::uint64_t b) const;
    void add_bound_in(Term& term, std::uint64_t body) const;
    std::uint64_t pack(const Term& term, std::uint64_t hash, std::uint64_t old_bits = 0) const;

    HashMode mode_;
};

} // namespace leanhost::object
