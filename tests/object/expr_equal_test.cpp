#include "object/expr_equal.hpp"
#include "object/raw_terms.hpp"

#include <gtest/gtest.h>

namespace leanhost::object {
namespace {

using test::RawTerms;
using Word = RawTerms::Word;

bool is_same(Word a, Word b) {
    const bool result = is_same_term(RawTerms::term(a), RawTerms::term(b));
    EXPECT_EQ(result, is_same_term(RawTerms::term(b), RawTerms::term(a))) << "it is symmetric";
    return result;
}

// Each call lays out new objects, so nothing is the same by address.
std::vector<Word> one_of_each(RawTerms& t) {
    const auto nat = [&] { return t.constant("Nat"); };
    const Word u = t.param("u");
    return {t.bvar(0),
            t.bvar(1),
            t.fvar("x"),
            t.fvar("y"),
            t.mvar("x"),
            t.sort(RawTerms::zero),
            t.sort(u),
            t.sort(t.param("v")),
            t.sort(t.level_mvar("u")),
            t.sort(t.succ(u)),
            t.sort(t.max(u, t.param("v"))),
            t.sort(t.imax(u, t.param("v"))),
            t.sort(t.max(t.param("v"), u)),
            nat(),
            t.constant("Nat", {u}),
            t.constant("Nat", {RawTerms::zero}),
            t.constant("Nat", {u, u}),
            t.app(nat(), nat()),
            t.app(nat(), t.bvar(0)),
            t.app(t.bvar(0), nat()),
            t.lam(t.name("x"), nat(), t.bvar(0)),
            t.lam(t.name("x"), nat(), t.bvar(0), 1),
            t.lam(t.name("x"), t.bvar(0), t.bvar(0)),
            t.forall(t.name("x"), nat(), t.bvar(0)),
            t.forall(t.name("x"), nat(), nat()),
            t.let(t.name("x"), nat(), t.number(0), t.bvar(0)),
            t.let(t.name("x"), nat(), t.number(1), t.bvar(0)),
            t.number(0),
            t.number(1),
            t.nat_literal(t.raw.gmp({0, 1})),
            t.nat_literal(t.raw.gmp({0, 2})),
            t.text(""),
            t.text("1"),
            t.mdata(nat()),
            t.proj("Prod", 0, nat()),
            t.proj("Prod", 1, nat()),
            t.proj("Sum", 0, nat())};
}

TEST(ExprEqual, TermsAreTheSameByContentOnly) {
    RawTerms first;
    RawTerms second;
    const std::vector<Word> a = one_of_each(first);
    const std::vector<Word> b = one_of_each(second);
    for (std::size_t i = 0; i < a.size(); ++i) {
        for (std::size_t j = 0; j < b.size(); ++j)
            EXPECT_EQ(is_same(a[i], b[j]), i == j) << i << ", " << j;
    }
}

TEST(ExprEqual, NamesOfBindersDoNotCount) {
    RawTerms t;
    const Word nat = t.constant("Nat");
    EXPECT_TRUE(is_same(t.lam(t.name("x"), nat, t.bvar(0)), t.lam(t.name("y"), nat, t.bvar(0))));
    EXPECT_TRUE(
        is_same(t.let(t.name("x"), nat, nat, nat), t.let(RawTerms::anonymous, nat, nat, nat)));
}

TEST(ExprEqual, BigNumbersAreTheSameInBothEncodings) {
    RawTerms t;
    EXPECT_TRUE(
        is_same(t.nat_literal(t.raw.gmp({1, 2})), t.nat_literal(t.raw.lean_native({1, 0, 2, 0}))));
    EXPECT_FALSE(
        is_same(t.nat_literal(t.raw.gmp({1, 2})), t.nat_literal(t.raw.lean_native({1, 0, 3, 0}))));
    EXPECT_TRUE(is_same(t.nat_literal(t.raw.gmp({7})), t.number(7)));
}

// What a file caches in its terms is its claim only.
TEST(ExprEqual, CachedWordsDoNotCount) {
    RawTerms t;
    const Word a = t.raw.ctor_with_word(0, {test::RawObjects::box(0)}, 1);
    const Word b = t.raw.ctor_with_word(0, {test::RawObjects::box(0)}, 2);
    const Word other = t.raw.ctor_with_word(0, {test::RawObjects::box(1)}, 1);
    EXPECT_TRUE(is_same(a, b));
    EXPECT_FALSE(is_same(a, other));
}

TEST(ExprEqual, SharedTermsAreComparedInLinearTime) {
    RawTerms t;
    Word a = t.constant("Nat");
    Word b = t.constant("Nat");
    Word c = t.constant("Int");
    Word u = t.param("u");
    Word v = t.param("u");
    for (int i = 0; i < 300; ++i) {
        a = t.app(a, a);
        b = t.app(b, b);
        c = t.app(c, c);
        u = t.max(u, u);
        v = t.max(v, v);
    }
    EXPECT_TRUE(is_same(a, b));
    EXPECT_FALSE(is_same(a, c));
    EXPECT_TRUE(is_same(t.sort(u), t.sort(v)));
}

TEST(ExprEqual, NestingOfAMillionIsCompared) {
    RawTerms t(std::size_t{256} << 20U);
    const Word f = t.constant("f");
    Word a = f;
    Word b = f;
    for (int i = 0; i < 1'000'000; ++i) {
        a = t.app(f, a);
        b = t.app(f, b);
    }
    EXPECT_TRUE(is_same(a, b));
    EXPECT_FALSE(is_same(a, t.app(f, b)));
}

} // namespace
} // namespace leanhost::object
