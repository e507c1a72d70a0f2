#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <random>
#include <variant>

namespace leanhost::worker {

/// How often a worker may be restarted unplanned. Durations are at most a day.
struct IntensityOptions {
    std::uint32_t max_restarts = 16; ///< within one window; 1 to 4,096
    std::chrono::milliseconds window{60'000};
    std::chrono::milliseconds backoff_base{50}; ///< 0: no back-off
    std::chrono::milliseconds backoff_cap{30'000};
};

/// The restart may happen now, and is counted.
struct StartNow {
    bool operator==(const StartNow&) const = default;
};

/// Back-off: ask again at `at`.
struct WaitUntil {
    std::chrono::steady_clock::time_point at;
    bool operator==(const WaitUntil&) const = default;
};

/// Too many restarts: requests should fail rather than wait. A caller who does not give up for good
/// may ask again at `until`.
struct GiveUp {
    std::uint32_t restarts; ///< unplanned ones within the window
    std::chrono::milliseconds window;
    std::chrono::steady_clock::time_point until;
    bool operator==(const GiveUp&) const = default;
};

using StartAnswer = std::variant<StartNow, WaitUntil, GiveUp>;

/// Keeps a worker whose child fails again and again from using up the machine.
///
/// Two rules. In any window at most max_restarts unplanned restarts: a child that serves and dies,
/// over and over. Between failures in a row, exponential back-off with full jitter: a child that
/// dies before it serves. The delay after the n-th failure in a row is drawn from [0, min(cap, base
/// × 2^(n-1))]; a served request ends the row. (AWS Architecture Blog, "Exponential Backoff And
/// Jitter"; Erlang/OTP supervisor, MaxR and MaxT.)
///
/// Reads no clock: time is passed in, and never runs backwards. The same seed and calls give the
/// same answers. Memory: one time point a restart in the window, and the random numbers' 2.5 KB.
/// Not thread-safe.
class RestartIntensity {
public:
    /// Throws RequirementFailed for options out of range.
    RestartIntensity(const IntensityOptions& options, std::uint64_t seed);

    /// A generation ended unplanned, or could not be started.
    void record_failure(std::chrono::steady_clock::time_point now);

    /// A generation has served a request successfully: the next failure is the first of a row. A
    /// delay that has begun stays, and so does what the window holds.
    void record_success() noexcept { failures_in_row_ = 0; }

    /// Whether an unplanned restart may happen now; StartNow counts it. The first start and planned
    /// restarts are not asked about. Gives up at once when the window will still be full at the end
    /// of the delay.
    StartAnswer try_start(std::chrono::steady_clock::time_point now);

private:
    std::chrono::nanoseconds draw_delay();
    bool is_full(std::chrono::steady_clock::time_point at) const noexcept;

    // Constant after construction.
    IntensityOptions options_;

    std::mt19937_64 random_;
    std::uint32_t failures_in_row_ = 0; // never above where the ceiling is the cap
    std::chrono::steady_clock::time_point not_before_ =
        std::chrono::steady_clock::time_point::min();
    std::deque<std::chrono::steady_clock::time_point> restarts_; // the last max_restarts, in order
};

} // namespace leanhost::worker
