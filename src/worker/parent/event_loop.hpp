#pragma once

#include "base/unique_fd.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

namespace leanhost::worker {

/// One thread that waits for descriptors, times and posted work. All workers of a pool share one:
/// it starts them, reads what they say, looks at their memory, and buries them.
///
/// Handlers run on the loop's thread and must neither throw nor wait. `watch`, `forget`, `call_at`
/// and `cancel_call` are for that thread only; `post`, `run` and `change` are for any thread.
class EventLoop {
public:
    using Clock = std::chrono::steady_clock;
    using Task = std::function<void()>;
    using Handler = std::function<void(std::uint32_t events)>;
    using WatchId = std::uint64_t;
    using TimerId = std::pair<Clock::time_point, std::uint64_t>;

    /// Throws Failure `resource_exhausted`.
    EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;
    /// Work that was posted is done first; timers are dropped.
    ~EventLoop();

    WatchId watch(int descriptor, std::uint32_t events, Handler handler);
    /// Any thread, as long as `descriptor`, which `id` watches, stays open.
    void change(WatchId id, int descriptor, std::uint32_t events) noexcept;
    /// No handler of it runs from now on. The descriptor is the caller's to close.
    void forget(WatchId id);

    TimerId call_at(Clock::time_point time, Task task);
    void cancel_call(const TimerId& timer) { timers_.erase(timer); }

    void post(Task task);
    /// Runs `task` on the loop's thread and waits for its end; its exception is thrown here.
    void run(const Task& task);
    bool is_loop_thread() const noexcept { return std::this_thread::get_id() == thread_.get_id(); }

private:
    struct Watch {
        int descriptor;
        std::shared_ptr<Handler> handler;
    };

    void loop();
    void wait_and_dispatch();
    int timeout_ms() const;
    void run_due_timers();
    bool run_posted();

    UniqueFd epoll_;
    UniqueFd wake_;
    // The loop thread's own.
    std::unordered_map<WatchId, Watch> watches_;
    std::map<TimerId, Task> timers_;
    std::uint64_t last_id_ = 0;
    std::mutex mutex_;
    std::vector<Task> posted_; // guarded by mutex_
    bool is_ending_ = false;   // guarded by mutex_
    std::thread thread_;
};

} // namespace leanhost::worker
