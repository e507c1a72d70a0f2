#include "kernel/term_store.hpp"

#include <gtest/gtest.h>

namespace leanhost::kernel {
namespace {

TEST(TermStore, EqualTermsHaveOneHandle) {
    TermArena persistent(0, 16);
    TermStore writer(persistent);
    NameTable names;
    const Term f = writer.constant(names.dotted("f"), no_levels);
    const Term once = writer.app(f, writer.nat(7));
    EXPECT_EQ(writer.app(f, writer.nat(7)), once);
    EXPECT_NE(writer.app(f, writer.nat(8)), once);
    EXPECT_EQ(writer.string("a"), writer.string("a"));
    const std::uint64_t limbs[] = {1, 2};
    EXPECT_EQ(writer.nat(limbs), writer.nat(limbs));
}

TEST(TermStore, ScratchFindsWhatIsPersistentAndKeepsItsOwn) {
    TermArena persistent(0, 16);
    TermArena scratch(scratch_bit, 16);
    TermStore writer(persistent);
    NameTable names;
    const Term f = writer.constant(names.dotted("f"), no_levels);
    const Term once = writer.app(f, f);
    TermStore checker(persistent, &scratch);
    EXPECT_EQ(checker.app(f, f), once);
    const Term own = checker.app(once, f);
    EXPECT_NE(own & scratch_bit, 0U);
    EXPECT_EQ(checker.app(once, f), own);
}

TEST(TermStore, TablesGrowWithoutLosingAnything) {
    TermArena persistent(0, 16);
    TermStore store(persistent);
    std::vector<Term> terms;
    for (std::uint64_t i = 0; i < 100000; ++i)
        terms.push_back(store.app(store.nat(i), store.nat(i / 3)));
    for (std::uint64_t i = 0; i < 100000; ++i)
        ASSERT_EQ(store.app(store.nat(i), store.nat(i / 3)), terms[i]);
}

TEST(TermStore, KnowsLooseVariablesAndFreeOnes) {
    TermArena persistent(0, 16);
    TermArena scratch(scratch_bit, 16);
    TermStore writer(persistent);
    TermStore store(persistent, &scratch);
    const Term body = store.app(store.bvar(0), store.bvar(3));
    EXPECT_EQ(store[body].loose, 4);
    EXPECT_EQ(store[store.lam(store.prop(), body)].loose, 3);
    EXPECT_EQ(store[store.let(store.prop(), store.bvar(5), body)].loose, 6);
    const Term x = store.fvar(2, store.prop());
    EXPECT_EQ(store[store.app(x, x)].free, 3);
    EXPECT_NE(x, store.fvar(2, store.sort(store.one())));
}

} // namespace
} // namespace leanhost::kernel
