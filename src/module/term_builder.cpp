#include "module/term_builder.hpp"

#include "base/failure.hpp"

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

unsigned index_of(LevelKind kind) { return static_cast<unsigned>(kind); }

} // namespace

BuiltRef TermBuilder::mk_name(const Name& name) {
    BuiltRef result = anonymous_name();
    for (const auto& c : name.components()) {
        result = c.is_number ? mk_name_num(result, c.number) : mk_name_str(result, c.text);
    }
    return result;
}

BuiltRef TermBuilder::mk_name_str(BuiltRef prefix, std::string_view component) {
    const auto hash = scalar_area(name_hash_str(name_hash(prefix), component));
    return objects_.mk_constructor(1, std::array{prefix, objects_.mk_string(component)}, hash);
}

BuiltRef TermBuilder::mk_name_num(BuiltRef prefix, std::uint64_t component) {
    const auto hash = scalar_area(name_hash_num(name_hash(prefix), component));
    return objects_.mk_constructor(2, std::array{prefix, objects_.mk_nat(component)}, hash);
}

std::uint64_t TermBuilder::name_hash(BuiltRef name) const {
    constexpr std::size_t hash_offset = sizeof(object::ObjectHeader) + 2 * 8;
    return name.is_scalar() ? anonymous_name_hash : objects_.load<std::uint64_t>(name, hash_offset);
}

BuiltRef TermBuilder::mk_level(unsigned index, std::span<const BuiltRef> fields, LevelWord word) {
    if (word.depth() > LevelWord::max_depth) {
        fail(ErrorCode::invalid_argument, "universe level deeper than 2^24 - 1");
    }
    return objects_.mk_constructor(index, fields, scalar_area(word.bits()));
}

BuiltRef TermBuilder::mk_level_succ(BuiltRef level) {
    return mk_level(index_of(LevelKind::succ), {&level, 1}, LevelWord::succ(level_word(level)));
}

BuiltRef TermBuilder::mk_level_max(BuiltRef lhs, BuiltRef rhs) {
    return mk_level(index_of(LevelKind::max), std::array{lhs, rhs},
                    LevelWord::max(level_word(lhs), level_word(rhs)));
}

BuiltRef TermBuilder::mk_level_imax(BuiltRef lhs, BuiltRef rhs) {
    return mk_level(index_of(LevelKind::imax), std::array{lhs, rhs},
                    LevelWord::imax(level_word(lhs), level_word(rhs)));
}

BuiltRef TermBuilder::mk_level_param(BuiltRef name) {
    return mk_level(index_of(LevelKind::param), {&name, 1}, LevelWord::param(name_hash(name)));
}

BuiltRef TermBuilder::mk_level_mvar(BuiltRef name) {
    return mk_level(index_of(LevelKind::mvar), {&name, 1}, LevelWord::mvar(name_hash(name)));
}

LevelWord TermBuilder::level_word(BuiltRef level) const {
    if (level.is_scalar()) return LevelWord::zero();
    const std::size_t word_offset = sizeof(object::ObjectHeader) + 8U * objects_.num_fields(level);
    return LevelWord(objects_.load<std::uint64_t>(level, word_offset));
}

BuiltRef TermBuilder::mk_expr(Kind kind, std::span<const BuiltRef> fields, ExprWord word) {
    return objects_.mk_constructor(static_cast<unsigned>(kind), fields, scalar_area(word.bits()));
}

// Lambdas, function types and lets keep one byte behind the word: binder info, or whether the body's type
// does not depend on the value.
BuiltRef TermBuilder::mk_flagged_expr(Kind kind,
                                      std::span<const BuiltRef> fields,
                                      ExprWord word,
                                      std::uint8_t flag) {
    std::array<std::byte, 9> scalars;
    const std::uint64_t bits = word.bits();
    std::memcpy(scalars.data(), &bits, sizeof(bits));
    scalars[8] = std::byte{flag};
    return objects_.mk_constructor(static_cast<unsigned>(kind), fields, scalars);
}

BuiltRef TermBuilder::mk_bvar(std::uint64_t index) {
    if (index >= ExprWord::max_loose_range) {
        fail(ErrorCode::invalid_argument,
             fmt::format("bound variable {}: Lean's terms have room for {}", index,
                         ExprWord::max_loose_range));
    }
    return mk_expr(Kind::bvar, std::array{objects_.mk_nat(index)}, ExprWord::bvar(index));
}

BuiltRef TermBuilder::mk_fvar(BuiltRef name) {
    return mk_expr(Kind::fvar, {&name, 1}, ExprWord::fvar(name_hash(name)));
}

BuiltRef TermBuilder::mk_mvar(BuiltRef name) {
    return mk_expr(Kind::mvar, {&name, 1}, ExprWord::mvar(name_hash(name)));
}

BuiltRef TermBuilder::mk_sort(BuiltRef level) {
    return mk_expr(Kind::sort, {&level, 1}, ExprWord::sort(level_word(level)));
}

BuiltRef TermBuilder::mk_const(BuiltRef name, std::span<const BuiltRef> levels) {
    absl::InlinedVector<LevelWord, 8> words;
    for (const BuiltRef level : levels) words.push_back(level_word(level));
    return mk_expr(Kind::constant, std::array{name, mk_list(levels)},
                   ExprWord::constant(name_hash(name), words));
}

BuiltRef TermBuilder::mk_app(BuiltRef f, BuiltRef a) {
    return mk_expr(Kind::app, std::array{f, a}, ExprWord::app(expr_word(f), expr_word(a)));
}

BuiltRef TermBuilder::mk_app(BuiltRef f, std::span<const BuiltRef> args) {
    for (const BuiltRef arg : args) f = mk_app(f, arg);
    return f;
}

BuiltRef TermBuilder::mk_lam(const BuiltBinder& binder, BuiltRef body) {
    return mk_flagged_expr(Kind::lam, std::array{binder.name, binder.type, body},
                           ExprWord::binder(expr_word(binder.type), expr_word(body)),
                           static_cast<std::uint8_t>(binder.info));
}

BuiltRef TermBuilder::mk_forall(const BuiltBinder& binder, BuiltRef body) {
    return mk_flagged_expr(Kind::forall_e, std::array{binder.name, binder.type, body},
                           ExprWord::binder(expr_word(binder.type), expr_word(body)),
                           static_cast<std::uint8_t>(binder.info));
}

BuiltRef TermBuilder::mk_let(BuiltRef name, BuiltRef type, BuiltRef value, BuiltRef body, bool non_dep) {
    return mk_flagged_expr(Kind::let_e, std::array{name, type, value, body},
                           ExprWord::let_e(expr_word(type), expr_word(value), expr_word(body)),
                           non_dep ? 1 : 0);
}

BuiltRef TermBuilder::mk_nat_lit(std::uint64_t value) {
    const BuiltRef literal = objects_.mk_constructor(0, std::array{objects_.mk_nat(value)});
    return mk_expr(Kind::lit, {&literal, 1}, ExprWord::lit(value));
}

BuiltRef TermBuilder::mk_string_lit(std::string_view value) {
    const BuiltRef literal = objects_.mk_constructor(1, std::array{objects_.mk_string(value)});
    return mk_expr(Kind::lit, {&literal, 1}, ExprWord::lit(string_hash(value)));
}

BuiltRef TermBuilder::mk_mdata(BuiltRef entries, BuiltRef e) {
    return mk_expr(Kind::mdata, std::array{entries, e}, ExprWord::mdata(expr_word(e)));
}

BuiltRef TermBuilder::mk_proj(BuiltRef structure, std::uint64_t index, BuiltRef e) {
    return mk_expr(Kind::proj, std::array{structure, objects_.mk_nat(index), e},
                   ExprWord::proj(name_hash(structure), index, expr_word(e)));
}

ExprWord TermBuilder::expr_word(BuiltRef e) const {
    const std::size_t word_offset = sizeof(object::ObjectHeader) + 8U * objects_.num_fields(e);
    return ExprWord(objects_.load<std::uint64_t>(e, word_offset));
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
