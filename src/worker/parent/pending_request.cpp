#include "worker/parent/pending_request.hpp"

namespace leanhost::worker {
namespace {

// The sender takes what a row costs beside its bytes to be as much: row_writer.cpp.
constexpr std::uint64_t row_overhead_bytes = 8;
// Progress that nobody has looked at yet: the oldest is dropped, the newest says all.
constexpr std::size_t max_waiting_progress = 16;

} // namespace

std::uint64_t credit_of(const wire::RowBatch& batch) {
    return batch.rows().size() +
           row_overhead_bytes * static_cast<std::uint64_t>(batch.sizes_size());
}

bool PendingRequest::add(wire::FromWorker event) {
    const std::lock_guard lock(mutex_);
    if (event.has_rows()) {
        // The last batch may be greater than what was left of the credit, one without any is not; a
        // batch without rows would cost nothing, so that there could be any number of them.
        if (credit_bytes_ == 0 || event.rows().sizes().empty())
            return false;
        credit_bytes_ -= std::min(credit_bytes_, credit_of(event.rows()));
    }
    if (is_abandoned_ || has_ended_)
        return true;
    if (!event.has_rows() && events_.size() >= max_waiting_progress && !events_.front().has_rows())
        events_.pop_front();
    if (event.has_rows() || events_.size() < 2 * max_waiting_progress)
        events_.push_back(std::move(event));
    changed_.notify_one();
    return true;
}

void PendingRequest::finish(wire::Summary summary) {
    const std::lock_guard lock(mutex_);
    if (has_ended_)
        return;
    summary_ = std::move(summary);
    has_ended_ = true;
    changed_.notify_one();
}

void PendingRequest::fail(Error error) {
    const std::lock_guard lock(mutex_);
    if (has_ended_)
        return;
    error_ = std::move(error);
    has_ended_ = true;
    changed_.notify_one();
}

std::optional<wire::FromWorker> PendingRequest::wait_for_event(Clock::time_point until) {
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, until, [&] { return has_ended_ || !events_.empty(); });
    if (events_.empty())
        return std::nullopt;
    wire::FromWorker event = std::move(events_.front());
    events_.pop_front();
    return event;
}

bool PendingRequest::has_ended() const {
    const std::lock_guard lock(mutex_);
    return has_ended_ && events_.empty();
}

bool PendingRequest::has_news() const {
    const std::lock_guard lock(mutex_);
    return has_ended_ || !events_.empty();
}

std::optional<Error> PendingRequest::error() const {
    const std::lock_guard lock(mutex_);
    return error_;
}

wire::Summary PendingRequest::take_summary() {
    const std::lock_guard lock(mutex_);
    return std::move(summary_);
}

void PendingRequest::add_credit(std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    credit_bytes_ += bytes;
}

void PendingRequest::abandon() {
    const std::lock_guard lock(mutex_);
    is_abandoned_ = true;
    events_.clear();
}

bool PendingRequest::mark_cancelled(CancelCause cause) {
    const std::lock_guard lock(mutex_);
    if (cancel_cause_ != CancelCause::none)
        return false;
    cancel_cause_ = cause;
    cancelled_at_ = Clock::now();
    return true;
}

CancelCause PendingRequest::cancel_cause() const {
    const std::lock_guard lock(mutex_);
    return cancel_cause_;
}

std::optional<PendingRequest::Clock::time_point> PendingRequest::cancelled_at() const {
    const std::lock_guard lock(mutex_);
    return cancelled_at_;
}

} // namespace leanhost::worker
