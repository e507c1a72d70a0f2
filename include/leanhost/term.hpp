#pragma once

#include <leanhost/expected.hpp>
#include <leanhost/name.hpp>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace leanhost {

/// Positions in the tables of a TermTable.
using TermIndex = std::uint32_t;
using LevelIndex = std::uint32_t;

enum class LevelKind : std::uint8_t {
    zero,
    succ,  ///< a: a level
    max,   ///< a, b: levels
    imax,  ///< a, b: levels
    param, ///< a: position of its name
    mvar,  ///< a: position of its name; no kernel accepts it
};
inline constexpr std::uint32_t num_level_kinds = 6;
/// "zero", "succ", … Valid for the process's life.
std::string_view level_kind_name(LevelKind kind) noexcept;
/// How many fields a level of that kind has.
unsigned num_fields(LevelKind kind) noexcept;

struct LevelNode {
    LevelKind kind = LevelKind::zero;
    std::array<std::uint32_t, 2> fields{}; ///< those that the kind does not have are 0
    bool operator==(const LevelNode&) const = default;
};

enum class TermKind : std::uint8_t {
    bvar,     ///< de Bruijn index
    fvar,     ///< position of its name; no kernel accepts it in a closed term
    mvar,     ///< position of its name; no kernel accepts it
    sort,     ///< level
    constant, ///< position of its name, first of its levels in `level_lists`, how many
    app,      ///< function, argument
    lam,      ///< domain, body
    pi,       ///< domain, body
    let,      ///< type, value, body
    proj,     ///< position of the structure's name, field, term
    nat,      ///< text: little-endian bytes, the last of them not 0
    string,   ///< text, UTF-8
};
inline constexpr std::uint32_t num_term_kinds = 12;
/// "bvar", "fvar", … Valid for the process's life.
std::string_view term_kind_name(TermKind kind) noexcept;
/// How many fields a term of that kind has.
unsigned num_fields(TermKind kind) noexcept;

struct TermNode {
    TermKind kind = TermKind::bvar;
    std::array<std::uint32_t, 3> fields{}; ///< those that the kind does not have are 0
    bool operator==(const TermNode&) const = default;
};

/// What a TermTable is made of.
struct TermParts {
    std::vector<Name> names;
    std::vector<std::string> texts; ///< of literals
    std::vector<LevelNode> levels;
    std::vector<LevelIndex> level_lists; ///< the levels of constants, one list after the other
    std::vector<TermNode> terms;
    bool operator==(const TermParts&) const = default;
};

/// Terms (Lean's `Expr`) as flat tables, whoever made them: a node refers to nodes before it only,
/// so that depth costs no stack anywhere and what is shared stays shared. Binder names, binder
/// annotations and metadata are no part of it: the kernel does not look at them. A value type;
/// immutable. Holding one says that it is well formed, not that it is well typed.
class TermTable {
public:
    static constexpr std::size_t max_terms = std::size_t{1} << 24;
    static constexpr std::size_t max_levels = std::size_t{1} << 20;
    static constexpr std::size_t max_level_lists = std::size_t{1} << 24;
    static constexpr std::size_t max_names = std::size_t{1} << 20;
    static constexpr std::size_t max_text_bytes = std::size_t{64} << 20; ///< all together

    TermTable() = default;

    /// Takes `parts` when every kind is known, every field refers to something that stands before
    /// it, fields that a kind does not have are 0, numbers are in their shortest form, texts are
    /// UTF-8, and no bound is passed. One pass.
    /// Errors: invalid_argument (which node, and what is wrong).
    static Expected<TermTable> make(TermParts parts);

    const std::vector<Name>& names() const noexcept { return parts_.names; }
    const std::vector<std::string>& texts() const noexcept { return parts_.texts; }
    const std::vector<LevelNode>& levels() const noexcept { return parts_.levels; }
    const std::vector<LevelIndex>& level_lists() const noexcept { return parts_.level_lists; }
    const std::vector<TermNode>& terms() const noexcept { return parts_.terms; }
    /// Of a constant.
    std::span<const LevelIndex> levels_of(const TermNode& constant) const noexcept {
        return std::span(parts_.level_lists).subspan(constant.fields[1], constant.fields[2]);
    }

    bool operator==(const TermTable&) const = default;

private:
    TermParts parts_;
};

/// One term of a table.
struct Term {
    TermTable table;
    TermIndex root = 0;
};

/// `term` as Lean would write it with everything explicit, bound variables named by depth, cut
/// behind about `max_bytes`.
std::string term_text(const Term& term, std::size_t max_bytes = std::size_t{64} * 1024);

/// Puts terms together from the leaves up. What it is given twice it keeps twice, but for names:
/// share by giving the same index. `take` reports a wrong index, a text that is no UTF-8, a table
/// beyond its bounds; until then every method may be called. Not thread-safe.
class TermTableBuilder {
public:
    LevelIndex level_zero() { return add(LevelKind::zero, {0, 0}); }
    LevelIndex level_succ(LevelIndex of) { return add(LevelKind::succ, {of, 0}); }
    LevelIndex level_max(LevelIndex lhs, LevelIndex rhs) { return add(LevelKind::max, {lhs, rhs}); }
    LevelIndex level_imax(LevelIndex lhs, LevelIndex rhs) {
        return add(LevelKind::imax, {lhs, rhs});
    }
    LevelIndex level_param(const Name& name) { return add(LevelKind::param, {add(name), 0}); }
    LevelIndex level_mvar(const Name& name) { return add(LevelKind::mvar, {add(name), 0}); }

    TermIndex bvar(std::uint32_t index) { return add(TermKind::bvar, {index, 0, 0}); }
    TermIndex fvar(const Name& name) { return add(TermKind::fvar, {add(name), 0, 0}); }
    TermIndex mvar(const Name& name) { return add(TermKind::mvar, {add(name), 0, 0}); }
    TermIndex sort(LevelIndex level) { return add(TermKind::sort, {level, 0, 0}); }
    TermIndex constant(const Name& name, std::span<const LevelIndex> levels = {});
    TermIndex app(TermIndex function, TermIndex argument) {
        return add(TermKind::app, {function, argument, 0});
    }
    TermIndex lam(TermIndex domain, TermIndex body) {
        return add(TermKind::lam, {domain, body, 0});
    }
    TermIndex pi(TermIndex domain, TermIndex body) { return add(TermKind::pi, {domain, body, 0}); }
    TermIndex let(TermIndex type, TermIndex value, TermIndex body) {
        return add(TermKind::let, {type, value, body});
    }
    TermIndex proj(const Name& structure, std::uint32_t field, TermIndex term) {
        return add(TermKind::proj, {add(structure), field, term});
    }
    TermIndex nat(std::uint64_t value);
    /// Little-endian; zeros at the end are dropped.
    TermIndex nat_bytes(std::string_view bytes);
    TermIndex string(std::string_view text);

    std::size_t num_terms() const noexcept { return parts_.terms.size(); }

    /// The table; the builder is empty afterwards. Errors: invalid_argument (the first mistake).
    Expected<TermTable> take();
    /// The table with one of its terms.
    Expected<Term> take(TermIndex root);

private:
    std::uint32_t add(const Name& name);
    LevelIndex add(LevelKind kind, std::array<std::uint32_t, 2> fields);
    TermIndex add(TermKind kind, std::array<std::uint32_t, 3> fields);
    std::uint32_t add_text(std::string_view text);

    TermParts parts_;
    std::unordered_map<Name, std::uint32_t> names_; // where each stands
};

} // namespace leanhost
