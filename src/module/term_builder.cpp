#include "module/term_builder.hpp"

#include "base/failure.hpp"
#include "base/lean_hash.hpp"

#include <absl/container/inlined_vector.h>
#include <fmt/format.h>

#include <array>

namespace leanhost::module {
namespace {

using Kind = object::ExprRef::Kind;
using LevelKind = object::LevelRef::Kind;

template <class T>
std::array<std::byte, sizeof(T)> scalar_area(T value) {
    std::array<std::byte, sizeof(T)> bytes;
    std::memcpy(bytes.data(), &value, sizeof(T));
    return bytes;
}

// A word keeps 24 bits of a level's depth, and 20 of the range of a term's loose bound variables.
constexpr std::uint64_t max_level_depth = (std::uint64_t{1} << 24U) - 1;
constexpr std::uint64_t max_loose_range = (std::uint64_t{1} << 20U) - 1;
std::uint64_t level_depth(std::uint64_t word) {
    return word >> 40U;
}

} // namespace

BuiltRef TermBuilder::mk_name(const Name& name) {
    BuiltRef result = anonymous_name();
    for (const auto& c : name.components()) {
        result = c.is_number ? mk_name_num(result, c.number) : mk_name_str(result, c.text);
    }
    return result;
}

BuiltRef TermBuilder::mk_name_str(BuiltRef prefix, std::string_view component) {
    const auto hash = scalar_area(words_.str_name(name_hash(prefix), component));
    return objects_.mk_constructor(1, std::array{prefix, objects_.mk_string(component)}, hash);
}

BuiltRef TermBuilder::mk_name_num(BuiltRef prefix, std::uint64_t component) {
    const auto hash = scalar_area(words_.num_name(name_hash(prefix), component));
    return objects_.mk_constructor(2, std::array{prefix, objects_.mk_nat(component)}, hash);
}

std::uint64_t TermBuilder::name_hash(BuiltRef name) const {
    constexpr std::size_t hash_offset = sizeof(object::ObjectHeader) + 2 * 8;
    return name.is_scalar() ? anonymous_name_hash : objects_.load<std::uint64_t>(name, hash_offset);
}

BuiltRef
TermBuilder::mk_level(LevelKind kind, std::span<const BuiltRef> fields, std::uint64_t word) {
    return objects_.mk_constructor(static_cast<unsigned>(kind), fields, scalar_area(word));
}

BuiltRef TermBuilder::mk_level_succ(BuiltRef level) {
    require_level_depth(level);
    return mk_level(LevelKind::succ, {&level, 1}, words_.succ(level_word(level)));
}

BuiltRef TermBuilder::mk_level_max(BuiltRef lhs, BuiltRef rhs) {
    require_level_depth(lhs);
    require_level_depth(rhs);
    return mk_level(LevelKind::max, std::array{lhs, rhs},
                    words_.max(level_word(lhs), level_word(rhs)));
}

BuiltRef TermBuilder::mk_level_imax(BuiltRef lhs, BuiltRef rhs) {
    require_level_depth(lhs);
    require_level_depth(rhs);
    return mk_level(LevelKind::imax, std::array{lhs, rhs},
                    words_.imax(level_word(lhs), level_word(rhs)));
}

void TermBuilder::require_level_depth(BuiltRef below) const {
    if (level_depth(level_word(below)) < max_level_depth)
        return;
    fail(ErrorCode::invalid_argument,
         fmt::format("universe level deeper than {}: Lean's have room for no more",
                     max_level_depth));
}

BuiltRef TermBuilder::mk_level_param(BuiltRef name) {
    return mk_level(LevelKind::param, {&name, 1}, words_.level_param(name_hash(name)));
}

BuiltRef TermBuilder::mk_level_mvar(BuiltRef name) {
    return mk_level(LevelKind::mvar, {&name, 1}, words_.level_mvar(name_hash(name)));
}

std::uint64_t TermBuilder::level_word(BuiltRef level) const {
    return level.is_scalar() ? object::LevelRef::zero_data : cached_word(level);
}

std::uint64_t TermBuilder::expr_word(BuiltRef e) const {
    return cached_word(e);
}

// The first scalar of a level or a term.
std::uint64_t TermBuilder::cached_word(BuiltRef object) const {
    const std::size_t offset = sizeof(object::ObjectHeader) + 8U * objects_.num_fields(object);
    return objects_.load<std::uint64_t>(object, offset);
}

BuiltRef TermBuilder::mk_expr(Kind kind, std::span<const BuiltRef> fields, std::uint64_t word) {
    return objects_.mk_constructor(static_cast<unsigned>(kind), fields, scalar_area(word));
}

// Lambdas, function types and lets keep one byte behind the word: binder info, or whether the
// body's type does not depend on the value.
BuiltRef TermBuilder::mk_flagged_expr(Kind kind,
                                      std::span<const BuiltRef> fields,
                                      std::uint64_t word,
                                      std::uint8_t flag) {
    std::array<std::byte, 9> scalars;
    std::memcpy(scalars.data(), &word, sizeof(word));
    scalars[8] = std::byte{flag};
    return objects_.mk_constructor(static_cast<unsigned>(kind), fields, scalars);
}

BuiltRef TermBuilder::mk_bvar(std::uint64_t index) {
    if (index >= max_loose_range) {
        fail(ErrorCode::invalid_argument,
             fmt::format("bound variable {}: Lean's terms have room for {}", index,
                         max_loose_range));
    }
    return mk_expr(Kind::bvar, std::array{objects_.mk_nat(index)}, words_.bvar(index));
}

BuiltRef TermBuilder::mk_fvar(BuiltRef name) {
    return mk_expr(Kind::fvar, {&name, 1}, words_.fvar(name_hash(name)));
}

BuiltRef TermBuilder::mk_mvar(BuiltRef name) {
    return mk_expr(Kind::mvar, {&name, 1}, words_.mvar(name_hash(name)));
}

BuiltRef TermBuilder::mk_sort(BuiltRef level) {
    return mk_expr(Kind::sort, {&level, 1}, words_.sort(level_word(level)));
}

BuiltRef TermBuilder::mk_const(BuiltRef name, std::span<const BuiltRef> levels) {
    absl::InlinedVector<std::uint64_t, 8> level_words;
    for (const BuiltRef level : levels)
        level_words.push_back(level_word(level));
    return mk_expr(Kind::constant, std::array{name, mk_list(levels)},
                   words_.constant(name_hash(name), level_words));
}

BuiltRef TermBuilder::mk_app(BuiltRef f, BuiltRef a) {
    return mk_expr(Kind::app, std::array{f, a}, words_.app(expr_word(f), expr_word(a)));
}

BuiltRef TermBuilder::mk_app(BuiltRef f, std::span<const BuiltRef> args) {
    for (const BuiltRef arg : args)
        f = mk_app(f, arg);
    return f;
}

BuiltRef TermBuilder::mk_lam(const BuiltBinder& binder, BuiltRef body) {
    return mk_flagged_expr(Kind::lam, std::array{binder.name, binder.type, body},
                           words_.lam(expr_word(binder.type), expr_word(body), binder.info),
                           static_cast<std::uint8_t>(binder.info));
}

BuiltRef TermBuilder::mk_forall(const BuiltBinder& binder, BuiltRef body) {
    return mk_flagged_expr(Kind::forall_e, std::array{binder.name, binder.type, body},
                           words_.forall_e(expr_word(binder.type), expr_word(body), binder.info),
                           static_cast<std::uint8_t>(binder.info));
}

BuiltRef
TermBuilder::mk_let(BuiltRef name, BuiltRef type, BuiltRef value, BuiltRef body, bool non_dep) {
    return mk_flagged_expr(
        Kind::let_e, std::array{name, type, value, body},
        words_.let_e(expr_word(type), expr_word(value), expr_word(body), non_dep), non_dep ? 1 : 0);
}

BuiltRef TermBuilder::mk_nat_lit(std::uint64_t value) {
    const BuiltRef literal = objects_.mk_constructor(0, std::array{objects_.mk_nat(value)});
    return mk_expr(Kind::lit, {&literal, 1}, words_.nat_lit(value));
}

BuiltRef TermBuilder::mk_nat_lit(std::span<const std::uint64_t> limbs) {
    while (!limbs.empty() && limbs.back() == 0)
        limbs = limbs.first(limbs.size() - 1);
    if (limbs.size() <= 1)
        return mk_nat_lit(limbs.empty() ? 0 : limbs[0]);
    const BuiltRef literal = objects_.mk_constructor(0, std::array{objects_.mk_big_number(limbs)});
    return mk_expr(Kind::lit, {&literal, 1}, words_.nat_lit(limbs[0]));
}

BuiltRef TermBuilder::mk_string_lit(std::string_view value) {
    const BuiltRef literal = objects_.mk_constructor(1, std::array{objects_.mk_string(value)});
    return mk_expr(Kind::lit, {&literal, 1}, words_.str_lit(value));
}

BuiltRef TermBuilder::mk_mdata(BuiltRef entries, BuiltRef e) {
    return mk_expr(Kind::mdata, std::array{entries, e}, words_.mdata(expr_word(e)));
}

BuiltRef TermBuilder::mk_proj(BuiltRef structure, std::uint64_t index, BuiltRef e) {
    return mk_expr(Kind::proj, std::array{structure, objects_.mk_nat(index), e},
                   words_.proj(name_hash(structure), index, expr_word(e)));
}

BuiltRef TermBuilder::mk_list(std::span<const BuiltRef> elements) {
    BuiltRef list = ObjectBuilder::mk_scalar(0);
    for (auto it = elements.rbegin(); it != elements.rend(); ++it) {
        list = objects_.mk_constructor(1, std::array{*it, list});
    }
    return list;
}

BuiltRef TermBuilder::mk_option(std::optional<BuiltRef> value) {
    return value ? objects_.mk_constructor(1, {&*value, 1}) : ObjectBuilder::mk_scalar(0);
}

BuiltRef TermBuilder::mk_pair(BuiltRef first, BuiltRef second) {
    return objects_.mk_constructor(0, std::array{first, second});
}

} // namespace leanhost::module
