#include "kernel/type_checker.hpp"

#include <gtest/gtest.h>

#include <random>

namespace leanhost::kernel {
namespace {

/// Random terms, and substitution written down as the books have it.
class Substitution : public testing::Test {
protected:
    Substitution()
        : known_(names_), persistent_(0, 64), writer_(persistent_),
          checker_(environment_, names_, known_, persistent_, {}), store_(checker_.store()) {
        for (const char* name : {"a", "b", "c"})
            constants_.push_back(writer_.constant(names_.dotted(name), no_levels));
    }

    // `loose` variables may be used.
    Term random_term(unsigned depth, unsigned loose) {
        const unsigned kind = static_cast<unsigned>(random_() % (depth == 0 ? 2 : 6));
        switch (kind) {
        case 0:
            return constants_[random_() % constants_.size()];
        case 1:
            return loose == 0 ? store_.prop() : store_.bvar(random_() % loose);
        case 2:
            return store_.lam(random_term(depth - 1, loose), random_term(depth - 1, loose + 1));
        case 3:
            return store_.let(random_term(depth - 1, loose), random_term(depth - 1, loose),
                              random_term(depth - 1, loose + 1));
        case 4:
            return store_.proj(7, 1, random_term(depth - 1, loose));
        default:
            return store_.app(random_term(depth - 1, loose), random_term(depth - 1, loose));
        }
    }

    Term map(Term term, unsigned depth, const std::function<Term(Term, unsigned)>& leaf) {
        const TermNode& node = store_[term];
        switch (node.kind) {
        case TermKind::app:
            return store_.app(map(node.a, depth, leaf), map(node.b, depth, leaf));
        case TermKind::lam:
            return store_.lam(map(node.a, depth, leaf), map(node.b, depth + 1, leaf));
        case TermKind::let: {
            const TermNode& rest = store_[node.b];
            return store_.let(map(rest.a, depth, leaf), map(node.a, depth, leaf),
                              map(rest.b, depth + 1, leaf));
        }
        case TermKind::proj:
            return store_.proj(node.b, node.extra, map(node.a, depth, leaf));
        default:
            return leaf(term, depth);
        }
    }

    NameTable names_;
    KernelNames known_;
    Environment environment_;
    TermArena persistent_;
    TermStore writer_;
    TypeChecker checker_;
    TermStore& store_;
    std::vector<Term> constants_;
    std::mt19937 random_{4711};
};

TEST_F(Substitution, InstantiateReplacesTheVariableAtEveryDepth) {
    for (int i = 0; i < 3000; ++i) {
        const Term body = random_term(6, 1);
        const Term value = random_term(3, 0);
        const Term expected = map(body, 0, [&](Term leaf, unsigned depth) {
            const TermNode& node = store_[leaf];
            return node.kind == TermKind::bvar && node.a == depth ? value : leaf;
        });
        ASSERT_EQ(checker_.instantiate(body, value), expected);
    }
}

TEST_F(Substitution, AbstractionUndoesInstantiation) {
    for (int i = 0; i < 3000; ++i) {
        const Term body = random_term(6, 1);
        const Term x = checker_.local(5, constants_[0]);
        ASSERT_EQ(checker_.abstract(checker_.instantiate(body, x), std::span(&x, 1)), body);
    }
}

TEST_F(Substitution, SeveralVariablesAreBoundInOrder) {
    for (int i = 0; i < 1000; ++i) {
        const Term body = random_term(6, 2);
        const Term x = checker_.local(0, constants_[0]);
        const Term y = checker_.local(1, store_.app(constants_[1], x));
        // Variable 0 is the inner binder's.
        const Term opened = map(body, 0, [&](Term leaf, unsigned depth) {
            const TermNode& node = store_[leaf];
            if (node.kind != TermKind::bvar || node.a < depth)
                return leaf;
            return node.a == depth ? y : x;
        });
        const Term both[] = {x, y};
        const Term inner_type = store_.app(constants_[1], store_.bvar(0));
        ASSERT_EQ(checker_.mk_lam(both, opened),
                  store_.lam(constants_[0], store_.lam(inner_type, body)));
    }
}

} // namespace
} // namespace leanhost::kernel
