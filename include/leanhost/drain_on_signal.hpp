#pragma once

#include <leanhost/worker_pool.hpp>

#include <memory>

namespace leanhost {

/// Drains a pool when this program is told to end: at the first SIGTERM or SIGINT the pool admits
/// nothing any more, requests that run get `patience` to finish, and all children end. What comes
/// next is the program's to do: acquire fails with admission_refused (rule: drained) meanwhile, and
/// `signal` tells why.
///
/// A second such signal does what it would have done without this: as a rule it ends the program at
/// once, and the kernel ends the workers with it. A signal that was ignored stays so. The handler
/// only wakes a thread, which does the work. One of these at a time in a program. Thread-safe.
class DrainOnSignal {
public:
    /// `pool` must outlive this and not be moved meanwhile.
    /// Errors: invalid_argument (there is one already), resource_exhausted.
    static Expected<DrainOnSignal> watch(WorkerPool& pool, std::chrono::milliseconds patience);
    DrainOnSignal(DrainOnSignal&&) noexcept;
    DrainOnSignal& operator=(DrainOnSignal&&) = delete;
    /// Puts the handlers back that were there before. Waits for a drain that has begun.
    ~DrainOnSignal();

    /// The signal that came first; nullopt: none so far.
    std::optional<int> signal() const noexcept;

private:
    class Watch;
    explicit DrainOnSignal(std::unique_ptr<Watch> watch) noexcept;
    std::unique_ptr<Watch> watch_;
};

/// What a shell shows of a program that a signal has ended: 128 and its number.
constexpr int exit_status_of_signal(int signal) noexcept {
    return 128 + signal;
}

} // namespace leanhost
