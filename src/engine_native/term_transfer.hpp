#pragma once

#include "kernel/closure_checker.hpp"

#include <leanhost/term.hpp>

#include <absl/container/flat_hash_map.h>

namespace leanhost::engine_native {

/// Which terms of the table `roots` are made of, themselves included.
std::vector<bool> reachable_terms(const TermTable& table, std::span<const TermIndex> roots);

/// Puts terms of a table into an open checker's store, those that are wanted and what they are made
/// of, shared as in the table. No recursion: depth costs nothing.
/// Throws kernel::Rejection for free variables and metavariables; Failure deep_recursion,
/// resource_exhausted.
class TermLoader {
public:
    /// Borrows both.
    TermLoader(kernel::ClosureChecker& checker, kernel::TypeChecker& types, const TermTable& table)
        : checker_(checker), types_(types), table_(table) {}

    /// Afterwards `operator[]` answers for these.
    void load(std::span<const TermIndex> roots);
    kernel::Term operator[](TermIndex index) const { return terms_[index]; }
    /// The universe parameters that stand in what was loaded, each once.
    const std::vector<kernel::Level>& params() const noexcept { return params_; }

private:
    void mark_levels();
    kernel::Level make_level(const LevelNode& node);
    kernel::Term make_term(const TermNode& node);
    kernel::Term make_constant(const TermNode& node);
    kernel::Term make_nat(std::string_view bytes);
    kernel::NameId name(std::uint32_t position);

    kernel::ClosureChecker& checker_;
    kernel::TypeChecker& types_;
    const TermTable& table_;
    std::vector<bool> is_wanted_;
    std::vector<bool> is_level_wanted_;
    std::vector<kernel::Level> levels_;
    std::vector<kernel::Term> terms_;
    std::vector<kernel::NameId> names_; // 0: not asked for yet, or anonymous
    std::vector<kernel::Level> params_;
};

/// Makes a table of terms of a checker's store. Throws Failure resource_exhausted for what is
/// beyond a table's bounds; cancelled, by the checker's limits.
class TermWriter {
public:
    explicit TermWriter(kernel::TypeChecker& types) : types_(types), store_(types.store()) {}

    /// What has no free variable. Shared with what was written before.
    TermIndex write(kernel::Term root);
    TermTable take();

private:
    bool push_missing(const kernel::TermNode& node);
    bool push_if_missing(kernel::Term term);
    TermIndex node(kernel::Term term);
    TermIndex at(kernel::Term term) const { return known_.find(term)->second; }
    LevelIndex write_level(kernel::Level root);
    bool push_if_missing_level(kernel::Level level);
    LevelIndex level_node(kernel::Level level);
    TermIndex constant(const kernel::TermNode& node);
    TermIndex nat(kernel::Term term);
    Name name(kernel::NameId id) const { return types_.names().to_name(id); }

    kernel::TypeChecker& types_;
    kernel::TermStore& store_;
    TermTableBuilder builder_;
    absl::flat_hash_map<kernel::Term, TermIndex> known_;
    absl::flat_hash_map<kernel::Level, LevelIndex> known_levels_;
    std::vector<kernel::Term> pending_;
    std::vector<kernel::Level> pending_levels_;
};

} // namespace leanhost::engine_native
