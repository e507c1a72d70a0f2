#pragma once

#include "object/expr_ref.hpp"
#include "object/raw_objects.hpp"

#include <string_view>
#include <vector>

namespace leanhost::test {

/// Names, levels and terms laid out by hand. The words that Lean caches in them are 0: nobody may
/// need them.
class RawTerms {
public:
    using Word = std::uint64_t;
    static constexpr Word anonymous = RawObjects::box(0);
    static constexpr Word zero = RawObjects::box(0); ///< level 0

    explicit RawTerms(std::size_t capacity_bytes = std::size_t{1} << 20U)
        : raw(RawObjects::InPlace{capacity_bytes}) {}

    static object::ExprRef term(Word word) { return object::ExprRef(object::ObjectRef(word)); }
    static object::LevelRef level(Word word) { return object::LevelRef(object::ObjectRef(word)); }

    Word name(std::string_view text, Word prefix = anonymous) {
        return raw.ctor_with_word(1, {prefix, raw.string(text)}, 0);
    }
    Word numbered(Word prefix, std::uint64_t number) {
        return raw.ctor_with_word(2, {prefix, RawObjects::box(number)}, 0);
    }
    Word succ(Word of) { return raw.ctor_with_word(1, {of}, 0); }
    Word max(Word a, Word b) { return raw.ctor_with_word(2, {a, b}, 0); }
    Word imax(Word a, Word b) { return raw.ctor_with_word(3, {a, b}, 0); }
    Word param(std::string_view text) { return raw.ctor_with_word(4, {name(text)}, 0); }
    Word level_mvar(std::string_view text) { return raw.ctor_with_word(5, {name(text)}, 0); }

    Word bvar(std::uint64_t index) { return raw.ctor_with_word(0, {RawObjects::box(index)}, 0); }
    Word fvar(std::string_view text) { return raw.ctor_with_word(1, {name(text)}, 0); }
    Word mvar(std::string_view text) { return raw.ctor_with_word(2, {name(text)}, 0); }
    Word sort(Word of) { return raw.ctor_with_word(3, {of}, 0); }
    Word constant(std::string_view text, const std::vector<Word>& levels = {}) {
        return raw.ctor_with_word(4, {name(text), raw.list(levels)}, 0);
    }
    Word app(Word function, Word argument) {
        return raw.ctor_with_word(5, {function, argument}, 0);
    }
    Word lam(Word binder_name, Word type, Word body, std::uint8_t info = 0) {
        return binder(6, binder_name, type, body, info);
    }
    Word forall(Word binder_name, Word type, Word body, std::uint8_t info = 0) {
        return binder(7, binder_name, type, body, info);
    }
    Word let(Word binder_name, Word type, Word value, Word body, bool non_dep = false) {
        std::vector<std::uint8_t> scalars(9);
        scalars[8] = non_dep ? 1 : 0;
        return raw.ctor(8, {binder_name, type, value, body}, scalars);
    }
    Word number(std::uint64_t value) { return nat_literal(RawObjects::box(value)); }
    Word nat_literal(Word nat) { return raw.ctor_with_word(9, {raw.ctor(0, {nat})}, 0); }
    Word text(std::string_view value) {
        return raw.ctor_with_word(9, {raw.ctor(1, {raw.string(value)})}, 0);
    }
    Word mdata(Word of) { return raw.ctor_with_word(10, {RawObjects::box(0), of}, 0); }
    Word proj(std::string_view structure, std::uint64_t index, Word of) {
        return raw.ctor_with_word(11, {name(structure), RawObjects::box(index), of}, 0);
    }

    RawObjects raw;

private:
    Word binder(std::uint8_t tag, Word binder_name, Word type, Word body, std::uint8_t info) {
        std::vector<std::uint8_t> scalars(9);
        scalars[8] = info;
        return raw.ctor(tag, {binder_name, type, body}, scalars);
    }
};

} // namespace leanhost::test
