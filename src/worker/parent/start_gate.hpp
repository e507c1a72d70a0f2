#pragma once

#include "worker/parent/restart_intensity.hpp"

#include <leanhost/session.hpp>
#include <leanhost/worker_options.hpp>

#include <mutex>

namespace leanhost::worker {

/// Lets children be started, and starts that follow a failure only as often as RestartIntensity
/// allows. Shared by all workers of one key: a key whose children always die is held back as a
/// whole. Thread-safe.
class StartGate {
public:
    using Clock = std::chrono::steady_clock;

    /// For `workers` that share it: each adds its max_unplanned_restarts.
    explicit StartGate(const WorkerOptions& options, std::size_t workers = 1);

    /// A child ended unplanned, or could not be brought to serve; `how` is for people.
    void record_failure(std::string how);
    void record_success();

    /// Returns when a child may be started. Throws Failure `restart_limit` (facts: retry_after_ms,
    /// work_entered_child = false) when that is not before `give_up_at`;
    /// `cancelled`.
    void pass(Clock::time_point give_up_at, const CallOptions* call_options);

private:
    StartAnswer ask(Clock::time_point now);
    [[noreturn]] void refuse(const StartAnswer& answer) const;

    mutable std::mutex mutex_;
    // Guarded by mutex_.
    RestartIntensity intensity_;
    std::uint32_t failures_owed_ = 0; ///< that no start has followed yet
    std::string last_failure_;
};

} // namespace leanhost::worker
