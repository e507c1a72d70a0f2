#pragma once

#include "kernel/checker.hpp"
#include "kernel/module_plan.hpp"
#include "kernel/term_lifter.hpp"
#include "module/constant_index.hpp"

#include <functional>
#include <memory>

namespace leanhost::kernel {

/// What a check over a closure may cost.
struct ClosureLimits {
    std::uint64_t max_heartbeats = 0;  ///< for one declaration; 0: without limit
    std::size_t max_scratch_bytes = 0; ///< terms at a time; 0: without limit
    /// Lifted terms, names and results that are kept from one declaration to the next.
    std::size_t keep_bytes = std::size_t{2} << 20;
    /// Pages of what was dropped, kept for what is lifted next: worth it for whoever checks much.
    std::size_t spare_bytes = 0;
};

/// Checks declarations of an imported closure, on one thread.
///
/// What stands before is taken as given: modules before the declaration's own, in import order, and
/// in its own module what the plan places before it. Constants are lifted from the regions when
/// they are first asked for, their values when they are first unfolded. All that was lifted, with
/// every result, is dropped at once when there is more than `keep_bytes` between two declarations.
///
/// Borrows closure and index, and the plans it is given. Deep terms need a large stack.
class ClosureChecker {
public:
    /// The plan of a module of the closure; it must stay as long as the checker.
    using PlanOf = std::function<const ModulePlan&(std::uint32_t module)>;

    ClosureChecker(const module::ImportClosure& closure,
                   const module::ConstantIndex& index,
                   PlanOf plan_of,
                   const ClosureLimits& limits);
    ~ClosureChecker();
    ClosureChecker(const ClosureChecker&) = delete;
    ClosureChecker& operator=(const ClosureChecker&) = delete;

    /// The verdict on a declaration of the module's plan. Throws Failure: invalid_input (what is no
    /// constant or term: file, offset); cancelled.
    Verdict check(std::uint32_t module, std::uint32_t declaration);

    /// Readies the checker for terms of the caller's, over all constants of the closure. What was
    /// lifted or found out for it is valid until the next call of this or of `check`.
    TypeChecker& open_all();
    /// Puts a term of the closure's regions into the open checker's store. Throws as `check` does,
    /// and Rejection.
    Term lift(const module::Region& region, object::ExprRef expr);
    /// Interns a name for the open checker.
    NameId name(const Name& name);

    /// What is asked of the open checker from now on is one piece of work, whose terms may have
    /// these universe parameters.
    void begin_query(Levels params);
    /// The verdict on a new declaration, whose terms and names are the open checker's, after all
    /// constants of the closure. Throws as `check` does.
    Verdict check_new(const Declaration& declaration);

    /// How deep the stack may reach; see TypeChecker.
    void set_stack_limit(std::uintptr_t limit) noexcept;
    void set_token(CancellationToken token);
    void set_stop_token(CancellationToken token);
    /// Who is told of heartbeats, or null; see TypeChecker.
    void set_monitor(Monitor* monitor) noexcept;
    /// From now on.
    void set_limits(const ClosureLimits& limits) noexcept;

    std::uint64_t total_heartbeats() const noexcept;
    std::uint64_t total_reductions() const noexcept;
    std::uint64_t num_drops() const noexcept { return num_drops_; }
    /// Everything it holds.
    std::size_t bytes() const noexcept;
    /// Lets everything go that was lifted.
    void drop();

private:
    class State;

    State& state_for(Ordinal ordinal);
    void end_state();

    const module::ImportClosure& closure_;
    const module::ConstantIndex& index_;
    const PlanOf plan_of_;
    ClosureLimits limits_;
    std::vector<Ordinal> first_ordinals_; ///< by module, and one behind the last
    std::uintptr_t stack_limit_ = 0;
    CancellationToken token_;
    CancellationToken stop_token_;
    Monitor* monitor_ = nullptr;
    SpareRanges spare_;            ///< what one state leaves to the next
    std::unique_ptr<State> state_; ///< null: nothing lifted
    bool is_broken_ = false;       ///< dropped before it is used again: that may take its time
    std::uint64_t past_heartbeats_ = 0;
    std::uint64_t past_reductions_ = 0;
    std::uint64_t num_drops_ = 0;
};

} // namespace leanhost::kernel
