#include "cli/pool_sweep.hpp"

#include "base/guard.hpp"
#include "base/workers.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace leanhost::cli {

PoolSweep::PoolSweep(WorkerPool& pool,
                     std::chrono::milliseconds drain_wait,
                     std::string what,
                     std::vector<std::string> labels)
    : pool_(pool), signals_(value_or_throw(DrainOnSignal::watch(pool, drain_wait))),
      what_(std::move(what)), labels_(std::move(labels)) {}

int PoolSweep::run(std::size_t num_workers, const Job& job) {
    run_workers(static_cast<unsigned>(num_workers), [&](unsigned) { run_some(job); });
    progress_.clear();
    if (failed_ > 0)
        fmt::print(stderr, "leanhost: {} of {} {} failed\n", failed_, labels_.size(), what_);
    if (const auto signal = signals_.signal()) {
        fmt::print(stderr, "leanhost: ended by signal {} after {} of {} {}\n", *signal, done_,
                   labels_.size(), what_);
        return exit_status_of_signal(*signal);
    }
    return first_failure_ ? cli_exit_code(*first_failure_) : 0;
}

void PoolSweep::run_some(const Job& job) {
    for (std::size_t at; !signals_.signal() && (at = next_++) < labels_.size();) {
        std::string text;
        const Expected<void> done = guarded(what_, [&] { job(pool_, at, text); });
        const std::lock_guard lock(mutex_);
        progress_.clear();
        if (!done && signals_.signal() && done.error().code() == ErrorCode::admission_refused)
            return; // it had not begun
        std::fwrite(text.data(), 1, text.size(), stdout);
        if (!done)
            tell_failure(labels_[at], done.error());
        progress_.show(fmt::format("{} of {} {}", ++done_, labels_.size(), what_));
    }
}

void PoolSweep::tell_failure(const std::string& label, const Error& error) {
    ++failed_;
    if (!first_failure_)
        first_failure_ = error.code();
    fmt::print(stderr, "leanhost: {}: {}\n  ({})\n", label, error.message(), error.id());
}

} // namespace leanhost::cli
