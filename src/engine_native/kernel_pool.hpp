#pragma once

#include "base/monitor.hpp"
#include "kernel/check_stack.hpp"
#include "kernel/closure_checker.hpp"
#include "memory/meter.hpp"

#include <leanhost/verdict.hpp>

#include <mutex>
#include <thread>

namespace leanhost::engine_native {

/// A checker over a loaded closure, for one call at a time.
class CallChecker {
public:
    CallChecker(const module::ImportClosure& closure,
                const module::ConstantIndex& index,
                std::size_t keep_bytes);
    CallChecker(const CallChecker&) = delete;
    CallChecker& operator=(const CallChecker&) = delete;

    kernel::ClosureChecker& checker() noexcept { return checker_; }
    /// The plan of a module; valid until that of another is asked for.
    const kernel::ModulePlan& plan(std::uint32_t module);

    /// Readies it for a call: what it may cost, and who is told. Borrows the monitor.
    void begin(const KernelOptions& options, Monitor& monitor, std::uintptr_t stack_limit);
    /// The call is over: nothing of it is referred to any more.
    void end() noexcept;
    Monitor& monitor() const noexcept { return *monitor_; }

    std::size_t bytes() const noexcept;
    /// What it has found out is not to be used again.
    void spoil() noexcept { is_spoilt_ = true; }
    bool is_spoilt() const noexcept { return is_spoilt_; }

private:
    const module::ImportClosure& closure_;
    std::unique_ptr<const kernel::ModulePlan> plan_; // of the module that was last asked for
    std::uint32_t planned_module_ = 0;
    Monitor* monitor_ = nullptr; // null: no call
    bool is_spoilt_ = false;
    kernel::ClosureChecker checker_;
};

/// The checkers of a loaded closure. A call takes one that is idle, or a new one, so that calls of
/// many threads run side by side; at most `keep_bytes` stay with those that are idle, and what they
/// hold is metered. Thread-safe. Borrows closure and index.
class KernelPool {
public:
    /// What idle checkers may hold together: enough to be warm for terms of common size, little
    /// enough to be no growth that anybody sees.
    static constexpr std::size_t keep_bytes = std::size_t{256} << 10;

    KernelPool(const module::ImportClosure& closure, const module::ConstantIndex& index)
        : closure_(closure), index_(index) {}

    ~KernelPool();

    /// Calls `body(CallChecker&)` on a stack on which terms of any depth can be checked. A checker
    /// whose call fails is not used again.
    template <class F>
    auto run(const KernelOptions& options, Monitor& monitor, F&& body) {
        return kernel::run_on_check_stack(
            [&](std::uintptr_t stack_limit) {
                std::unique_ptr<CallChecker> checker = take();
                checker->begin(options, monitor, stack_limit);
                try {
                    auto result = body(*checker);
                    give_back(std::move(checker));
                    return result;
                } catch (...) {
                    release(std::move(checker));
                    throw;
                }
            },
            deep_call_stack_bytes);
    }

    /// Of idle checkers.
    std::size_t idle_bytes() const;

private:
    std::unique_ptr<CallChecker> take();
    void give_back(std::unique_ptr<CallChecker> checker) noexcept;
    bool try_keep(std::unique_ptr<CallChecker>& checker) noexcept;
    void release(std::unique_ptr<CallChecker> checker) noexcept;

    struct Idle {
        std::unique_ptr<CallChecker> checker;
        memory::MeteredBytes bytes;
    };

    const module::ImportClosure& closure_;
    const module::ConstantIndex& index_;
    memory::Meter meter_{"kernel_terms"};
    mutable std::mutex mutex_;
    std::vector<Idle> idle_; // guarded by mutex_
    std::mutex release_mutex_;
    std::thread releasing_; // guarded by release_mutex_; lets one great checker go
};

} // namespace leanhost::engine_native
