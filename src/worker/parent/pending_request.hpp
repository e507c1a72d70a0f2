#pragma once

#include "worker/parent/event_loop.hpp"
#include "worker/parent/quarantine.hpp"
#include "worker/protocol/worker_messages.pb.h"

#include <leanhost/error.hpp>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <optional>

namespace leanhost::worker {

/// Why a request was told to end before it was done.
enum class CancelCause : std::uint8_t { none, caller, deadline };

/// A request on its way: what the loop's thread has received for it waits here for the caller's.
/// Bounded by the credit that was given. Thread-safe where it does not say otherwise.
class PendingRequest {
public:
    using Clock = EventLoop::Clock;

    PendingRequest(std::uint64_t id,
                   std::uint64_t credit_bytes,
                   std::optional<RequestFingerprint> fingerprint,
                   bool counts,
                   bool expects_descriptor)
        : id_(id), fingerprint_(std::move(fingerprint)), counts_(counts),
          expects_descriptor_(expects_descriptor), credit_bytes_(credit_bytes) {}

    std::uint64_t id() const noexcept { return id_; }
    const std::optional<RequestFingerprint>& fingerprint() const noexcept { return fingerprint_; }
    bool counts() const noexcept { return counts_; }
    /// Its answer comes with a child's pidfd.
    bool expects_descriptor() const noexcept { return expects_descriptor_; }
    Clock::time_point sent_at() const noexcept { return sent_at_; }

    /// @name The loop's thread
    /// @{
    /// Rows or progress. False when the child sent more than it had credit for.
    bool add(wire::FromWorker event);
    void finish(wire::Summary summary);
    void fail(Error error);
    /// @}

    /// @name The caller's thread
    /// @{
    /// The next event, or nullopt when the request has ended and all events were taken, or at
    /// `until`.
    std::optional<wire::FromWorker> wait_for_event(Clock::time_point until);
    bool has_ended() const;
    /// An event waits, or it has ended.
    bool has_news() const;
    /// After the end: its failure, if it failed.
    std::optional<Error> error() const;
    /// After the end, once.
    wire::Summary take_summary();
    void add_credit(std::uint64_t bytes);
    /// Nobody waits for it any more: events are dropped as they come.
    void abandon();
    /// @}

    /// Some of its bytes were given to the child's socket.
    void mark_entered() noexcept { has_entered_ = true; }
    bool has_entered() const noexcept { return has_entered_; }

    /// Returns false when it was cancelled before.
    bool mark_cancelled(CancelCause cause);
    CancelCause cancel_cause() const;
    std::optional<Clock::time_point> cancelled_at() const;

private:
    const std::uint64_t id_;
    const std::optional<RequestFingerprint> fingerprint_;
    const bool counts_;
    const bool expects_descriptor_;
    const Clock::time_point sent_at_ = Clock::now();
    std::atomic<bool> has_entered_{false};
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    // Guarded by mutex_.
    std::deque<wire::FromWorker> events_;
    std::uint64_t credit_bytes_; ///< given and not yet used
    bool is_abandoned_ = false;
    bool has_ended_ = false;
    wire::Summary summary_;
    std::optional<Error> error_;
    CancelCause cancel_cause_ = CancelCause::none;
    std::optional<Clock::time_point> cancelled_at_;
};

/// What a batch takes of the credit: its rows, and a little for each.
std::uint64_t credit_of(const wire::RowBatch& batch);

} // namespace leanhost::worker
