#pragma once

#include "cli/progress_line.hpp"

#include <leanhost/drain_on_signal.hpp>
#include <leanhost/worker_pool.hpp>

#include <mutex>
#include <string>

namespace leanhost::cli {

/// Many jobs, each in a worker of a pool, as many at once as there may be workers. What a job says
/// is printed in one piece when it is over; one that fails is told and counted, and the others go
/// on. SIGTERM and SIGINT end the sweep when what was begun has been finished.
class PoolSweep {
public:
    /// What the jobs are called: `what` in the plural, and a label for each.
    PoolSweep(WorkerPool& pool,
              std::chrono::milliseconds drain_wait,
              std::string what,
              std::vector<std::string> labels);

    /// Does the job number `i`, in a worker that it leases from `pool`, and adds to `text` what is
    /// to be printed. Called on several threads. Throws Failure.
    using Job = std::function<void(WorkerPool& pool, std::size_t i, std::string& text)>;
    /// The exit status: of the signal that ended it, or of the first failure, or 0.
    int run(std::size_t num_workers, const Job& job);

private:
    void run_some(const Job& job);
    void tell_failure(const std::string& label, const Error& error);

    WorkerPool& pool_;
    const DrainOnSignal signals_;
    const std::string what_;
    const std::vector<std::string> labels_;
    std::atomic<std::size_t> next_ = 0;
    std::mutex mutex_;
    // Guarded by mutex_.
    ProgressLine progress_;
    std::size_t done_ = 0;
    std::size_t failed_ = 0;
    std::optional<ErrorCode> first_failure_;
};

} // namespace leanhost::cli
