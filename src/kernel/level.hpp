#pragma once

#include "kernel/term_store.hpp"

#include <functional>
#include <vector>

namespace leanhost::kernel {

/// Questions about levels, answered for every assignment of naturals to the parameters.
class LevelOrder {
public:
    explicit LevelOrder(TermStore& store) : store_(store), instantiated_(64) {}

    /// Is called now and then during a long comparison, and may end it by what it throws.
    void set_watch(std::function<void()> watch) { watch_ = std::move(watch); }

    /// A level less deep than this is walked as if nothing in it were shared.
    static constexpr std::uint16_t least_shared_depth = 8;

    /// lhs ≤ rhs under every assignment. Complete: parameters below an `imax` are split into zero
    /// and positive. Throws Failure `resource_exhausted` where that grows beyond bounds.
    bool leq(Level lhs, Level rhs);
    bool equal(Level lhs, Level rhs) { return lhs == rhs || (leq(lhs, rhs) && leq(rhs, lhs)); }
    bool equal_lists(Levels lhs, Levels rhs);
    bool is_zero(Level level) { return level == store_.zero() || leq(level, store_.zero()); }

    /// `level` with `names[i]` (parameters) replaced by `values[i]`.
    Level instantiate(Level level, Levels names, Levels values);

private:
    enum class Known : std::uint8_t { zero, positive };
    /// The greatest of some atoms: a parameter plus an offset, or an offset alone (name 0).
    struct Atom {
        NameId name;
        std::uint32_t offset;
    };
    struct Assumption {
        NameId name;
        Known known;
    };

    bool leq_under(Level lhs, Level rhs);
    bool split(NameId name, Level lhs, Level rhs);
    /// Fills `out`; or returns the parameter that has to be known first (0: none).
    NameId atoms(Level level, std::uint32_t offset, std::vector<Atom>& out);
    NameId imax_atoms(const LevelNode& node, std::uint32_t offset, std::vector<Atom>& out);
    bool is_dominated(const Atom& atom, const std::vector<Atom>& by) const;
    const Assumption* assumed(NameId name) const;
    void step(std::size_t count = 1);
    Level instantiate_core(Level level, Levels names, Levels values);

    TermStore& store_;
    KeyMap<Level, Level> instantiated_; ///< of one `instantiate`
    std::vector<Assumption> assumptions_;
    std::uint64_t steps_ = 0;
    std::function<void()> watch_;
};

} // namespace leanhost::kernel
