#pragma once

#include "base/monitor.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>

namespace leanhost {

/// A value that is built when it is first wanted, and then shared. Several threads may want it: one
/// builds, the others wait and can be cancelled. A build that fails leaves it unbuilt, and the next
/// who wants it tries again. Thread-safe.
template <class T>
class BuildOnce {
public:
    /// `build()` gives a unique_ptr<const T>. Throws what it throws, and what `monitor` does.
    template <class Build>
    const T& get(Monitor& monitor, Build&& build) const {
        std::unique_lock lock(mutex_);
        while (value_ == nullptr && is_building_) {
            // The token cannot wake us, so we look at it.
            changed_.wait_for(lock, std::chrono::milliseconds(20));
            monitor.check();
        }
        if (value_ != nullptr)
            return *value_;
        is_building_ = true;
        lock.unlock();
        std::unique_ptr<const T> built;
        try {
            built = std::forward<Build>(build)();
        } catch (...) {
            set(nullptr);
            throw;
        }
        return *set(std::move(built));
    }

    /// Null until it is built.
    const T* peek() const {
        const std::lock_guard lock(mutex_);
        return value_.get();
    }

private:
    const T* set(std::unique_ptr<const T> built) const {
        const std::lock_guard lock(mutex_);
        value_ = std::move(built);
        is_building_ = false;
        changed_.notify_all();
        return value_.get();
    }

    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    mutable std::unique_ptr<const T> value_; // guarded by mutex_; never changes once there
    mutable bool is_building_ = false;       // guarded by mutex_
};

} // namespace leanhost
