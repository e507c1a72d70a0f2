#include "kernel/term_store.hpp"

#include <algorithm>
#include <functional>
#include <limits>

namespace leanhost::kernel {
namespace {

constexpr std::size_t max_terms = std::size_t{1} << 30;
constexpr std::size_t max_levels = std::size_t{1} << 26;
constexpr std::size_t max_list_words = std::size_t{1} << 28;
constexpr std::size_t max_limbs = std::size_t{1} << 30;
constexpr std::size_t max_text_bytes = std::size_t{1} << 31;
constexpr std::uint16_t max_depth = std::numeric_limits<std::uint16_t>::max();

[[noreturn]] void fail_too_deep(const char* what) {
    fail(ErrorCode::deep_recursion, what);
}

constexpr bool is_persistent(std::uint32_t handle) {
    return (handle & scratch_bit) == 0;
}

std::uint16_t less_one(std::uint16_t loose) {
    return loose == 0 ? std::uint16_t{0} : static_cast<std::uint16_t>(loose - 1);
}

std::uint8_t params_flag(bool has_params) {
    return has_params ? TermNode::has_params_flag : std::uint8_t{0};
}

std::uint8_t params_flags(const TermNode& lhs, const TermNode& rhs) {
    return static_cast<std::uint8_t>((lhs.seen_flags() | rhs.seen_flags()) &
                                     TermNode::has_params_flag);
}

std::uint64_t hash_of_level(const LevelNode& node) {
    return mix((std::uint64_t{node.a} << 32) | node.b, static_cast<std::uint64_t>(node.kind));
}

std::uint64_t hash_bytes(TermKind kind, std::string_view bytes) {
    return mix(std::hash<std::string_view>{}(bytes), static_cast<std::uint64_t>(kind));
}

} // namespace

TermArena::TermArena(std::uint32_t mark, std::uint32_t table_slots, std::size_t expected_terms)
    : mark_(mark), table_slots_(table_slots), terms_(max_terms), levels_(max_levels),
      lists_(max_list_words), limbs_(max_limbs), texts_(max_text_bytes), term_table_(table_slots),
      level_table_(256), list_table_(256) {
    terms_.expect(expected_terms);
    begin();
}

void TermArena::reset(std::size_t keep_bytes) {
    constexpr std::size_t keep_small_bytes = std::size_t{1} << 16;
    const auto keep_small = std::min(keep_bytes, keep_small_bytes);
    const auto keep_slots =
        static_cast<std::uint32_t>(std::bit_floor(keep_bytes / sizeof(TermNode) | 1));
    terms_.shrink(0, keep_bytes);
    levels_.shrink(0, keep_small);
    lists_.shrink(0, keep_small);
    limbs_.shrink(0, keep_small);
    texts_.shrink(0, keep_small);
    term_table_.clear(std::max(table_slots_, keep_slots));
    level_table_.clear(256);
    list_table_.clear(256);
    begin();
}

void TermArena::begin() {
    // Handle 0 is none; list 0 is the empty one.
    terms_.push(TermNode{});
    levels_.push(LevelNode{});
    lists_.push(0);
}

std::size_t TermArena::bytes() const noexcept {
    return terms_.bytes() + levels_.bytes() + lists_.bytes() + limbs_.bytes() + texts_.bytes() +
           term_table_.bytes() + level_table_.bytes() + list_table_.bytes();
}

void TermArena::set_max_bytes(std::size_t max_bytes) noexcept {
    terms_.set_max_bytes(max_bytes);
    levels_.set_max_bytes(max_bytes);
    lists_.set_max_bytes(max_bytes);
    limbs_.set_max_bytes(max_bytes);
    texts_.set_max_bytes(max_bytes);
}

std::size_t TermArena::load_bytes() const noexcept {
    return terms_.bytes() + levels_.bytes() + lists_.bytes() + limbs_.bytes() + texts_.bytes() +
           term_table_.load_bytes();
}

TermArena::View TermArena::view() const noexcept {
    return {term_table_.view(terms_.size()), level_table_.view(levels_.size()),
            list_table_.view(lists_.size())};
}

void TermArena::keep_old_tables() noexcept {
    term_table_.keep_old_slots();
    level_table_.keep_old_slots();
    list_table_.keep_old_slots();
}

TermStore::TermStore(TermArena& persistent, TermArena* scratch)
    : persistent_(persistent), scratch_(scratch), seen_(persistent.view()) {
    term_base_[0] = reinterpret_cast<std::uintptr_t>(persistent.terms_.data());
    level_base_[0] = reinterpret_cast<std::uintptr_t>(persistent.levels_.data());
    if (scratch != nullptr) {
        // So that a handle with its mark needs no masking.
        term_base_[1] = reinterpret_cast<std::uintptr_t>(scratch->terms_.data()) -
                        std::uintptr_t{scratch_bit} * sizeof(TermNode);
        level_base_[1] = reinterpret_cast<std::uintptr_t>(scratch->levels_.data()) -
                         std::uintptr_t{scratch_bit} * sizeof(LevelNode);
    }
    zero_ = make_level(LevelNode{LevelKind::zero, false, 0, 0, 0}, true);
    one_ = succ(zero_);
    prop_ = sort(zero_);
    LEANHOST_REQUIRE(is_persistent(zero_) && (scratch == nullptr || is_persistent(prop_)));
}

std::uint64_t TermStore::hash_of(const TermNode& node) noexcept {
    const std::uint64_t children = (std::uint64_t{node.a} << 32) | node.b;
    return mix(children, static_cast<std::uint64_t>(node.kind) | (std::uint64_t{node.extra} << 8));
}

template <class Equal, class Push>
Term TermStore::find_or_push(std::uint64_t hash,
                             bool may_be_persistent,
                             Equal&& equal,
                             Push&& push) {
    if (scratch_ != nullptr && may_be_persistent) {
        if (const Term found = seen_.terms.find(hash, equal))
            return found;
    }
    TermArena& to = target();
    const std::uint32_t index = to.term_table_.find_or_insert(
        hash, [&](std::uint32_t other) { return equal(other | to.mark_); },
        [&](std::uint32_t other) { return hash_of_term(other | to.mark_); },
        [&] { return push(to); });
    return index | to.mark_;
}

Term TermStore::make(TermNode node, bool may_be_persistent) {
    const auto equal = [&](Term other) {
        const TermNode& found = (*this)[other];
        return found.a == node.a && found.b == node.b && found.kind == node.kind &&
               found.extra == node.extra;
    };
    return find_or_push(hash_of(node), may_be_persistent, equal, [&](TermArena& to) {
        const std::uint32_t index = to.terms_.push(node);
        mark_children(node);
        return index;
    });
}

void TermStore::mark_child(Term child) {
    // What is persistent is marked by its one writer only.
    if (is_persistent(child) != (scratch_ == nullptr))
        return;
    TermNode& node = arena(child).terms_[child & ~scratch_bit];
    constexpr std::uint8_t both = TermNode::is_child_flag | TermNode::is_shared_flag;
    const std::uint8_t flags = node.flags;
    if ((flags & both) == both)
        return;
    const bool is_second = (flags & TermNode::is_child_flag) != 0;
    __atomic_store_n(
        &node.flags,
        static_cast<std::uint8_t>(flags | (is_second ? both : TermNode::is_child_flag)),
        __ATOMIC_RELAXED);
}

void TermStore::mark_children(const TermNode& node) {
    switch (node.kind) {
    case TermKind::app:
    case TermKind::lam:
    case TermKind::pi:
    case TermKind::let:
    case TermKind::let_rest:
        mark_child(node.a);
        mark_child(node.b);
        break;
    case TermKind::proj:
        mark_child(node.a);
        break;
    default:
        break;
    }
}

Term TermStore::bvar(std::uint64_t index) {
    if (index >= max_depth)
        fail_too_deep("a de Bruijn index of 65,535 and more");
    const auto i = static_cast<std::uint16_t>(index);
    return make(TermNode::of(TermNode::head_of(TermKind::bvar, 0, i + 1U), i, 0), true);
}

Term TermStore::fvar(std::uint32_t de_bruijn_level, Term type) {
    if (de_bruijn_level >= max_depth)
        fail_too_deep("a term has more than 65,534 nested binders");
    const auto free = std::max((*this)[type].free, static_cast<std::uint16_t>(de_bruijn_level + 1));
    // No substitution reaches into the type: its parameters are those of the declaration.
    return make(TermNode::of(TermNode::head_of(TermKind::fvar, 0, 0, free), type, de_bruijn_level),
                false);
}

Term TermStore::sort(Level of) {
    const std::uint64_t head = TermNode::head_of(TermKind::sort, params_flag(level(of).has_params));
    return make(TermNode::of(head, of, 0), is_persistent(of));
}

Term TermStore::constant(NameId name, Levels list) {
    const auto all = levels(list);
    const bool has_params =
        std::any_of(all.begin(), all.end(), [this](Level l) { return level(l).has_params; });
    const std::uint64_t head = TermNode::head_of(TermKind::constant, params_flag(has_params));
    return make(TermNode::of(head, name, list), is_persistent(list) && is_persistent(name));
}

Term TermStore::app(Term function, Term argument) {
    const TermNode& f = (*this)[function];
    const TermNode& x = (*this)[argument];
    const std::uint64_t head = TermNode::head_of(
        TermKind::app, params_flags(f, x), std::max(f.loose, x.loose), std::max(f.free, x.free));
    return make(TermNode::of(head, function, argument), is_persistent(function | argument));
}

Term TermStore::binder(TermKind kind, Term domain, Term body) {
    const TermNode& d = (*this)[domain];
    const TermNode& b = (*this)[body];
    const std::uint64_t head = TermNode::head_of(
        kind, params_flags(d, b), std::max(d.loose, less_one(b.loose)), std::max(d.free, b.free));
    return make(TermNode::of(head, domain, body), is_persistent(domain | body));
}

Term TermStore::let(Term type, Term value, Term body) {
    const Term rest = binder(TermKind::let_rest, type, body);
    const TermNode& v = (*this)[value];
    const TermNode& r = (*this)[rest];
    const std::uint64_t head = TermNode::head_of(
        TermKind::let, params_flags(v, r), std::max(v.loose, r.loose), std::max(v.free, r.free));
    return make(TermNode::of(head, value, rest), is_persistent(value | rest));
}

Term TermStore::proj(NameId type_name, std::uint64_t index, Term structure) {
    if (index >= max_depth)
        fail_too_deep("a projection with an index of 65,535 and more");
    const TermNode& s = (*this)[structure];
    const std::uint64_t head =
        TermNode::head_of(TermKind::proj, params_flags(s, s), s.loose, s.free, index);
    return make(TermNode::of(head, structure, type_name), is_persistent(structure | type_name));
}

Term TermStore::nat(std::uint64_t value) {
    return make(TermNode::of(TermNode::head_of(TermKind::nat), static_cast<std::uint32_t>(value),
                             static_cast<std::uint32_t>(value >> 32)),
                true);
}

Term TermStore::nat(std::span<const std::uint64_t> limbs) {
    if (limbs.size() <= 1)
        return nat(limbs.empty() ? 0 : limbs[0]);
    const std::string_view bytes(reinterpret_cast<const char*>(limbs.data()), limbs.size() * 8);
    const std::uint64_t hash = hash_bytes(TermKind::big_nat, bytes);
    const auto equal = [&](Term other) {
        std::uint64_t small = 0;
        return kind(other) == TermKind::big_nat &&
               std::ranges::equal(nat_limbs(other, small), limbs);
    };
    return find_or_push(hash, true, equal, [&](TermArena& to) {
        const std::uint32_t first = to.limbs_.extend(limbs.size());
        std::copy(limbs.begin(), limbs.end(), to.limbs_.data() + first);
        return to.terms_.push(TermNode::of(TermNode::head_of(TermKind::big_nat), first,
                                           static_cast<std::uint32_t>(limbs.size())));
    });
}

Term TermStore::string(std::string_view text) {
    const std::uint64_t hash = hash_bytes(TermKind::string, text);
    const auto equal = [&](Term other) {
        return kind(other) == TermKind::string && string_text(other) == text;
    };
    return find_or_push(hash, true, equal, [&](TermArena& to) {
        const std::uint32_t first = to.texts_.extend(text.size());
        std::copy(text.begin(), text.end(), to.texts_.data() + first);
        return to.terms_.push(TermNode::of(TermNode::head_of(TermKind::string), first,
                                           static_cast<std::uint32_t>(text.size())));
    });
}

std::uint64_t TermStore::hash_of_term(Term term) const {
    const TermNode& node = (*this)[term];
    if (node.kind == TermKind::string)
        return hash_bytes(node.kind, string_text(term));
    if (node.kind == TermKind::big_nat) {
        const auto* const limbs = arena(term).limbs_.data() + node.a;
        return hash_bytes(node.kind,
                          {reinterpret_cast<const char*>(limbs), std::size_t{node.b} * 8});
    }
    return hash_of(node);
}

std::span<const std::uint64_t> TermStore::nat_limbs(Term term,
                                                    std::uint64_t& small) const noexcept {
    const TermNode& node = (*this)[term];
    if (node.kind == TermKind::big_nat)
        return {arena(term).limbs_.data() + node.a, node.b};
    small = (std::uint64_t{node.b} << 32) | node.a;
    return {&small, small == 0 ? std::size_t{0} : std::size_t{1}};
}

std::string_view TermStore::string_text(Term term) const noexcept {
    const TermNode& node = (*this)[term];
    return {arena(term).texts_.data() + node.a, node.b};
}

std::span<const Level> TermStore::levels(Levels list) const noexcept {
    const std::uint32_t* const at = arena(list).lists_.data() + (list & ~scratch_bit);
    return {at + 1, *at};
}

Level TermStore::make_level(LevelNode node, bool may_be_persistent) {
    const std::uint64_t hash = hash_of_level(node);
    const auto equal = [&](Level other) {
        const LevelNode& found = level(other);
        return found.a == node.a && found.b == node.b && found.kind == node.kind;
    };
    if (scratch_ != nullptr && may_be_persistent) {
        if (const Level found = seen_.levels.find(hash, equal))
            return found;
    }
    TermArena& to = target();
    const std::uint32_t index = to.level_table_.find_or_insert(
        hash, [&](std::uint32_t other) { return equal(other | to.mark_); },
        [&](std::uint32_t other) { return hash_of_level(level(other | to.mark_)); },
        [&] {
            if (node.depth == max_depth)
                fail_too_deep("a universe level is nested more than 65,534 deep");
            return to.levels_.push(node);
        });
    return index | to.mark_;
}

Level TermStore::succ(Level of) {
    const LevelNode& node = level(of);
    return make_level(
        {LevelKind::succ, node.has_params, static_cast<std::uint16_t>(node.depth + 1), of, 0},
        is_persistent(of));
}

bool TermStore::is_never_zero(Level of) const {
    const LevelNode* node = &level(of);
    while (node->kind == LevelKind::imax)
        node = &level(node->b);
    if (node->kind == LevelKind::max)
        return is_never_zero(node->a) || is_never_zero(node->b);
    return node->kind == LevelKind::succ;
}

Level TermStore::max(Level lhs, Level rhs) {
    if (lhs == rhs || rhs == zero_)
        return lhs;
    if (lhs == zero_)
        return rhs;
    const LevelNode& l = level(lhs);
    const LevelNode& r = level(rhs);
    // max u (max u v) and its like: what nested imax give.
    if (r.kind == LevelKind::max && (r.a == lhs || r.b == lhs))
        return rhs;
    if (l.kind == LevelKind::max && (l.a == rhs || l.b == rhs))
        return lhs;
    return make_level({LevelKind::max, l.has_params || r.has_params,
                       static_cast<std::uint16_t>(std::max(l.depth, r.depth) + 1), lhs, rhs},
                      is_persistent(lhs | rhs));
}

Level TermStore::imax(Level lhs, Level rhs) {
    if (rhs == zero_ || lhs == rhs || lhs == zero_ || lhs == one_)
        return rhs;
    if (level(rhs).kind == LevelKind::succ)
        return max(lhs, rhs);
    return make_imax(lhs, rhs);
}

Level TermStore::imax_as_stated(Level lhs, Level rhs) {
    return rhs == zero_ && level(lhs).has_params ? make_imax(lhs, rhs) : imax(lhs, rhs);
}

Level TermStore::make_imax(Level lhs, Level rhs) {
    const LevelNode& l = level(lhs);
    const LevelNode& r = level(rhs);
    return make_level({LevelKind::imax, l.has_params || r.has_params,
                       static_cast<std::uint16_t>(std::max(l.depth, r.depth) + 1), lhs, rhs},
                      is_persistent(lhs | rhs));
}

Level TermStore::param(NameId name) {
    return make_level({LevelKind::param, true, 0, name, 0}, is_persistent(name));
}

std::uint64_t TermStore::hash_of_list(Levels list) const {
    std::uint64_t hash = 0;
    for (const Level l : levels(list))
        hash = mix(hash, l);
    return hash;
}

Levels TermStore::list(std::span<const Level> all) {
    if (all.empty())
        return no_levels;
    std::uint64_t hash = 0;
    std::uint32_t marks = 0;
    for (const Level l : all) {
        hash = mix(hash, l);
        marks |= l;
    }
    const auto equal = [&](Levels other) { return std::ranges::equal(levels(other), all); };
    if (scratch_ != nullptr && is_persistent(marks)) {
        if (const Levels found = seen_.lists.find(hash, equal))
            return found;
    }
    TermArena& to = target();
    const std::uint32_t first = to.list_table_.find_or_insert(
        hash, [&](std::uint32_t other) { return equal(other | to.mark_); },
        [&](std::uint32_t other) { return hash_of_list(other | to.mark_); },
        [&] {
            const std::uint32_t at = to.lists_.extend(all.size() + 1);
            to.lists_[at] = static_cast<std::uint32_t>(all.size());
            std::copy(all.begin(), all.end(), to.lists_.data() + at + 1);
            return at;
        });
    return first | to.mark_;
}

} // namespace leanhost::kernel
