// Printed types of real constants are in tests/session/printed_types_test.cpp.
#include "object/expr_printer.hpp"
#include "object/raw_terms.hpp"

#include <gmock/gmock.h>

namespace leanhost::object {
namespace {

using test::RawObjects;
using test::RawTerms;
using testing::EndsWith;
using Word = RawTerms::Word;

class ExprPrinter : public testing::Test {
protected:
    static std::string print(Word term, std::size_t max_bytes = 1000) {
        return print_term(RawTerms::term(term), max_bytes).text;
    }
    static std::string level(Word word) { return print_level(RawTerms::level(word), 1000).text; }
    Word name(std::string_view text) { return t.name(text); }
    Word nat() { return t.constant("Nat"); }

    RawTerms t;
};

TEST_F(ExprPrinter, Levels) {
    const Word u = t.param("u");
    const Word v = t.param("v");
    const Word one = t.succ(RawTerms::zero);
    EXPECT_EQ(level(RawTerms::zero), "0");
    EXPECT_EQ(level(t.succ(one)), "2");
    EXPECT_EQ(level(u), "u");
    EXPECT_EQ(level(t.succ(t.succ(u))), "u+2");
    EXPECT_EQ(level(t.level_mvar("m")), "?m");
    EXPECT_EQ(level(t.max(u, v)), "max u v");
    EXPECT_EQ(level(t.imax(u, t.max(one, v))), "imax u (max 1 v)");
    EXPECT_EQ(level(t.max(t.max(u, v), t.succ(u))), "max (max u v) (u+1)");
    EXPECT_EQ(level(t.succ(t.max(u, v))), "(max u v)+1");
    EXPECT_EQ(level(t.imax(u, t.succ(t.max(u, v)))), "imax u ((max u v)+1)");
}

TEST_F(ExprPrinter, Sorts) {
    const Word u = t.param("u");
    const Word f = t.constant("f");
    EXPECT_EQ(print(t.sort(RawTerms::zero)), "Prop");
    EXPECT_EQ(print(t.sort(t.succ(RawTerms::zero))), "Type");
    EXPECT_EQ(print(t.sort(t.succ(t.succ(RawTerms::zero)))), "Type 1");
    EXPECT_EQ(print(t.sort(u)), "Sort u");
    EXPECT_EQ(print(t.sort(t.succ(u))), "Type u");
    EXPECT_EQ(print(t.sort(t.succ(t.succ(u)))), "Type (u+1)");
    EXPECT_EQ(print(t.sort(t.max(u, u))), "Sort (max u u)");
    EXPECT_EQ(print(t.app(f, t.sort(RawTerms::zero))), "@f Prop");
    EXPECT_EQ(print(t.app(f, t.sort(t.succ(u)))), "@f (Type u)");
}

TEST_F(ExprPrinter, ConstantsAndApplications) {
    const Word f = t.constant("f", {t.param("u"), t.succ(RawTerms::zero)});
    const Word x = t.fvar("x");
    EXPECT_EQ(print(f), "f.{u, 1}");
    EXPECT_EQ(print(t.app(t.app(f, x), t.mvar("m"))), "@f.{u, 1} x ?m");
    EXPECT_EQ(print(t.app(x, t.app(x, x))), "x (x x)");
    EXPECT_EQ(print(t.app(t.app(x, t.app(f, x)), nat())), "x (@f.{u, 1} x) Nat");
    EXPECT_EQ(print(t.app(t.lam(name("y"), nat(), t.bvar(0)), x)), "(fun (y : Nat) => y) x");
    EXPECT_EQ(print(t.constant("weird name.b")), "«weird name.b»");
}

TEST_F(ExprPrinter, BindersKeepTheirBrackets) {
    const char* expected[] = {"∀ (n : Nat), n", "∀ {n : Nat}, n", "∀ ⦃n : Nat⦄, n",
                              "∀ [n : Nat], n"};
    for (std::uint8_t info = 0; info < 4; ++info) {
        EXPECT_EQ(print(t.forall(name("n"), nat(), t.bvar(0), info)), expected[info]);
    }
    EXPECT_EQ(print(t.lam(name("n"), nat(), t.bvar(0), 1)), "fun {n : Nat} => n");
}

TEST_F(ExprPrinter, BinderThatNobodyMentionsIsAnArrowUnlessItIsNotExplicit) {
    const Word f = t.app(t.constant("List"), nat());
    EXPECT_EQ(print(t.forall(name("n"), nat(), nat())), "Nat → Nat");
    EXPECT_EQ(print(t.forall(name("n"), nat(), nat(), 1)), "∀ {n : Nat}, Nat");
    EXPECT_EQ(print(t.forall(name("n"), f, t.forall(name("m"), nat(), f))),
              "(@List Nat) → Nat → @List Nat");
    EXPECT_EQ(print(t.forall(name("f"), t.forall(name("n"), nat(), nat()), nat())),
              "(Nat → Nat) → Nat");
    // An index counts the arrow's binder as well.
    const Word n = t.bvar(1);
    EXPECT_EQ(print(t.forall(name("n"), nat(), t.forall(name("h"), nat(), n))),
              "∀ (n : Nat), Nat → n");
}

TEST_F(ExprPrinter, NamesAreMadeDistinctFromThoseInScope) {
    const Word inner = t.lam(name("x"), nat(), t.app(t.bvar(0), t.bvar(1)));
    EXPECT_EQ(print(t.lam(name("x"), nat(), inner)), "fun (x : Nat) => fun (x_1 : Nat) => x_1 x");
    // Outside of each other's scope they may have the same name.
    const Word id = t.lam(name("x"), nat(), t.bvar(0));
    EXPECT_EQ(print(t.app(id, id)), "(fun (x : Nat) => x) (fun (x : Nat) => x)");
    // A name that is already numbered is left alone and stepped over.
    const Word three = t.lam(name("x"), nat(), t.app(t.app(t.bvar(2), t.bvar(1)), t.bvar(0)));
    EXPECT_EQ(print(t.lam(name("x"), nat(), t.lam(name("x_1"), nat(), three))),
              "fun (x : Nat) => fun (x_1 : Nat) => fun (x_2 : Nat) => x x_1 x_2");
}

TEST_F(ExprPrinter, TypeOfABinderDoesNotSeeTheBinder) {
    const Word inner = t.forall(name("x"), t.app(t.constant("P"), t.bvar(0)), t.bvar(0));
    EXPECT_EQ(print(t.lam(name("x"), nat(), inner)), "fun (x : Nat) => ∀ (x_1 : @P x), x_1");
}

TEST_F(ExprPrinter, MacroScopesAreADaggerAndNoNameIsAnUnderscore) {
    const Word scoped = t.numbered(t.name("_hyg", t.name("Mod", t.name("_@", name("x")))), 7);
    EXPECT_EQ(print(t.lam(scoped, nat(), t.bvar(0))), "fun (x✝ : Nat) => x✝");
    EXPECT_EQ(print(t.lam(RawTerms::anonymous, nat(), t.bvar(0))), "fun (_ : Nat) => _");
    EXPECT_EQ(
        print(t.lam(RawTerms::anonymous, nat(), t.lam(RawTerms::anonymous, nat(), t.bvar(1)))),
        "fun (_ : Nat) => fun (__1 : Nat) => _");
}

TEST_F(ExprPrinter, LooseVariablesAreShownByIndex) {
    EXPECT_EQ(print(t.bvar(3)), "#3");
    EXPECT_EQ(print(t.lam(name("x"), nat(), t.bvar(1))), "fun (x : Nat) => #1");
    const Word big = t.raw.ctor_with_word(0, {t.raw.gmp({0, 1})}, 0);
    EXPECT_EQ(print(big), "#18446744073709551616");
}

TEST_F(ExprPrinter, LetsProjectionsAndMetadata) {
    EXPECT_EQ(print(t.let(name("x"), nat(), t.number(1), t.bvar(0))), "let x : Nat := 1; x");
    EXPECT_EQ(print(t.let(name("x"), nat(), t.number(1), nat(), true)), "have x : Nat := 1; Nat");
    EXPECT_EQ(print(t.proj("Prod", 0, t.fvar("p"))), "p.1");
    EXPECT_EQ(print(t.proj("Prod", 1, t.app(t.constant("f"), t.fvar("p")))), "(@f p).2");
    EXPECT_EQ(print(t.mdata(t.app(t.mdata(t.fvar("f")), t.mdata(t.fvar("x"))))), "f x");
}

TEST_F(ExprPrinter, Literals) {
    EXPECT_EQ(print(t.number(42)), "42");
    EXPECT_EQ(print(t.nat_literal(t.raw.gmp({0, 1}))), "18446744073709551616");
    EXPECT_EQ(print(t.text("a\"b\\c\nd\te → f")), R"("a\"b\\c\nd\te → f")");
    EXPECT_EQ(print(t.text(std::string_view("\0\x1b\x7f", 3))), R"("\x00\x1b\x7f")");
}

TEST_F(ExprPrinter, CutIsAtACharacterAndSaid) {
    const Word text = t.text("→→→→");
    for (std::size_t max = 0; max <= 13; ++max) {
        const PrintedTerm printed = print_term(RawTerms::term(text), max);
        EXPECT_TRUE(printed.is_cut) << max;
        std::string expected = max == 0 ? "" : "\"";
        for (std::size_t arrows = 0; arrows < (max == 0 ? 0 : (max - 1) / 3); ++arrows)
            expected += "→";
        EXPECT_EQ(printed.text, expected + "…") << max;
    }
    EXPECT_FALSE(print_term(RawTerms::term(text), 14).is_cut);
    EXPECT_EQ(print(text, 14), "\"→→→→\"");
}

// Ends only: a failure must not print megabytes.
std::string end_of(Word term) {
    const std::string text = print_term(RawTerms::term(term), 1'000'000'000).text;
    return text.substr(text.size() - 40);
}

TEST_F(ExprPrinter, NestingOfAMillionIsPrinted) {
    constexpr int depth = 1'000'000;
    RawTerms deep(std::size_t{256} << 20U);
    const Word f = deep.constant("f");
    const Word binder_name = deep.name("x");
    Word arguments = f;
    Word lambdas = deep.bvar(0);
    for (int i = 0; i < depth; ++i) {
        arguments = deep.app(f, arguments);
        lambdas = deep.lam(binder_name, f, lambdas);
    }
    EXPECT_EQ(end_of(arguments), std::string(40, ')'));
    EXPECT_THAT(end_of(lambdas), EndsWith("fun (x_999999 : f) => x_999999"));
    EXPECT_THAT(print(lambdas, 100), EndsWith("…"));
}

TEST_F(ExprPrinter, NestingToTheLeftIsPrinted) {
    constexpr int depth = 100'000;
    RawTerms deep(std::size_t{64} << 20U);
    const Word f = deep.constant("f");
    const Word binder_name = deep.name("x");
    Word functions = f;
    Word arrows = f;
    Word levels = RawTerms::zero;
    for (int i = 0; i < depth; ++i) {
        functions = deep.app(functions, f);
        arrows = deep.forall(binder_name, arrows, f);
        levels = deep.imax(levels, RawTerms::zero);
    }
    EXPECT_THAT(end_of(functions), EndsWith(" f f f f f f"));
    EXPECT_THAT(end_of(arrows), EndsWith("→ f) → f) → f) → f"));
    EXPECT_THAT(end_of(deep.sort(levels)), EndsWith(" 0) 0) 0)"));
}

// Each term has the one before twice: printed in full it would be longer than any disk.
TEST_F(ExprPrinter, SharedTermIsBoundedAndFast) {
    Word pairs = nat();
    Word arrows = nat();
    Word binders = nat();
    Word levels = t.param("u");
    for (int i = 0; i < 200; ++i) {
        pairs = t.app(t.app(t.constant("Prod"), pairs), pairs);
        arrows = t.forall(name("a"), arrows, arrows);
        binders = t.lam(name("a"), binders, binders);
        levels = t.max(levels, levels);
    }
    for (const Word term : {pairs, arrows, binders, t.sort(levels)}) {
        const PrintedTerm printed = print_term(RawTerms::term(term), 64 * 1024);
        EXPECT_TRUE(printed.is_cut);
        EXPECT_LE(printed.text.size(), 64 * 1024 + std::string_view("…").size());
    }
}

// A chain that prints as nothing, below every argument of a long application: work is bounded as
// well as text.
TEST_F(ExprPrinter, SharedChainOfMetadataIsBoundedAndFast) {
    constexpr int many = 100'000;
    RawTerms deep(std::size_t{64} << 20U);
    Word chain = deep.constant("x");
    Word level = deep.param("u");
    for (int i = 0; i < many; ++i) {
        chain = deep.mdata(chain);
        level = deep.succ(level);
    }
    const Word sort = deep.sort(level);
    Word with_metadata = deep.constant("f");
    Word with_levels = deep.constant("f");
    for (int i = 0; i < many; ++i) {
        with_metadata = deep.app(with_metadata, chain);
        with_levels = deep.app(with_levels, sort);
    }
    EXPECT_THAT(print(with_metadata, 1 << 20U), EndsWith("x x x …"));
    EXPECT_THAT(print(with_levels, 1 << 20U), EndsWith("…"));
    EXPECT_EQ(print(chain), "x");
    EXPECT_EQ(print(sort), "Type (u+99999)");
}

TEST_F(ExprPrinter, MalformedTermIsRefused) {
    EXPECT_THROW(print(t.app(nat(), RawObjects::box(0))), MalformedObject);
    EXPECT_THROW(print(t.sort(t.raw.string("u"))), MalformedObject);
    EXPECT_THROW(print(t.raw.ctor_with_word(4, {name("c"), RawObjects::box(1)}, 0)),
                 MalformedObject);
}

} // namespace
} // namespace leanhost::object
