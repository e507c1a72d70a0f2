#pragma once

#include <leanhost/worker_pool.hpp>

#include <memory>
#include <mutex>

namespace leanhost {

/// What a pool counts and times. Thread-safe; its lock is a leaf.
class PoolMetrics {
public:
    PoolMetrics();
    ~PoolMetrics();

    void count_acquired(LeaseSource source, std::chrono::microseconds waited);
    void count_refused(const std::string& rule);
    void count_evicted();
    void count_start(std::chrono::microseconds took, bool was_forked);
    void count_request(std::chrono::microseconds took);
    void count_end(const ExitFacts& facts);

    /// Puts the counters into `snapshot`.
    void fill(PoolSnapshot& snapshot) const;
    /// `snapshot` and the histograms in Prometheus' text format.
    std::string text(const PoolSnapshot& snapshot) const;

private:
    struct Histograms;
    mutable std::mutex mutex_;
    PoolSnapshot counted_; // guarded by mutex_; only its counters are used
    const std::unique_ptr<Histograms> histograms_;
};

} // namespace leanhost
