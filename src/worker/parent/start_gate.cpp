#include "worker/parent/start_gate.hpp"

#include "base/failure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <thread>

namespace leanhost::worker {
namespace {

using std::chrono::milliseconds;

// A token is a flag that nobody rings a bell for.
constexpr milliseconds token_interval{5};
// What RestartIntensity keeps in mind at most.
constexpr std::size_t most_restarts = 4096;

} // namespace

StartGate::StartGate(const WorkerOptions& options, std::size_t workers)
    : intensity_({.max_restarts = static_cast<std::uint32_t>(std::min<std::size_t>(
                      most_restarts, workers * options.max_unplanned_restarts)),
                  .window = options.restart_window},
                 std::random_device{}()) {}

void StartGate::record_failure(std::string how) {
    const std::lock_guard lock(mutex_);
    intensity_.record_failure(Clock::now());
    ++failures_owed_;
    last_failure_ = std::move(how);
}

void StartGate::record_success() {
    const std::lock_guard lock(mutex_);
    intensity_.record_success();
}

void StartGate::pass(Clock::time_point give_up_at, const CallOptions* call_options) {
    while (true) {
        const StartAnswer answer = ask(Clock::now());
        if (std::holds_alternative<StartNow>(answer))
            return;
        const auto* const wait = std::get_if<WaitUntil>(&answer);
        if (wait == nullptr || wait->at > give_up_at)
            refuse(answer);
        if (call_options != nullptr && call_options->cancellation.is_cancelled())
            fail(ErrorCode::cancelled, "cancelled while waiting for a restart");
        std::this_thread::sleep_until(std::min(wait->at, Clock::now() + token_interval));
    }
}

// Starts that follow no failure are nobody's concern here.
StartAnswer StartGate::ask(Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    if (failures_owed_ == 0)
        return StartNow{};
    const StartAnswer answer = intensity_.try_start(now);
    if (std::holds_alternative<StartNow>(answer))
        --failures_owed_;
    return answer;
}

void StartGate::refuse(const StartAnswer& answer) const {
    const std::lock_guard lock(mutex_);
    const auto* const give_up = std::get_if<GiveUp>(&answer);
    const Clock::time_point until =
        give_up != nullptr ? give_up->until : std::get<WaitUntil>(answer).at;
    const auto left =
        std::max(milliseconds(0), std::chrono::ceil<milliseconds>(until - Clock::now()));
    Error error(ErrorCode::restart_limit,
                fmt::format("workers ended unexpectedly too often; none is started for the next "
                            "{} ms; the last: {}",
                            left.count(), last_failure_));
    throw Failure(std::move(error)
                      .with("retry_after_ms", static_cast<std::uint64_t>(left.count()))
                      .with("work_entered_child", false));
}

} // namespace leanhost::worker
