#pragma once

#include "kernel/term.hpp"

#include <span>
#include <string_view>

namespace leanhost::kernel {

/// Where terms and levels stand: one persistent, one scratch for each checker.
class TermArena {
public:
    /// Handles of this arena have the bits of `mark`. Where `expected_terms` fill huge pages, these
    /// are what they get.
    TermArena(std::uint32_t mark, std::uint32_t table_slots, std::size_t expected_terms = 0);

    std::size_t bytes() const noexcept;
    /// What is in use, without the room of tables.
    std::size_t load_bytes() const noexcept;
    /// What is there now, to be looked up by others while one thread adds.
    struct View {
        IndexTable::View terms;
        IndexTable::View levels;
        IndexTable::View lists;
    };
    View view() const noexcept;
    /// From now on a view holds for as long as the arena.
    void keep_old_tables() noexcept;
    /// What each of its arrays may take at most, if more is asked for.
    void set_max_bytes(std::size_t max_bytes) noexcept;
    /// Drops all. Keeps about `keep_bytes` of pages for what comes next.
    void reset(std::size_t keep_bytes);

private:
    friend class TermStore;
    void begin();

    std::uint32_t mark_;
    std::uint32_t table_slots_;
    ReservedArray<TermNode> terms_;
    ReservedArray<LevelNode> levels_;
    ReservedArray<std::uint32_t> lists_; ///< length, then the levels
    ReservedArray<std::uint64_t> limbs_;
    ReservedArray<char> texts_;
    IndexTable term_table_;
    IndexTable level_table_;
    IndexTable list_table_;
};

/// Makes and reads terms. Without scratch it writes what is persistent; with scratch it finds what
/// is persistent and writes scratch only.
///
/// Throws Failure `deep_recursion` for terms with 65,535 nested binders or levels as deep as that.
class TermStore {
public:
    explicit TermStore(TermArena& persistent, TermArena* scratch = nullptr);

    const TermNode& operator[](Term term) const noexcept {
        return *reinterpret_cast<const TermNode*>(term_base_[term >> 31] +
                                                  std::uintptr_t{term} * sizeof(TermNode));
    }
    TermKind kind(Term term) const noexcept { return (*this)[term].kind; }
    const LevelNode& level(Level level) const noexcept {
        return *reinterpret_cast<const LevelNode*>(level_base_[level >> 31] +
                                                   std::uintptr_t{level} * sizeof(LevelNode));
    }
    std::span<const Level> levels(Levels list) const noexcept;

    Term bvar(std::uint64_t index);
    Term fvar(std::uint32_t de_bruijn_level, Term type);
    Term sort(Level level);
    Term constant(NameId name, Levels levels);
    Term app(Term function, Term argument);
    Term lam(Term domain, Term body) { return binder(TermKind::lam, domain, body); }
    Term pi(Term domain, Term body) { return binder(TermKind::pi, domain, body); }
    Term binder(TermKind kind, Term domain, Term body);
    Term let(Term type, Term value, Term body);
    Term proj(NameId type_name, std::uint64_t index, Term structure);
    Term nat(std::uint64_t value);
    /// Least significant first, no leading zeros.
    Term nat(std::span<const std::uint64_t> limbs);
    Term string(std::string_view text);

    /// Of `nat` or `big_nat`. The small one's limb is written to `small`.
    std::span<const std::uint64_t> nat_limbs(Term term, std::uint64_t& small) const noexcept;
    std::string_view string_text(Term term) const noexcept;

    // Levels are simplified as they are made: max 0 u = u, imax 1 u = u, imax u 0 = 0 and the like.
    Level zero() const noexcept { return zero_; }
    Level one() const noexcept { return one_; }
    Level succ(Level of);
    Level max(Level lhs, Level rhs);
    Level imax(Level lhs, Level rhs);
    /// Of what is read: loses no parameter. Whether they are declared is still to be checked.
    Level imax_as_stated(Level lhs, Level rhs);
    Level param(NameId name);
    Levels list(std::span<const Level> levels);
    bool is_never_zero(Level level) const;

    Term prop() const noexcept { return prop_; }

    /// Finds from now on what is persistent in `view`, and nothing that was added after it.
    void see(const TermArena::View& view) noexcept { seen_ = view; }
    void see_all() noexcept { seen_ = persistent_.view(); }
    /// How many terms, levels and lists that is.
    std::uint64_t num_persistent_seen() const noexcept {
        return std::uint64_t{seen_.terms.end} + seen_.levels.end + seen_.lists.end;
    }

    // For a writer that knows some terms ahead: see ExportLoader.
    /// The handle that the next term gets which is not there yet.
    Term next_term() noexcept { return target().terms_.size() | target().mark_; }
    /// Fetches what making app, lam or pi of these will look at.
    void prefetch(TermKind kind, Term a, Term b) noexcept {
        target().term_table_.prefetch(hash_of(TermNode::of(TermNode::head_of(kind), a, b)));
    }

private:
    TermArena& target() noexcept { return scratch_ != nullptr ? *scratch_ : persistent_; }
    TermArena& arena(std::uint32_t handle) const noexcept {
        return (handle & scratch_bit) != 0 ? *scratch_ : persistent_;
    }
    Term make(TermNode node, bool may_be_persistent);
    template <class Equal, class Push>
    Term find_or_push(std::uint64_t hash, bool may_be_persistent, Equal&& equal, Push&& push);
    Level make_imax(Level lhs, Level rhs);
    void mark_children(const TermNode& node);
    void mark_child(Term child);
    Level make_level(LevelNode node, bool may_be_persistent);
    static std::uint64_t hash_of(const TermNode& node) noexcept;
    std::uint64_t hash_of_term(Term term) const;
    std::uint64_t hash_of_list(Levels list) const;

    TermArena& persistent_;
    TermArena* scratch_;
    TermArena::View seen_; ///< with scratch: what of the persistent arena is looked up
    std::uintptr_t term_base_[2];
    std::uintptr_t level_base_[2];
    Level zero_;
    Level one_;
    Term prop_;
};

} // namespace leanhost::kernel
