#include "worker/parent/restart_intensity.hpp"

#include "base/require.hpp"

#include <algorithm>

namespace leanhost::worker {
namespace {

using TimePoint = std::chrono::steady_clock::time_point;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// 2^32 times the smallest base, 1 ms, is above every cap: what comes after changes nothing.
constexpr std::uint32_t max_doublings = 32;
constexpr std::uint32_t max_restarts_kept = 4096;
constexpr milliseconds max_duration{std::chrono::hours{24}};

bool is_within(milliseconds value, milliseconds least, milliseconds most) noexcept {
    return value >= least && value <= most;
}

} // namespace

RestartIntensity::RestartIntensity(const IntensityOptions& options, std::uint64_t seed)
    : options_(options), random_(seed) {
    // The window's oldest restart is read without looking; times must not overflow.
    LEANHOST_REQUIRE(options.max_restarts >= 1 && options.max_restarts <= max_restarts_kept);
    LEANHOST_REQUIRE(is_within(options.window, milliseconds{1}, max_duration));
    LEANHOST_REQUIRE(is_within(options.backoff_cap, milliseconds{0}, max_duration));
    LEANHOST_REQUIRE(is_within(options.backoff_base, milliseconds{0}, options.backoff_cap));
}

void RestartIntensity::record_failure(TimePoint now) {
    not_before_ = std::max(not_before_, now + draw_delay());
    failures_in_row_ = std::min(failures_in_row_ + 1, max_doublings);
}

StartAnswer RestartIntensity::try_start(TimePoint now) {
    const TimePoint at = std::max(now, not_before_);
    if (is_full(at))
        return GiveUp{options_.max_restarts, options_.window, restarts_.front() + options_.window};
    if (at > now)
        return WaitUntil{at};
    restarts_.push_back(now);
    if (restarts_.size() > options_.max_restarts)
        restarts_.pop_front();
    return StartNow{};
}

nanoseconds RestartIntensity::draw_delay() {
    milliseconds ceiling = options_.backoff_base;
    for (std::uint32_t i = 0; i < failures_in_row_ && ceiling < options_.backoff_cap; ++i)
        ceiling *= 2;
    const nanoseconds most = std::min(ceiling, options_.backoff_cap);
    const std::uint64_t drawn = random_() % (static_cast<std::uint64_t>(most.count()) + 1);
    return nanoseconds(static_cast<nanoseconds::rep>(drawn));
}

// A restart that is exactly one window old no longer counts.
bool RestartIntensity::is_full(TimePoint at) const noexcept {
    return restarts_.size() == options_.max_restarts && at - restarts_.front() < options_.window;
}

} // namespace leanhost::worker
