#include "engine_native/term_transfer.hpp"

#include "base/failure.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace leanhost::engine_native {

using kernel::reject;
using kernel::RejectReason;

// From the last node to the first: whoever wants a node stands behind it.
std::vector<bool> reachable_terms(const TermTable& table, std::span<const TermIndex> roots) {
    std::vector<bool> is_reachable(table.terms().size(), false);
    for (const TermIndex root : roots)
        is_reachable[root] = true;
    for (std::size_t i = is_reachable.size(); i-- > 0;) {
        if (!is_reachable[i])
            continue;
        const TermNode& node = table.terms()[i];
        switch (node.kind) {
        case TermKind::let:
            is_reachable[node.fields[2]] = true;
            [[fallthrough]];
        case TermKind::app:
        case TermKind::lam:
        case TermKind::pi:
            is_reachable[node.fields[0]] = true;
            is_reachable[node.fields[1]] = true;
            break;
        case TermKind::proj:
            is_reachable[node.fields[2]] = true;
            break;
        default:
            break;
        }
    }
    return is_reachable;
}

void TermLoader::load(std::span<const TermIndex> roots) {
    is_wanted_ = reachable_terms(table_, roots);
    mark_levels();
    names_.assign(table_.names().size(), kernel::anonymous);
    levels_.assign(table_.levels().size(), 0);
    for (std::size_t i = 0; i < levels_.size(); ++i) {
        if (is_level_wanted_[i])
            levels_[i] = make_level(table_.levels()[i]);
    }
    terms_.assign(table_.terms().size(), kernel::no_term);
    constexpr std::size_t terms_between_looks = 4096;
    for (std::size_t i = 0; i < terms_.size(); ++i) {
        if (i % terms_between_looks == 0)
            types_.check_limits();
        if (is_wanted_[i])
            terms_[i] = make_term(table_.terms()[i]);
    }
    std::sort(params_.begin(), params_.end());
    params_.erase(std::unique(params_.begin(), params_.end()), params_.end());
}

// From the last node to the first: whoever wants a level stands behind it.
void TermLoader::mark_levels() {
    is_level_wanted_.assign(table_.levels().size(), false);
    for (std::size_t i = 0; i < is_wanted_.size(); ++i) {
        const TermNode& node = table_.terms()[i];
        if (is_wanted_[i] && node.kind == TermKind::sort)
            is_level_wanted_[node.fields[0]] = true;
        if (is_wanted_[i] && node.kind == TermKind::constant) {
            for (const LevelIndex level : table_.levels_of(node))
                is_level_wanted_[level] = true;
        }
    }
    for (std::size_t i = is_level_wanted_.size(); i-- > 0;) {
        const LevelNode& node = table_.levels()[i];
        const bool is_named = node.kind == LevelKind::param || node.kind == LevelKind::mvar;
        for (unsigned field = 0; is_level_wanted_[i] && !is_named && field < num_fields(node.kind);
             ++field)
            is_level_wanted_[node.fields[field]] = true;
    }
}

kernel::NameId TermLoader::name(std::uint32_t position) {
    if (names_[position] == kernel::anonymous)
        names_[position] = checker_.name(table_.names()[position]);
    return names_[position];
}

kernel::Level TermLoader::make_level(const LevelNode& node) {
    kernel::TermStore& store = types_.store();
    switch (node.kind) {
    case LevelKind::zero:
        return store.zero();
    case LevelKind::succ:
        return store.succ(levels_[node.fields[0]]);
    case LevelKind::max:
        return store.max(levels_[node.fields[0]], levels_[node.fields[1]]);
    case LevelKind::imax:
        return store.imax_as_stated(levels_[node.fields[0]], levels_[node.fields[1]]);
    case LevelKind::param: {
        const kernel::NameId id = name(node.fields[0]);
        // Its number stands for "a number" where levels are ordered.
        if (id == kernel::anonymous)
            reject(RejectReason::undeclared_universe_parameter,
                   "a universe parameter without a name");
        params_.push_back(store.param(id));
        return params_.back();
    }
    case LevelKind::mvar:
        reject(RejectReason::metavariable, fmt::format("the universe metavariable {}",
                                                       table_.names()[node.fields[0]].to_string()));
    }
    fail(ErrorCode::internal, "a level of no kind");
}

kernel::Term TermLoader::make_term(const TermNode& node) {
    kernel::TermStore& store = types_.store();
    const auto& fields = node.fields;
    switch (node.kind) {
    case TermKind::bvar:
        return store.bvar(fields[0]);
    case TermKind::fvar:
        reject(RejectReason::free_variable,
               fmt::format("the free variable {}", table_.names()[fields[0]].to_string()));
    case TermKind::mvar:
        reject(RejectReason::metavariable,
               fmt::format("the metavariable {}", table_.names()[fields[0]].to_string()));
    case TermKind::sort:
        return store.sort(levels_[fields[0]]);
    case TermKind::constant:
        return make_constant(node);
    case TermKind::app:
        return store.app(terms_[fields[0]], terms_[fields[1]]);
    case TermKind::lam:
        return store.lam(terms_[fields[0]], terms_[fields[1]]);
    case TermKind::pi:
        return store.pi(terms_[fields[0]], terms_[fields[1]]);
    case TermKind::let:
        return store.let(terms_[fields[0]], terms_[fields[1]], terms_[fields[2]]);
    case TermKind::proj:
        return store.proj(name(fields[0]), fields[1], terms_[fields[2]]);
    case TermKind::nat:
        return make_nat(table_.texts()[fields[0]]);
    case TermKind::string:
        return store.string(table_.texts()[fields[0]]);
    }
    fail(ErrorCode::internal, "a term of no kind");
}

kernel::Term TermLoader::make_constant(const TermNode& node) {
    const kernel::NameId id = name(node.fields[0]);
    if (id == kernel::anonymous)
        reject(RejectReason::unknown_constant, "a constant without a name");
    std::vector<kernel::Level> levels;
    for (const LevelIndex level : table_.levels_of(node))
        levels.push_back(levels_[level]);
    return types_.store().constant(id, levels.empty() ? kernel::no_levels
                                                      : types_.store().list(levels));
}

kernel::Term TermLoader::make_nat(std::string_view bytes) {
    // As for the results of the built-in operations.
    constexpr std::size_t most_bytes = std::size_t{16} << 20;
    constexpr std::size_t limb_bytes = sizeof(std::uint64_t);
    if (bytes.size() > most_bytes)
        fail(ErrorCode::resource_exhausted,
             fmt::format("a literal of {} bytes, at most {} are taken", bytes.size(), most_bytes));
    std::vector<std::uint64_t> limbs((bytes.size() + limb_bytes - 1) / limb_bytes);
    for (std::size_t i = 0; i < bytes.size(); ++i)
        limbs[i / limb_bytes] |= std::uint64_t{static_cast<unsigned char>(bytes[i])}
                                 << (8 * (i % limb_bytes));
    return limbs.size() <= 1 ? types_.store().nat(limbs.empty() ? 0 : limbs[0])
                             : types_.store().nat(limbs);
}

TermIndex TermWriter::write(kernel::Term root) {
    std::size_t count = 0;
    pending_.push_back(root);
    while (!pending_.empty()) {
        constexpr std::size_t terms_between_looks = 4096;
        if (++count % terms_between_looks == 0)
            types_.check_limits();
        const kernel::Term term = pending_.back();
        if (!known_.contains(term)) {
            if (push_missing(store_[term]))
                continue; // once what it is made of is there
            if (builder_.num_terms() >= TermTable::max_terms)
                fail(ErrorCode::resource_exhausted,
                     fmt::format("a term of more than {} nodes", TermTable::max_terms));
            known_.emplace(term, node(term));
        }
        pending_.pop_back();
    }
    return at(root);
}

TermTable TermWriter::take() {
    Expected<TermTable> table = builder_.take();
    if (!table)
        fail(ErrorCode::resource_exhausted, table.error().message());
    return *std::move(table);
}

bool TermWriter::push_if_missing(kernel::Term term) {
    if (known_.contains(term))
        return false;
    pending_.push_back(term);
    return true;
}

// Whether there was something to push.
bool TermWriter::push_missing(const kernel::TermNode& node) {
    switch (node.kind) {
    case kernel::TermKind::app:
    case kernel::TermKind::lam:
    case kernel::TermKind::pi: {
        const bool first = push_if_missing(node.a);
        return push_if_missing(node.b) || first;
    }
    case kernel::TermKind::let: {
        const kernel::TermNode& rest = store_[node.b];
        const bool value = push_if_missing(node.a);
        const bool type = push_if_missing(rest.a);
        return push_if_missing(rest.b) || value || type;
    }
    case kernel::TermKind::proj:
        return push_if_missing(node.a);
    default:
        return false;
    }
}

TermIndex TermWriter::node(kernel::Term term) {
    const kernel::TermNode& node = store_[term];
    switch (node.kind) {
    case kernel::TermKind::bvar:
        return builder_.bvar(node.a);
    case kernel::TermKind::sort:
        return builder_.sort(write_level(node.a));
    case kernel::TermKind::constant:
        return constant(node);
    case kernel::TermKind::app:
        return builder_.app(at(node.a), at(node.b));
    case kernel::TermKind::lam:
        return builder_.lam(at(node.a), at(node.b));
    case kernel::TermKind::pi:
        return builder_.pi(at(node.a), at(node.b));
    case kernel::TermKind::let:
        return builder_.let(at(store_[node.b].a), at(node.a), at(store_[node.b].b));
    case kernel::TermKind::proj:
        return builder_.proj(name(node.b), node.extra, at(node.a));
    case kernel::TermKind::nat:
    case kernel::TermKind::big_nat:
        return nat(term);
    case kernel::TermKind::string:
        return builder_.string(store_.string_text(term));
    case kernel::TermKind::fvar:
    case kernel::TermKind::let_rest:
        break;
    }
    fail(ErrorCode::internal, "a term that is not closed, or none");
}

TermIndex TermWriter::constant(const kernel::TermNode& node) {
    const auto list = store_.levels(node.b);
    std::vector<LevelIndex> levels;
    for (const kernel::Level level : std::vector<kernel::Level>(list.begin(), list.end()))
        levels.push_back(write_level(level));
    return builder_.constant(name(node.a), levels);
}

TermIndex TermWriter::nat(kernel::Term term) {
    std::uint64_t small = 0;
    std::string bytes;
    for (std::uint64_t limb : store_.nat_limbs(term, small)) {
        for (unsigned i = 0; i < sizeof(limb); ++i, limb >>= 8U)
            bytes.push_back(static_cast<char>(limb & 0xFFU));
    }
    return builder_.nat_bytes(bytes);
}

bool TermWriter::push_if_missing_level(kernel::Level level) {
    if (known_levels_.contains(level))
        return false;
    pending_levels_.push_back(level);
    return true;
}

LevelIndex TermWriter::write_level(kernel::Level root) {
    pending_levels_.push_back(root);
    while (!pending_levels_.empty()) {
        const kernel::Level level = pending_levels_.back();
        if (!known_levels_.contains(level)) {
            const kernel::LevelNode& node = store_.level(level);
            bool has_pushed = false;
            if (node.kind != kernel::LevelKind::zero && node.kind != kernel::LevelKind::param)
                has_pushed = push_if_missing_level(node.a);
            if (node.kind == kernel::LevelKind::max || node.kind == kernel::LevelKind::imax)
                has_pushed = push_if_missing_level(node.b) || has_pushed;
            if (has_pushed)
                continue;
            known_levels_.emplace(level, level_node(level));
        }
        pending_levels_.pop_back();
    }
    return known_levels_.find(root)->second;
}

LevelIndex TermWriter::level_node(kernel::Level level) {
    const kernel::LevelNode& node = store_.level(level);
    const auto at_level = [&](kernel::Level of) { return known_levels_.find(of)->second; };
    switch (node.kind) {
    case kernel::LevelKind::zero:
        return builder_.level_zero();
    case kernel::LevelKind::succ:
        return builder_.level_succ(at_level(node.a));
    case kernel::LevelKind::max:
        return builder_.level_max(at_level(node.a), at_level(node.b));
    case kernel::LevelKind::imax:
        return builder_.level_imax(at_level(node.a), at_level(node.b));
    case kernel::LevelKind::param:
        return builder_.level_param(name(node.a));
    }
    fail(ErrorCode::internal, "a level of no kind");
}

} // namespace leanhost::engine_native
