#pragma once

#include <leanhost/cancellation.hpp>
#include <leanhost/progress.hpp>

#include <chrono>

namespace leanhost {

/// What a long operation owes its caller: progress and an end on request. Used by the thread that
/// runs the operation; workers ask the token alone.
class Monitor {
public:
    Monitor() = default;
    Monitor(ProgressSink sink, CancellationToken token)
        : sink_(std::move(sink)), token_(std::move(token)) {}

    const CancellationToken& token() const noexcept { return token_; }

    /// Reports (not more often than every 10 ms unless `current` is `total`) and throws Failure
    /// when the operation is to end: cancelled, sink_failed.
    void report(std::string_view phase, std::uint64_t current, std::uint64_t total);
    /// Throws Failure(cancelled) when the token says so.
    void check() const;

private:
    ProgressSink sink_;
    CancellationToken token_;
    std::chrono::steady_clock::time_point last_report_{};
};

} // namespace leanhost
