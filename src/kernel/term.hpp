#pragma once

#include "kernel/name_table.hpp"

#include <array>
#include <bit>
#include <cstdint>

namespace leanhost::kernel {

/// A term, a universe level, a list of levels: 32-bit handles of a TermStore. What the input says
/// is persistent; what a checker makes has the top bit set and goes with its scratch. Hash-consed:
/// within one checker two equal terms have one handle. Binder names and annotations are no part of
/// a term, so alpha-equivalent terms are equal.
using Term = std::uint32_t;
using Level = std::uint32_t;
using Levels = std::uint32_t;

inline constexpr Term no_term = 0;
inline constexpr std::uint32_t scratch_bit = 0x80000000U;
inline constexpr Levels no_levels = 0;

enum class TermKind : std::uint8_t {
    bvar,     ///< a: de Bruijn index
    fvar,     ///< a: its type, b: its de Bruijn level; a free variable is known by both
    sort,     ///< a: level
    constant, ///< a: name, b: levels
    app,      ///< a: function, b: argument
    lam,      ///< a: domain, b: body
    pi,       ///< a: domain, b: body
    let,      ///< a: value, b: let_rest
    let_rest, ///< a: type, b: body; no term of its own, stands below `let` only
    proj,     ///< a: structure, b: name of its type, extra: index
    nat,      ///< a: low, b: high half of a literal below 2^64
    big_nat,  ///< a: first limb, b: number of limbs
    string,   ///< a: first byte, b: number of bytes
};

/// Whether it is made of other terms.
inline bool has_parts(TermKind kind) {
    switch (kind) {
    case TermKind::app:
    case TermKind::lam:
    case TermKind::pi:
    case TermKind::let:
    case TermKind::proj:
    case TermKind::fvar:
        return true;
    default:
        return false;
    }
}

/// One term in 16 bytes.
struct TermNode {
    TermKind kind;
    std::uint8_t flags;
    std::uint16_t loose; ///< greatest loose de Bruijn index + 1
    std::uint16_t free;  ///< greatest de Bruijn level of a free variable + 1
    std::uint16_t extra;
    std::uint32_t a;
    std::uint32_t b;

    /// From its halves: put together field by field in memory and then copied, a node would have to
    /// wait for each field to be written.
    static TermNode of(std::uint64_t head, std::uint32_t a, std::uint32_t b) noexcept {
        const std::array<std::uint64_t, 2> halves{head, (std::uint64_t{b} << 32) | a};
        return std::bit_cast<TermNode>(halves);
    }
    static constexpr std::uint64_t head_of(TermKind kind,
                                           std::uint64_t flags = 0,
                                           std::uint64_t loose = 0,
                                           std::uint64_t free = 0,
                                           std::uint64_t extra = 0) noexcept {
        return static_cast<std::uint64_t>(kind) | (flags << 8) | (loose << 16) | (free << 32) |
               (extra << 48);
    }

    static constexpr std::uint8_t has_params_flag = 1; ///< universe parameters
    static constexpr std::uint8_t is_child_flag = 2;   ///< stands in another term
    static constexpr std::uint8_t is_shared_flag = 4;  ///< stands in several places

    /// Of a persistent term the reader of an export may set flags while others look at it.
    std::uint8_t seen_flags() const noexcept { return __atomic_load_n(&flags, __ATOMIC_RELAXED); }
    bool has_params() const noexcept { return (seen_flags() & has_params_flag) != 0; }
    bool is_shared() const noexcept { return (seen_flags() & is_shared_flag) != 0; }
};
static_assert(sizeof(TermNode) == 16 && std::endian::native == std::endian::little);

enum class LevelKind : std::uint8_t { zero, succ, max, imax, param };

struct LevelNode {
    LevelKind kind;
    bool has_params;
    std::uint16_t depth;
    std::uint32_t a; ///< succ, max, imax: a level; param: a name
    std::uint32_t b; ///< max, imax
};
static_assert(sizeof(LevelNode) == 12);

} // namespace leanhost::kernel
