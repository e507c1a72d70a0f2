#include "kernel/level.hpp"

#include <algorithm>

namespace leanhost::kernel {
namespace {

constexpr std::uint64_t max_steps = std::uint64_t{1} << 24;

} // namespace

void LevelOrder::step(std::size_t count) {
    constexpr std::uint64_t steps_between = std::uint64_t{1} << 16;
    const std::uint64_t before = steps_;
    steps_ += count;
    if (steps_ > max_steps)
        fail(ErrorCode::resource_exhausted, "comparing two universe levels takes too many steps");
    if (before / steps_between != steps_ / steps_between && watch_)
        watch_();
}

bool LevelOrder::leq(Level lhs, Level rhs) {
    if (lhs == rhs || lhs == store_.zero())
        return true;
    assumptions_.clear();
    steps_ = 0;
    return leq_under(lhs, rhs);
}

bool LevelOrder::leq_under(Level lhs, Level rhs) {
    std::vector<Atom> left;
    std::vector<Atom> right;
    NameId open = atoms(lhs, 0, left);
    if (open == anonymous)
        open = atoms(rhs, 0, right);
    if (open != anonymous)
        return split(open, lhs, rhs);
    return std::all_of(left.begin(), left.end(), [&](const Atom& atom) {
        step(right.size());
        return is_dominated(atom, right);
    });
}

bool LevelOrder::split(NameId name, Level lhs, Level rhs) {
    for (const Known known : {Known::zero, Known::positive}) {
        assumptions_.push_back({name, known});
        const bool holds = leq_under(lhs, rhs);
        assumptions_.pop_back();
        if (!holds)
            return false;
    }
    return true;
}

const LevelOrder::Assumption* LevelOrder::assumed(NameId name) const {
    for (const Assumption& assumption : assumptions_) {
        if (assumption.name == name)
            return &assumption;
    }
    return nullptr;
}

// p + c is reached for all p only by p + d with c ≤ d; a number by any atom that is never smaller.
bool LevelOrder::is_dominated(const Atom& atom, const std::vector<Atom>& by) const {
    return std::any_of(by.begin(), by.end(), [&](const Atom& other) {
        if (atom.name == other.name)
            return atom.offset <= other.offset;
        if (atom.name != anonymous || other.name == anonymous)
            return false;
        const Assumption* const known = assumed(other.name);
        const std::uint32_t least = known != nullptr && known->known == Known::positive ? 1 : 0;
        return atom.offset <= other.offset + least;
    });
}

NameId LevelOrder::atoms(Level level, std::uint32_t offset, std::vector<Atom>& out) {
    step();
    const LevelNode* node = &store_.level(level);
    for (; node->kind == LevelKind::succ; node = &store_.level(node->a))
        ++offset;
    switch (node->kind) {
    case LevelKind::zero:
        out.push_back({anonymous, offset});
        return anonymous;
    case LevelKind::param: {
        const Assumption* const known = assumed(node->a);
        const bool is_zero = known != nullptr && known->known == Known::zero;
        out.push_back({is_zero ? anonymous : NameId{node->a}, offset});
        return anonymous;
    }
    case LevelKind::max: {
        const NameId open = atoms(node->a, offset, out);
        return open != anonymous ? open : atoms(node->b, offset, out);
    }
    default:
        return imax_atoms(*node, offset, out);
    }
}

// imax a b is b where b is zero, max a b where it is positive.
NameId LevelOrder::imax_atoms(const LevelNode& node, std::uint32_t offset, std::vector<Atom>& out) {
    std::vector<Atom> right;
    if (const NameId open = atoms(node.b, 0, right); open != anonymous)
        return open;
    NameId undecided = anonymous;
    bool is_positive = false;
    for (const Atom& atom : right) {
        is_positive = is_positive || atom.offset > 0;
        if (atom.name == anonymous)
            continue;
        if (assumed(atom.name) != nullptr)
            is_positive = true; // known zero never gives an atom
        else
            undecided = atom.name;
    }
    if (!is_positive && undecided != anonymous)
        return undecided;
    for (const Atom& atom : right)
        out.push_back({atom.name, atom.offset + offset});
    return is_positive ? atoms(node.a, offset, out) : anonymous;
}

bool LevelOrder::equal_lists(Levels lhs, Levels rhs) {
    if (lhs == rhs)
        return true;
    const auto left = store_.levels(lhs);
    const auto right = store_.levels(rhs);
    return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                      [this](Level l, Level r) { return equal(l, r); });
}

Level LevelOrder::instantiate(Level level, Levels names, Levels values) {
    const LevelNode& node = store_.level(level);
    if (!node.has_params)
        return level;
    if (node.depth >= least_shared_depth)
        instantiated_.clear();
    return instantiate_core(level, names, values);
}

Level LevelOrder::instantiate_core(Level level, Levels names, Levels values) {
    const LevelNode& node = store_.level(level);
    if (!node.has_params)
        return level;
    if (node.kind == LevelKind::param) {
        const auto params = store_.levels(names);
        const auto found = std::find(params.begin(), params.end(), level);
        const auto i = static_cast<std::size_t>(found - params.begin());
        const auto all = store_.levels(values);
        return i < params.size() && i < all.size() ? all[i] : level;
    }
    const bool may_be_shared = node.depth >= least_shared_depth;
    if (may_be_shared) {
        if (const Level* const found = instantiated_.find(level))
            return *found;
    }
    const Level a = instantiate_core(node.a, names, values);
    const Level result = node.kind == LevelKind::succ ? store_.succ(a)
                         : node.kind == LevelKind::max
                             ? store_.max(a, instantiate_core(node.b, names, values))
                             : store_.imax(a, instantiate_core(node.b, names, values));
    if (may_be_shared)
        instantiated_.put(level, result);
    return result;
}

} // namespace leanhost::kernel
