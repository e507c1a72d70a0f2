#include "object/expr_equal.hpp"

#include <absl/container/flat_hash_set.h>

#include <utility>
#include <vector>

namespace leanhost::object {
namespace {

// Pairs of objects still to be compared, each pair once.
template <class View>
class PairQueue {
public:
    void push(View a, View b) {
        if (a.object() == b.object()) return;
        if (seen_.insert({a.object().word(), b.object().word()}).second) todo_.push_back({a, b});
    }
    bool empty() const { return todo_.empty(); }
    std::pair<View, View> pop() {
        const auto pair = todo_.back();
        todo_.pop_back();
        return pair;
    }

private:
    absl::flat_hash_set<std::pair<std::uint64_t, std::uint64_t>> seen_;
    std::vector<std::pair<View, View>> todo_;
};

bool is_same_number(NatRef a, NatRef b) {
    const auto small_a = a.try_uint64();
    const auto small_b = b.try_uint64();
    if (small_a || small_b) return small_a == small_b;
    return a.to_string() == b.to_string();
}

bool is_same_level_list(ListRef<LevelRef> a, ListRef<LevelRef> b) {
    auto at_a = a.begin();
    auto at_b = b.begin();
    for (; at_a != a.end() && at_b != b.end(); ++at_a, ++at_b) {
        if (!is_same_level(*at_a, *at_b)) return false;
    }
    return !(at_a != a.end()) && !(at_b != b.end());
}

bool is_same_literal(ExprRef a, ExprRef b) {
    if (a.literal_is_nat() != b.literal_is_nat()) return false;
    return a.literal_is_nat() ? is_same_number(a.nat_literal(), b.nat_literal())
                              : a.string_literal() == b.string_literal();
}

// All but the terms below.
bool is_same_head(ExprRef a, ExprRef b) {
    using Kind = ExprRef::Kind;
    const Kind kind = a.kind();
    if (kind != b.kind()) return false;
    switch (kind) {
    case Kind::bvar: return is_same_number(a.bvar_index(), b.bvar_index());
    case Kind::fvar:
    case Kind::mvar: return a.name() == b.name();
    case Kind::sort: return is_same_level(a.sort_level(), b.sort_level());
    case Kind::constant:
        return a.name() == b.name() && is_same_level_list(a.const_levels(), b.const_levels());
    case Kind::lam:
    case Kind::forall_e: return a.binder_info() == b.binder_info();
    case Kind::lit: return is_same_literal(a, b);
    case Kind::proj: return a.name() == b.name() && is_same_number(a.proj_index(), b.proj_index());
    default: return true;
    }
}

} // namespace

bool is_same_level(LevelRef a, LevelRef b) {
    using Kind = LevelRef::Kind;
    PairQueue<LevelRef> todo;
    for (todo.push(a, b); !todo.empty();) {
        const auto [x, y] = todo.pop();
        const Kind kind = x.kind();
        if (kind != y.kind()) return false;
        switch (kind) {
        case Kind::zero: break;
        case Kind::succ: todo.push(x.pred(), y.pred()); break;
        case Kind::max:
        case Kind::imax:
            todo.push(x.lhs(), y.lhs());
            todo.push(x.rhs(), y.rhs());
            break;
        case Kind::param:
        case Kind::mvar:
            if (!(x.name() == y.name())) return false;
        }
    }
    return true;
}

bool is_same_term(ExprRef a, ExprRef b) {
    PairQueue<ExprRef> todo;
    for (todo.push(a, b); !todo.empty();) {
        const auto [x, y] = todo.pop();
        if (!is_same_head(x, y)) return false;
        const auto fields = x.child_fields();
        for (unsigned i = fields.first; i < fields.first + fields.count; ++i) {
            todo.push(x.child(i), y.child(i));
        }
    }
    return true;
}

} // namespace leanhost::object
