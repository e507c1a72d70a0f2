#pragma once

#include "base/lean_hash.hpp"

#include <algorithm>
#include <cstdint>
#include <span>

/// The word that Lean keeps in every universe level and every term: hash, depth, flags, range of loose bound
/// variables. Today's formulas; modules before February 2023 used others (docs/olean-format.md).
/// Lean: src/Lean/Level.lean `Level.mkData`, src/Lean/Expr.lean `Expr.mkData` and `Expr.mkAppData`.
namespace leanhost::module {

struct LevelFlags {
    static constexpr std::uint64_t has_mvar = std::uint64_t{1} << 32U;
    static constexpr std::uint64_t has_param = std::uint64_t{1} << 33U;
    static constexpr std::uint64_t all = has_mvar | has_param;
};

/// What a level's word is made of: hash (32 bits), flags (2), depth (24 bits from bit 40).
class LevelWord {
public:
    static constexpr std::uint64_t max_depth = (std::uint64_t{1} << 24U) - 1;

    constexpr explicit LevelWord(std::uint64_t bits) noexcept : bits_(bits) {}
    constexpr std::uint64_t bits() const noexcept { return bits_; }
    constexpr std::uint64_t hash() const noexcept { return bits_ & 0xffffffffU; }
    constexpr std::uint64_t flags() const noexcept { return bits_ & LevelFlags::all; }
    constexpr std::uint64_t depth() const noexcept { return bits_ >> 40U; }

    static constexpr LevelWord zero() { return LevelWord(2221); }
    static constexpr LevelWord succ(LevelWord u) {
        return mk(mix_hash(2243, u.hash()), u.flags(), u.depth() + 1);
    }
    static constexpr LevelWord max(LevelWord u, LevelWord v) { return mk_binary(2251, u, v); }
    static constexpr LevelWord imax(LevelWord u, LevelWord v) { return mk_binary(2267, u, v); }
    static constexpr LevelWord param(std::uint64_t name_hash) {
        return mk(mix_hash(2239, name_hash), LevelFlags::has_param, 0);
    }
    static constexpr LevelWord mvar(std::uint64_t name_hash) {
        return mk(mix_hash(2237, mix_hash(0, name_hash)), LevelFlags::has_mvar, 0);
    }

private:
    static constexpr LevelWord mk(std::uint64_t hash, std::uint64_t flags, std::uint64_t depth) {
        return LevelWord((hash & 0xffffffffU) | flags | depth << 40U);
    }
    static constexpr LevelWord mk_binary(std::uint64_t salt, LevelWord u, LevelWord v) {
        return mk(mix_hash(salt, mix_hash(u.hash(), v.hash())), u.flags() | v.flags(),
                  std::max(u.depth(), v.depth()) + 1);
    }
    std::uint64_t bits_;
};

struct ExprFlags {
    static constexpr std::uint64_t has_fvar = std::uint64_t{1} << 40U;
    static constexpr std::uint64_t has_expr_mvar = std::uint64_t{1} << 41U;
    static constexpr std::uint64_t has_level_mvar = std::uint64_t{1} << 42U;
    static constexpr std::uint64_t has_level_param = std::uint64_t{1} << 43U;
    static constexpr std::uint64_t all = has_fvar | has_expr_mvar | has_level_mvar | has_level_param;
};

/// What a term's word is made of: hash (32 bits), depth (8, capped), flags (4), range of loose bound
/// variables (20 bits).
class ExprWord {
public:
    static constexpr std::uint64_t max_depth = 255;
    static constexpr std::uint64_t max_loose_range = (std::uint64_t{1} << 20U) - 1;

    constexpr explicit ExprWord(std::uint64_t bits) noexcept : bits_(bits) {}
    constexpr std::uint64_t bits() const noexcept { return bits_; }
    constexpr std::uint64_t hash() const noexcept { return bits_ & 0xffffffffU; }
    constexpr std::uint64_t depth() const noexcept { return bits_ >> 32U & max_depth; }
    constexpr std::uint64_t flags() const noexcept { return bits_ & ExprFlags::all; }
    constexpr std::uint64_t loose_range() const noexcept { return bits_ >> 44U; }

    /// `index` is below `max_loose_range`.
    static constexpr ExprWord bvar(std::uint64_t index) {
        return mk(mix_hash(7, index), 0, 0, index + 1);
    }
    static constexpr ExprWord fvar(std::uint64_t name_hash) {
        return mk(mix_hash(13, mix_hash(0, name_hash)), 0, ExprFlags::has_fvar, 0);
    }
    static constexpr ExprWord mvar(std::uint64_t name_hash) {
        return mk(mix_hash(17, mix_hash(0, name_hash)), 0, ExprFlags::has_expr_mvar, 0);
    }
    static constexpr ExprWord sort(LevelWord level) {
        return mk(mix_hash(11, level.hash()), 0, flags_of(level), 0);
    }
    static constexpr ExprWord constant(std::uint64_t name_hash, std::span<const LevelWord> levels) {
        std::uint64_t hash = 7;
        std::uint64_t flags = 0;
        for (const LevelWord level : levels) {
            hash = mix_hash(hash, level.hash());
            flags |= flags_of(level);
        }
        return mk(mix_hash(5, mix_hash(name_hash, hash)), 0, flags, 0);
    }
    /// `literal_hash`: the number modulo 2^64, or the string's hash.
    static constexpr ExprWord lit(std::uint64_t literal_hash) {
        return mk(mix_hash(3, literal_hash), 0, 0, 0);
    }
    static constexpr ExprWord app(ExprWord f, ExprWord a) {
        // The whole words, not only their hashes, are mixed here.
        return mk(mix_hash(f.bits(), a.bits()), std::max(f.depth(), a.depth()) + 1,
                  f.flags() | a.flags(), std::max(f.loose_range(), a.loose_range()));
    }
    /// lam and forall_e.
    static constexpr ExprWord binder(ExprWord type, ExprWord body) {
        const std::uint64_t depth = std::max(type.depth(), body.depth()) + 1;
        return mk(mix_hash(depth, mix_hash(type.hash(), body.hash())), depth,
                  type.flags() | body.flags(), std::max(type.loose_range(), below_binder(body)));
    }
    static constexpr ExprWord let_e(ExprWord type, ExprWord value, ExprWord body) {
        const std::uint64_t depth = std::max({type.depth(), value.depth(), body.depth()}) + 1;
        return mk(mix_hash(depth, mix_hash(type.hash(), mix_hash(value.hash(), body.hash()))), depth,
                  type.flags() | value.flags() | body.flags(),
                  std::max({type.loose_range(), value.loose_range(), below_binder(body)}));
    }
    static constexpr ExprWord mdata(ExprWord e) {
        const std::uint64_t depth = e.depth() + 1;
        return mk(mix_hash(depth, e.hash()), depth, e.flags(), e.loose_range());
    }
    static constexpr ExprWord proj(std::uint64_t structure_hash, std::uint64_t index, ExprWord e) {
        const std::uint64_t depth = e.depth() + 1;
        return mk(mix_hash(depth, mix_hash(structure_hash, mix_hash(index, e.hash()))), depth,
                  e.flags(), e.loose_range());
    }

private:
    static constexpr ExprWord mk(std::uint64_t hash,
                                 std::uint64_t depth,
                                 std::uint64_t flags,
                                 std::uint64_t loose_range) {
        return ExprWord((hash & 0xffffffffU) | std::min(depth, max_depth) << 32U | flags |
                        loose_range << 44U);
    }
    static constexpr std::uint64_t below_binder(ExprWord body) {
        return body.loose_range() == 0 ? 0 : body.loose_range() - 1;
    }
    static constexpr std::uint64_t flags_of(LevelWord level) {
        std::uint64_t flags = 0;
        if ((level.flags() & LevelFlags::has_param) != 0) flags |= ExprFlags::has_level_param;
        if ((level.flags() & LevelFlags::has_mvar) != 0) flags |= ExprFlags::has_level_mvar;
        return flags;
    }
    std::uint64_t bits_;
};

} // namespace leanhost::module
