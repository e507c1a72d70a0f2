#include "object/expr_equal.hpp"

#include <absl/container/flat_hash_map.h>

#include <utility>
#include <vector>

namespace leanhost::object {
namespace {

// Pairs of objects still to be compared. Objects taken to be the same so far are kept in classes
// (union-find), so that n and m objects make at most n + m comparisons, however they are shared.
template <class View>
class Comparison {
public:
    void push(View a, View b) {
        const std::uint64_t x = root_of(a.object().word());
        const std::uint64_t y = root_of(b.object().word());
        if (x == y)
            return;
        parent_[x] = y;
        todo_.push_back({a, b});
    }
    bool empty() const { return todo_.empty(); }
    std::pair<View, View> pop() {
        const auto pair = todo_.back();
        todo_.pop_back();
        return pair;
    }

private:
    std::uint64_t root_of(std::uint64_t word) {
        auto at = parent_.find(word);
        if (at == parent_.end())
            return word;
        std::uint64_t root = at->second;
        for (auto next = parent_.find(root); next != parent_.end(); next = parent_.find(root)) {
            at->second = next->second; // halves the way for the next time
            root = next->second;
        }
        return root;
    }
    absl::flat_hash_map<std::uint64_t, std::uint64_t> parent_;
    std::vector<std::pair<View, View>> todo_;
};

// Compares terms and levels; what it took to be the same stays known while it lives, so a
// comparison that answered no ends its use.
class TermComparison {
public:
    bool is_same(ExprRef a, ExprRef b) {
        for (terms_.push(a, b); !terms_.empty();) {
            const auto [x, y] = terms_.pop();
            if (!is_same_head(x, y))
                return false;
            const auto fields = x.child_fields();
            for (unsigned i = fields.first; i < fields.first + fields.count; ++i) {
                terms_.push(x.child(i), y.child(i));
            }
        }
        return true;
    }

    bool is_same(LevelRef a, LevelRef b) {
        using Kind = LevelRef::Kind;
        for (levels_.push(a, b); !levels_.empty();) {
            const auto [x, y] = levels_.pop();
            const Kind kind = x.kind();
            if (kind != y.kind())
                return false;
            switch (kind) {
            case Kind::zero:
                break;
            case Kind::succ:
                levels_.push(x.pred(), y.pred());
                break;
            case Kind::max:
            case Kind::imax:
                levels_.push(x.lhs(), y.lhs());
                levels_.push(x.rhs(), y.rhs());
                break;
            case Kind::param:
            case Kind::mvar:
                if (!(x.name() == y.name()))
                    return false;
            }
        }
        return true;
    }

private:
    // All but the terms below.
    bool is_same_head(ExprRef a, ExprRef b) {
        using Kind = ExprRef::Kind;
        const Kind kind = a.kind();
        if (kind != b.kind())
            return false;
        switch (kind) {
        case Kind::bvar:
            return a.bvar_index() == b.bvar_index();
        case Kind::fvar:
        case Kind::mvar:
            return a.name() == b.name();
        case Kind::sort:
            return is_same(a.sort_level(), b.sort_level());
        case Kind::constant:
            return a.name() == b.name() && is_same_levels(a.const_levels(), b.const_levels());
        case Kind::lam:
        case Kind::forall_e:
            return a.binder_info() == b.binder_info();
        case Kind::lit:
            return is_same_literal(a, b);
        case Kind::proj:
            return a.name() == b.name() && a.proj_index() == b.proj_index();
        default:
            return true;
        }
    }

    bool is_same_levels(ListRef<LevelRef> a, ListRef<LevelRef> b) {
        auto at_a = a.begin();
        auto at_b = b.begin();
        for (std::size_t i = 0; at_a != a.end() && at_b != b.end(); ++at_a, ++at_b, ++i) {
            if (i == max_levels)
                throw_many(b);
            if (!is_same(*at_a, *at_b))
                return false;
        }
        return !(at_a != a.end()) && !(at_b != b.end());
    }

    static bool is_same_literal(ExprRef a, ExprRef b) {
        if (a.literal_is_nat() != b.literal_is_nat())
            return false;
        return a.literal_is_nat() ? a.nat_literal() == b.nat_literal()
                                  : a.string_literal() == b.string_literal();
    }

    // Many constants may share one long list, which would be walked for each of them.
    static constexpr std::size_t max_levels = 1024;
    [[noreturn]] static void throw_many(ListRef<LevelRef> list) {
        throw MalformedObject(list.object().word(), "at most 1024 universe levels", "more");
    }

    Comparison<ExprRef> terms_;
    Comparison<LevelRef> levels_;
};

} // namespace

bool is_same_level(LevelRef a, LevelRef b) {
    return TermComparison().is_same(a, b);
}

bool is_same_term(ExprRef a, ExprRef b) {
    return TermComparison().is_same(a, b);
}

} // namespace leanhost::object
