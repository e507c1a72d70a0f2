#include "worker/parent/busy_wait_policy.hpp"

#include <algorithm>

namespace leanhost::worker {

namespace {

constexpr unsigned most_vain = 6; // 63 requests without a wait

} // namespace

BusyWaitPolicy::microseconds BusyWaitPolicy::for_answer(unsigned calls) noexcept {
    if (!has_processors_for(calls))
        return microseconds::zero();
    if (left_out_ > 0) {
        --left_out_;
        return microseconds::zero();
    }
    return limit_;
}

void BusyWaitPolicy::note_answer(bool came) noexcept {
    vain_ = came ? 0 : std::min(vain_ + 1, most_vain);
    left_out_ = (1U << vain_) - 1;
}

BusyWaitPolicy::microseconds BusyWaitPolicy::for_next_request(std::chrono::nanoseconds pause,
                                                              unsigned calls) const noexcept {
    return has_processors_for(calls) && pause < limit_ ? limit_ : microseconds::zero();
}

} // namespace leanhost::worker
