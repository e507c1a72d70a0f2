#include "kernel/level.hpp"

#include <gtest/gtest.h>

#include <random>

namespace leanhost::kernel {
namespace {

/// Levels over three parameters, and what they are under an assignment.
class Levels : public testing::Test {
protected:
    Levels() : arena_(0, 1024), store_(arena_), order_(store_) {
        for (const char* name : {"u", "v", "w"})
            params_.push_back(store_.param(names_.dotted(name)));
    }

    Level random_level(unsigned depth) {
        const unsigned kind = static_cast<unsigned>(random_() % (depth == 0 ? 2 : 5));
        switch (kind) {
        case 0:
            return store_.zero();
        case 1:
            return params_[random_() % params_.size()];
        case 2:
            return store_.succ(random_level(depth - 1));
        case 3:
            return store_.max(random_level(depth - 1), random_level(depth - 1));
        default:
            return store_.imax(random_level(depth - 1), random_level(depth - 1));
        }
    }

    unsigned value(Level level, const std::vector<unsigned>& assignment) const {
        const LevelNode& node = store_.level(level);
        switch (node.kind) {
        case LevelKind::zero:
            return 0;
        case LevelKind::succ:
            return value(node.a, assignment) + 1;
        case LevelKind::max:
            return std::max(value(node.a, assignment), value(node.b, assignment));
        case LevelKind::imax: {
            const unsigned right = value(node.b, assignment);
            return right == 0 ? 0 : std::max(value(node.a, assignment), right);
        }
        default: {
            std::size_t i = 0;
            while (params_[i] != level)
                ++i;
            return assignment[i];
        }
        }
    }

    // Offsets stay below 6, so values up to 7 tell any two such levels apart.
    bool is_leq_everywhere(Level lhs, Level rhs) const {
        constexpr unsigned values = 8;
        for (unsigned a = 0; a < values * values * values; ++a) {
            const std::vector<unsigned> at = {a % values, a / values % values, a / values / values};
            if (value(lhs, at) > value(rhs, at))
                return false;
        }
        return true;
    }

    NameTable names_;
    TermArena arena_;
    TermStore store_;
    LevelOrder order_;
    std::vector<Level> params_;
    std::mt19937 random_{12345};
};

TEST_F(Levels, LeqIsThatOfAllAssignments) {
    unsigned num_leq = 0;
    for (int i = 0; i < 4000; ++i) {
        const Level lhs = random_level(4);
        const Level rhs = random_level(4);
        const bool expected = is_leq_everywhere(lhs, rhs);
        num_leq += expected ? 1U : 0U;
        ASSERT_EQ(order_.leq(lhs, rhs), expected) << i;
        ASSERT_EQ(order_.equal(lhs, rhs), expected && is_leq_everywhere(rhs, lhs)) << i;
    }
    EXPECT_GT(num_leq, 500U);
}

TEST_F(Levels, InstantiationIsThatOfTheAssignment) {
    const kernel::Levels names = store_.list(params_);
    for (int i = 0; i < 1000; ++i) {
        const Level level = random_level(4);
        const std::vector<Level> values = {random_level(2), random_level(2), random_level(2)};
        const Level result = order_.instantiate(level, names, store_.list(values));
        for (unsigned a = 0; a < 27; ++a) {
            const std::vector<unsigned> at = {a % 3, a / 3 % 3, a / 9};
            std::vector<unsigned> inner;
            for (const Level l : values)
                inner.push_back(value(l, at));
            ASSERT_EQ(value(result, at), value(level, inner));
        }
    }
}

TEST_F(Levels, ImaxOfOneIsTheOtherSide) {
    EXPECT_EQ(store_.imax(store_.one(), params_[0]), params_[0]);
    EXPECT_TRUE(order_.is_zero(store_.imax(params_[0], store_.zero())));
    EXPECT_FALSE(order_.leq(store_.one(), params_[0]));
}

} // namespace
} // namespace leanhost::kernel
