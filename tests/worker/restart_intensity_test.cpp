#include "base/require.hpp"
#include "worker/parent/restart_intensity.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <set>
#include <vector>

namespace leanhost::worker {
namespace {

using namespace std::chrono_literals;
using TimePoint = std::chrono::steady_clock::time_point;
using Clock = std::chrono::steady_clock;

constexpr TimePoint start{1'000'000s};
constexpr IntensityOptions no_backoff{.max_restarts = 3, .window = 10s, .backoff_base = 0ms};

/// The delay after a failure at `now`, of a worker that may restart.
Clock::duration delay_after_failure(RestartIntensity& intensity, TimePoint now) {
    intensity.record_failure(now);
    const StartAnswer answer = intensity.try_start(now);
    if (std::holds_alternative<StartNow>(answer))
        return Clock::duration::zero();
    return std::get<WaitUntil>(answer).at - now;
}

TEST(RestartIntensity, RestartsAreAdmittedUpToTheLimitThenGivenUp) {
    RestartIntensity intensity(no_backoff, 1);
    for (int i = 0; i < 3; ++i) {
        intensity.record_failure(start + i * 1s);
        EXPECT_EQ(intensity.try_start(start + i * 1s), StartAnswer(StartNow{})) << i;
    }
    intensity.record_failure(start + 3s);
    EXPECT_EQ(intensity.try_start(start + 3s), StartAnswer(GiveUp{3, 10s, start + 10s}));
}

TEST(RestartIntensity, RestartThatIsAWindowOldNoLongerCounts) {
    RestartIntensity intensity(no_backoff, 1);
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(intensity.try_start(start + i * 1s), StartAnswer(StartNow{}));
    EXPECT_EQ(intensity.try_start(start + 10s - 1ns), StartAnswer(GiveUp{3, 10s, start + 10s}));
    EXPECT_EQ(intensity.try_start(start + 10s), StartAnswer(StartNow{}));
    EXPECT_EQ(intensity.try_start(start + 10s), StartAnswer(GiveUp{3, 10s, start + 11s}));
}

TEST(RestartIntensity, SuccessDoesNotEmptyTheWindow) {
    RestartIntensity intensity(no_backoff, 1);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(intensity.try_start(start), StartAnswer(StartNow{}));
        intensity.record_success();
    }
    EXPECT_TRUE(std::holds_alternative<GiveUp>(intensity.try_start(start)));
}

TEST(RestartIntensity, WaitingIsNotCountedAsARestart) {
    RestartIntensity intensity({.max_restarts = 1, .backoff_base = 1000ms}, 1);
    ASSERT_GT(delay_after_failure(intensity, start), 0ns);
    for (int i = 0; i < 10; ++i)
        EXPECT_TRUE(std::holds_alternative<WaitUntil>(intensity.try_start(start)));
    EXPECT_EQ(intensity.try_start(start + 1s), StartAnswer(StartNow{}));
}

TEST(RestartIntensity, StartsAtTheEndOfTheDelayAndNotBefore) {
    RestartIntensity intensity({}, 1);
    intensity.record_failure(start);
    const TimePoint at = std::get<WaitUntil>(intensity.try_start(start)).at;
    EXPECT_EQ(intensity.try_start(at - 1ns), StartAnswer(WaitUntil{at}));
    EXPECT_EQ(intensity.try_start(at), StartAnswer(StartNow{}));
}

TEST(RestartIntensity, BackOffDoublesItsCeilingUpToTheCap) {
    constexpr std::array ceilings = {50ms, 100ms, 200ms, 400ms, 500ms, 500ms, 500ms};
    std::array<Clock::duration, ceilings.size()> longest{};
    for (std::uint64_t seed = 0; seed < 500; ++seed) {
        RestartIntensity intensity({.max_restarts = 100, .backoff_cap = 500ms}, seed);
        for (std::size_t i = 0; i < ceilings.size(); ++i) {
            const TimePoint now = start + i * 1s; // after any delay
            const Clock::duration delay = delay_after_failure(intensity, now);
            EXPECT_LE(delay, ceilings[i]);
            longest[i] = std::max(longest[i], delay);
        }
    }
    for (std::size_t i = 0; i < ceilings.size(); ++i)
        EXPECT_GE(longest[i], ceilings[i] * 9 / 10) << i;
}

TEST(RestartIntensity, JitterIsFullFromNothingToTheCeiling) {
    int below_half = 0;
    for (std::uint64_t seed = 0; seed < 1000; ++seed) {
        RestartIntensity intensity({}, seed);
        below_half += delay_after_failure(intensity, start) < 25ms ? 1 : 0;
    }
    EXPECT_NEAR(below_half, 500, 80);
}

TEST(RestartIntensity, ServedRequestEndsTheRowOfFailures) {
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        RestartIntensity intensity({.max_restarts = 100}, seed);
        for (int i = 0; i < 10; ++i)
            intensity.record_failure(start);
        intensity.record_success();
        EXPECT_LE(delay_after_failure(intensity, start + 1h), 50ms);
    }
}

TEST(RestartIntensity, DelayThatHasBegunIsNotShortenedByALaterFailureOrASuccess) {
    RestartIntensity intensity({.backoff_base = 1000ms}, 1);
    const Clock::duration delay = delay_after_failure(intensity, start);
    intensity.record_success();
    for (int i = 0; i < 20; ++i) {
        intensity.record_failure(start);
        intensity.record_success();
        EXPECT_GE(std::get<WaitUntil>(intensity.try_start(start)).at, start + delay);
    }
}

TEST(RestartIntensity, ManyFailuresInARowStayUnderTheCap) {
    constexpr std::chrono::milliseconds day = 24h;
    RestartIntensity intensity({.max_restarts = 1, .backoff_base = 1ms, .backoff_cap = day}, 1);
    Clock::duration longest{};
    for (int i = 0; i < 1000; ++i) {
        const TimePoint now = start + i * 2 * day;
        const Clock::duration delay = delay_after_failure(intensity, now);
        EXPECT_LE(delay, day);
        longest = std::max(longest, delay);
    }
    EXPECT_GE(longest, 23h);
}

TEST(RestartIntensity, WaitsRatherThanGivesUpWhenTheWindowHasRoomAtTheEndOfTheDelay) {
    RestartIntensity intensity({.max_restarts = 1, .window = 1ms, .backoff_base = 1000ms}, 1);
    EXPECT_EQ(intensity.try_start(start), StartAnswer(StartNow{}));
    ASSERT_GT(delay_after_failure(intensity, start), 1ms);
}

TEST(RestartIntensity, GivesUpAtOnceWhenTheWindowIsStillFullAtTheEndOfTheDelay) {
    RestartIntensity intensity({.max_restarts = 1, .window = 10s, .backoff_base = 1000ms}, 1);
    EXPECT_EQ(intensity.try_start(start), StartAnswer(StartNow{}));
    intensity.record_failure(start);
    EXPECT_EQ(intensity.try_start(start), StartAnswer(GiveUp{1, 10s, start + 10s}));
}

TEST(RestartIntensity, OneSeedGivesOneResultAndSeedsDiffer) {
    std::set<Clock::duration> delays;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        RestartIntensity one({}, seed);
        RestartIntensity same({}, seed);
        const Clock::duration delay = delay_after_failure(one, start);
        EXPECT_EQ(delay_after_failure(same, start), delay);
        delays.insert(delay);
    }
    EXPECT_GE(delays.size(), 99U);
}

TEST(RestartIntensity, OptionsOutOfRangeAreRefused) {
    const auto made = [](const IntensityOptions& options) { RestartIntensity(options, 1); };
    EXPECT_THROW(made({.max_restarts = 0}), RequirementFailed);
    EXPECT_THROW(made({.max_restarts = 4097}), RequirementFailed);
    EXPECT_THROW(made({.window = 0ms}), RequirementFailed);
    EXPECT_THROW(made({.window = 24h + 1ms}), RequirementFailed);
    EXPECT_THROW(made({.backoff_base = -1ms}), RequirementFailed);
    EXPECT_THROW(made({.backoff_base = 2ms, .backoff_cap = 1ms}), RequirementFailed);
    EXPECT_THROW(made({.backoff_cap = 24h + 1ms}), RequirementFailed);
    EXPECT_NO_THROW(made({.max_restarts = 4096, .window = 24h, .backoff_cap = 24h}));
}

// Whatever is asked whenever: the answers keep what the header promises.
class RandomRun {
public:
    explicit RandomRun(std::uint64_t seed) : random_(seed), intensity_(options, seed) {}

    void step() {
        now_ += std::chrono::milliseconds(static_cast<int>(random_() % 400));
        if (random_() % 3 == 0)
            fail_once();
        if (random_() % 5 == 0)
            intensity_.record_success();
        check(intensity_.try_start(now_));
    }
    std::size_t started() const noexcept { return starts_.size(); }
    std::size_t given_up() const noexcept { return given_up_; }

private:
    static constexpr IntensityOptions options{
        .max_restarts = 5, .window = 2s, .backoff_base = 20ms, .backoff_cap = 300ms};

    void fail_once() {
        intensity_.record_failure(now_);
        last_failure_ = now_;
    }

    std::ptrdiff_t starts_within_window_of(TimePoint at) const {
        return std::count_if(starts_.begin(), starts_.end(),
                             [&](TimePoint t) { return at - t < options.window; });
    }

    void check(const StartAnswer& answer) {
        if (std::holds_alternative<StartNow>(answer)) {
            EXPECT_LT(starts_within_window_of(now_), 5);
            starts_.push_back(now_);
        } else if (const auto* wait = std::get_if<WaitUntil>(&answer)) {
            EXPECT_GT(wait->at, now_);
            EXPECT_LE(wait->at, last_failure_ + options.backoff_cap);
            EXPECT_LT(starts_within_window_of(wait->at), 5);
        } else {
            const TimePoint until = std::get<GiveUp>(answer).until;
            EXPECT_GT(until, now_);
            EXPECT_EQ(starts_within_window_of(until - 1ns), 5);
            EXPECT_LT(starts_within_window_of(until), 5);
            ++given_up_;
        }
    }

    std::mt19937_64 random_;
    RestartIntensity intensity_;
    TimePoint now_ = start;
    TimePoint last_failure_ = start;
    std::vector<TimePoint> starts_;
    std::size_t given_up_ = 0;
};

TEST(RestartIntensity, NoWindowHoldsMoreRestartsThanTheLimitInRandomRuns) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        RandomRun run(seed);
        for (int i = 0; i < 500; ++i)
            run.step();
        EXPECT_GT(run.started(), 100U);
        EXPECT_GT(run.given_up(), 10U);
    }
}

} // namespace
} // namespace leanhost::worker
