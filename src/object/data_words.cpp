#include "object/data_words.hpp"

#include "base/lean_hash.hpp"
#include "object/old_lean_hash.hpp"

#include <algorithm>

namespace leanhost::object {
namespace {

using Kind = ExprRef::Kind;

// Where the parts of a term's word lie.
struct TermLayout {
    unsigned flags_shift;
    unsigned range_shift; // up to bit 63
    unsigned depth_shift;
    bool has_depth;
};
// In the order of HashMode. Of the old ones, bits 36 to 39 are binder info and the non-dependent
// flag.
constexpr TermLayout term_layouts[] = {{32, 40, 0, false}, {32, 48, 40, true}, {40, 44, 32, true}};
constexpr unsigned old_non_dep_shift = 36;
constexpr unsigned old_binder_info_shift = 37;

// In the order of the bits.
constexpr unsigned has_fvar = 1;
constexpr unsigned has_expr_mvar = 2;
constexpr unsigned level_flags_place = 2; // a level's two flags become the term's third and fourth
constexpr unsigned num_flag_bits = 4;

constexpr unsigned level_flags_shift = 32;
constexpr unsigned level_depth_shift = 40;
constexpr std::uint64_t level_has_mvar = std::uint64_t{1} << level_flags_shift;
constexpr std::uint64_t level_has_param = std::uint64_t{2} << level_flags_shift;

// Kinds that enter a hash by a number of their own; the others by their depth (2020: see
// salt_of_2020).
constexpr std::uint64_t lit_salt = 3, const_salt = 5, bvar_salt = 7, sort_salt = 11, fvar_salt = 13,
                        mvar_salt = 17, const_levels_seed = 7;
constexpr std::uint64_t mvar_level_salt = 2237, param_salt = 2239, succ_salt = 2243,
                        max_salt = 2251, imax_salt = 2267;

std::uint64_t salt_of_2020(Kind kind) noexcept {
    switch (kind) {
    case Kind::mdata:
        return 19;
    case Kind::proj:
        return 23;
    case Kind::app:
        return 29;
    case Kind::lam:
        return 31;
    case Kind::forall_e:
        return 37;
    default:
        return 41; // let_e
    }
}

constexpr std::uint64_t hash32(std::uint64_t word) noexcept {
    return word & 0xffffffffU;
}

constexpr unsigned level_flags(std::uint64_t level) noexcept {
    return static_cast<unsigned>(level >> level_flags_shift) & 3U;
}

constexpr std::uint64_t
level_word(std::uint64_t hash, std::uint64_t below_a, std::uint64_t below_b) {
    const std::uint64_t depth =
        std::max(below_a >> level_depth_shift, below_b >> level_depth_shift) + 1;
    return hash32(hash) | ((below_a | below_b) & (level_has_mvar | level_has_param)) |
           depth << level_depth_shift;
}

} // namespace

HashMode hash_mode_of(const ModuleDataRef& data, bool has_base_address) {
    if (!has_base_address)
        return HashMode::lean_2020;
    return data.has_constant_names() ? HashMode::lean_2023 : HashMode::lean_2022;
}

// A term's word, taken apart; without its hash.
struct DataWords::Term {
    unsigned flags = 0;
    std::uint64_t depth = 0;
    std::uint64_t range = 0;
};

std::uint64_t DataWords::mix(std::uint64_t h, std::uint64_t k) const {
    return mode_ == HashMode::lean_2023 ? mix_hash(h, k) : old_mix_hash(h, k);
}

std::uint64_t DataWords::text_hash(std::string_view text) const {
    return mode_ == HashMode::lean_2023 ? string_hash(text) : old_string_hash(text);
}

// Since 2023 FVarId and MVarId have a derived hash of their own.
std::uint64_t DataWords::id_hash(std::uint64_t name) const {
    return mode_ == HashMode::lean_2023 ? mix(0, name) : name;
}

std::uint64_t DataWords::str_name(std::uint64_t prefix, std::string_view component) const {
    return mix(prefix, text_hash(component));
}

std::uint64_t DataWords::num_name(std::uint64_t prefix, std::uint64_t component) const {
    return mix(prefix, component);
}

std::uint64_t DataWords::succ(std::uint64_t level) const {
    return level_word(mix(succ_salt, hash32(level)), level, 0);
}

std::uint64_t DataWords::max(std::uint64_t lhs, std::uint64_t rhs) const {
    return level_word(mix(max_salt, mix(hash32(lhs), hash32(rhs))), lhs, rhs);
}

std::uint64_t DataWords::imax(std::uint64_t lhs, std::uint64_t rhs) const {
    return level_word(mix(imax_salt, mix(hash32(lhs), hash32(rhs))), lhs, rhs);
}

std::uint64_t DataWords::level_param(std::uint64_t name) const {
    return hash32(mix(param_salt, name)) | level_has_param;
}

std::uint64_t DataWords::level_mvar(std::uint64_t name) const {
    return hash32(mix(mvar_level_salt, id_hash(name))) | level_has_mvar;
}

// What stands above one child: its flags and range, one level deeper.
DataWords::Term DataWords::above(std::uint64_t child) const {
    const TermLayout& layout = term_layouts[static_cast<unsigned>(mode_)];
    Term term;
    term.flags = static_cast<unsigned>(child >> layout.flags_shift) & ((1U << num_flag_bits) - 1);
    term.range = child >> layout.range_shift;
    if (layout.has_depth)
        term.depth = ((child >> layout.depth_shift) & 0xffU) + 1;
    return term;
}

DataWords::Term DataWords::above(std::uint64_t a, std::uint64_t b) const {
    const Term left = above(a);
    const Term right = above(b);
    return {left.flags | right.flags, std::max(left.depth, right.depth),
            std::max(left.range, right.range)};
}

// A body's variable 0 is bound here.
void DataWords::add_bound_in(Term& term, std::uint64_t body) const {
    const Term below = above(body);
    term.flags |= below.flags;
    term.depth = std::max(term.depth, below.depth);
    term.range = std::max(term.range, below.range > 0 ? below.range - 1 : 0);
}

std::uint64_t DataWords::salt(Kind kind, const Term& term) const {
    switch (mode_) {
    case HashMode::lean_2020:
        return salt_of_2020(kind);
    case HashMode::lean_2022:
        return term.depth & 0xffU; // a byte that wraps
    default:
        return term.depth;
    }
}

std::uint64_t DataWords::pack(const Term& term, std::uint64_t hash, std::uint64_t old_bits) const {
    const TermLayout& layout = term_layouts[static_cast<unsigned>(mode_)];
    std::uint64_t word = hash32(hash) | std::uint64_t{term.flags} << layout.flags_shift |
                         term.range << layout.range_shift;
    if (layout.has_depth) {
        const std::uint64_t depth = mode_ == HashMode::lean_2023
                                        ? std::min<std::uint64_t>(term.depth, 0xffU)
                                        : term.depth & 0xffU;
        word |= depth << layout.depth_shift;
    }
    return mode_ == HashMode::lean_2023 ? word : word | old_bits;
}

std::uint64_t DataWords::bvar(std::uint64_t index) const {
    return pack({0, 0, index + 1}, mix(bvar_salt, index));
}

std::uint64_t DataWords::fvar(std::uint64_t name) const {
    return pack({has_fvar, 0, 0}, mix(fvar_salt, id_hash(name)));
}

std::uint64_t DataWords::mvar(std::uint64_t name) const {
    return pack({has_expr_mvar, 0, 0}, mix(mvar_salt, id_hash(name)));
}

std::uint64_t DataWords::sort(std::uint64_t level) const {
    return pack({level_flags(level) << level_flags_place, 0, 0}, mix(sort_salt, hash32(level)));
}

std::uint64_t DataWords::constant(std::uint64_t name, std::span<const std::uint64_t> levels) const {
    std::uint64_t hash = const_levels_seed;
    unsigned flags = 0;
    for (const std::uint64_t level : levels) {
        hash = mix(hash, hash32(level));
        flags |= level_flags(level);
    }
    return pack({flags << level_flags_place, 0, 0}, mix(const_salt, mix(name, hash)));
}

std::uint64_t DataWords::app(std::uint64_t function, std::uint64_t argument) const {
    const Term term = above(function, argument);
    // Since 2022 the whole words of both sides are mixed, not their hashes alone.
    return pack(term, mode_ == HashMode::lean_2020
                          ? mix(salt(Kind::app, term), mix(hash32(function), hash32(argument)))
                          : mix(function, argument));
}

std::uint64_t
DataWords::binder(Kind kind, std::uint64_t type, std::uint64_t body, BinderInfo info) const {
    Term term = above(type);
    add_bound_in(term, body);
    const std::uint64_t hash = mix(salt(kind, term), mix(hash32(type), hash32(body)));
    return pack(term, hash, static_cast<std::uint64_t>(info) << old_binder_info_shift);
}

std::uint64_t DataWords::lam(std::uint64_t type, std::uint64_t body, BinderInfo info) const {
    return binder(Kind::lam, type, body, info);
}

std::uint64_t DataWords::forall_e(std::uint64_t type, std::uint64_t body, BinderInfo info) const {
    return binder(Kind::forall_e, type, body, info);
}

std::uint64_t
DataWords::let_e(std::uint64_t type, std::uint64_t value, std::uint64_t body, bool non_dep) const {
    Term term = above(type, value);
    add_bound_in(term, body);
    const std::uint64_t hash =
        mix(salt(Kind::let_e, term), mix(hash32(type), mix(hash32(value), hash32(body))));
    return pack(term, hash, std::uint64_t{non_dep} << old_non_dep_shift);
}

std::uint64_t DataWords::nat_lit(std::uint64_t low_word) const {
    return pack({}, mix(lit_salt, low_word));
}

std::uint64_t DataWords::str_lit(std::string_view text) const {
    return pack({}, mix(lit_salt, text_hash(text)));
}

std::uint64_t DataWords::mdata(std::uint64_t term) const {
    const Term whole = above(term);
    return pack(whole, mix(salt(Kind::mdata, whole), hash32(term)));
}

std::uint64_t
DataWords::proj(std::uint64_t structure, std::uint64_t index, std::uint64_t term) const {
    const Term whole = above(term);
    return pack(whole, mix(salt(Kind::proj, whole), mix(structure, mix(index, hash32(term)))));
}

std::uint64_t DataWords::of_name(NameRef name) const {
    name.require_well_formed();
    if (name.is_anonymous())
        return anonymous_name_hash;
    const std::uint64_t prefix = name.prefix().cached_hash();
    if (name.is_string())
        return str_name(prefix, name.string_component());
    return num_name(prefix, name.number_component().try_uint64().value_or(big_name_component));
}

std::uint64_t DataWords::of_level(LevelRef level) const {
    switch (level.kind()) {
    case LevelRef::Kind::zero:
        return LevelRef::zero_data;
    case LevelRef::Kind::succ:
        return succ(level.pred().cached_data());
    case LevelRef::Kind::max:
        return max(level.lhs().cached_data(), level.rhs().cached_data());
    case LevelRef::Kind::imax:
        return imax(level.lhs().cached_data(), level.rhs().cached_data());
    case LevelRef::Kind::param:
        return level_param(level.name().cached_hash());
    default:
        return level_mvar(level.name().cached_hash());
    }
}

namespace {

std::vector<std::uint64_t> cached_levels(ExprRef constant) {
    std::vector<std::uint64_t> levels;
    for (const LevelRef level : constant.const_levels())
        levels.push_back(level.cached_data());
    return levels;
}

} // namespace

std::uint64_t DataWords::of_term(ExprRef term) const {
    const auto child = [&](unsigned field) { return term.child(field).cached_data(); };
    switch (term.kind()) {
    case Kind::bvar:
        return bvar(term.bvar_index().low_word());
    case Kind::fvar:
        return fvar(term.name().cached_hash());
    case Kind::mvar:
        return mvar(term.name().cached_hash());
    case Kind::sort:
        return sort(term.sort_level().cached_data());
    case Kind::constant:
        return constant(term.name().cached_hash(), cached_levels(term));
    case Kind::app:
        return app(child(0), child(1));
    case Kind::lam:
        return lam(child(1), child(2), term.binder_info());
    case Kind::forall_e:
        return forall_e(child(1), child(2), term.binder_info());
    case Kind::let_e:
        return let_e(child(1), child(2), child(3), term.let_non_dep());
    case Kind::lit:
        return term.literal_is_nat() ? nat_lit(term.nat_literal().low_word())
                                     : str_lit(term.string_literal());
    case Kind::mdata:
        return mdata(child(1));
    default:
        return proj(term.name().cached_hash(), term.proj_index().low_word(), child(2));
    }
}

} // namespace leanhost::object
