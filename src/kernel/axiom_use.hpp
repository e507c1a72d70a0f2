#pragma once

#include "kernel/environment.hpp"

#include <map>

namespace leanhost::kernel {

/// The axioms that each declaration rests on: those that its types and values mention, and those
/// that what they mention rests on. A string literal mentions all that it stands for.
///
/// Takes declarations in order, each after all that it mentions. Keeps 4 bytes for each term and
/// name that was met, and each set of axioms once.
class AxiomUse {
public:
    using AxiomSet = std::uint32_t;

    /// `store` is that of the declarations' terms. Borrows both.
    AxiomUse(const TermStore& store, const KernelNames& known);

    /// The set of all that `declaration` declares. Throws Failure resource_exhausted when the
    /// different sets together have more than `max_members` members.
    AxiomSet add(const Declaration& declaration);
    /// In the order in which they were named.
    const std::vector<NameId>& axioms(AxiomSet set) const { return *sets_[set]; }
    std::size_t bytes() const noexcept;

    static constexpr std::size_t max_members = std::size_t{1} << 24;

private:
    void collect(Term term);
    void visit(Term term);
    void mention(NameId name);
    void mention_string_literal();
    AxiomSet intern(std::vector<NameId> axioms);

    const TermStore& store_;
    const KernelNames& known_;
    std::uint32_t declaration_ = 0;
    std::vector<std::uint32_t> seen_; ///< by term: the last declaration that it was met in
    std::vector<Term> waiting_;
    std::vector<AxiomSet> found_;       ///< in the declaration at hand, each once
    std::vector<AxiomSet> set_of_name_; ///< 0, the empty set: also for what is no constant
    std::map<std::vector<NameId>, AxiomSet> set_ids_;
    std::vector<const std::vector<NameId>*> sets_; ///< keys of set_ids_
    std::size_t num_members_ = 0;
};

} // namespace leanhost::kernel
