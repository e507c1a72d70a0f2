#include "worker/parent/event_loop.hpp"

#include "base/failure.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <condition_variable>
#include <exception>
#include <system_error>

namespace leanhost::worker {
namespace {

constexpr EventLoop::WatchId wake_id = 0;

UniqueFd checked(int descriptor, const char* what) {
    if (descriptor < 0) {
        fail(ErrorCode::resource_exhausted,
             fmt::format("{}: {}", what, std::generic_category().message(errno)));
    }
    return UniqueFd(descriptor);
}

} // namespace

EventLoop::EventLoop()
    : epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      wake_(checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {
    ::epoll_event event{.events = EPOLLIN, .data = {.u64 = wake_id}};
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0)
        checked(-1, "epoll_ctl");
    try {
        thread_ = std::thread([this] { loop(); });
    } catch (const std::system_error& error) {
        fail(ErrorCode::resource_exhausted, fmt::format("event loop thread: {}", error.what()));
    }
}

EventLoop::~EventLoop() {
    post([this] {
        const std::lock_guard lock(mutex_);
        is_ending_ = true;
    });
    thread_.join();
}

EventLoop::WatchId EventLoop::watch(int descriptor, std::uint32_t events, Handler handler) {
    const WatchId id = ++last_id_;
    ::epoll_event event{.events = events, .data = {.u64 = id}};
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event) != 0)
        checked(-1, "epoll_ctl");
    watches_.emplace(id, Watch{descriptor, std::make_shared<Handler>(std::move(handler))});
    return id;
}

void EventLoop::change(WatchId id, int descriptor, std::uint32_t events) noexcept {
    ::epoll_event event{.events = events, .data = {.u64 = id}};
    // Ignored on purpose: it can fail only for a descriptor that is not watched any more.
    static_cast<void>(::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, descriptor, &event));
}

void EventLoop::forget(WatchId id) {
    const auto found = watches_.find(id);
    if (found == watches_.end())
        return;
    static_cast<void>(::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, found->second.descriptor, nullptr));
    watches_.erase(found);
}

EventLoop::TimerId EventLoop::call_at(Clock::time_point time, Task task) {
    const TimerId id{time, ++last_id_};
    timers_.emplace(id, std::move(task));
    return id;
}

void EventLoop::post(Task task) {
    bool must_wake = false;
    {
        const std::lock_guard lock(mutex_);
        must_wake = posted_.empty();
        posted_.push_back(std::move(task));
    }
    if (must_wake) {
        const std::uint64_t one = 1;
        static_cast<void>(!::write(wake_.get(), &one, sizeof one));
    }
}

void EventLoop::run(const Task& task) {
    if (is_loop_thread())
        return task();
    std::mutex done_mutex;
    std::condition_variable done;
    bool is_done = false;
    std::exception_ptr thrown;
    post([&] {
        try {
            task();
        } catch (...) {
            thrown = std::current_exception();
        }
        // Told with the mutex held: what is told of here goes as soon as it is free.
        const std::lock_guard lock(done_mutex);
        is_done = true;
        done.notify_one();
    });
    std::unique_lock lock(done_mutex);
    done.wait(lock, [&] { return is_done; });
    if (thrown != nullptr)
        std::rethrow_exception(thrown);
}

void EventLoop::loop() {
    do {
        wait_and_dispatch();
        run_due_timers();
    } while (run_posted());
}

void EventLoop::wait_and_dispatch() {
    ::epoll_event events[64];
    const int count = ::epoll_wait(epoll_.get(), events, 64, timeout_ms());
    for (int i = 0; i < count; ++i) {
        const WatchId id = events[i].data.u64;
        if (id == wake_id) {
            std::uint64_t ignored;
            static_cast<void>(!::read(wake_.get(), &ignored, sizeof ignored));
            continue;
        }
        const auto found = watches_.find(id);
        if (found == watches_.end())
            continue; // forgotten by a handler that ran before it
        const std::shared_ptr<Handler> handler = found->second.handler; // it may forget itself
        (*handler)(events[i].events);
    }
}

int EventLoop::timeout_ms() const {
    if (timers_.empty())
        return -1;
    const auto left = timers_.begin()->first.first - Clock::now();
    if (left <= Clock::duration::zero())
        return 0;
    const auto left_ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    return static_cast<int>(std::min<std::int64_t>(left_ms, 60'000));
}

void EventLoop::run_due_timers() {
    const Clock::time_point now = Clock::now();
    while (!timers_.empty() && timers_.begin()->first.first <= now) {
        const Task task = std::move(timers_.begin()->second);
        timers_.erase(timers_.begin());
        task();
    }
}

// False when the loop is to end.
bool EventLoop::run_posted() {
    std::vector<Task> tasks;
    {
        const std::lock_guard lock(mutex_);
        tasks.swap(posted_);
    }
    for (const Task& task : tasks)
        task();
    const std::lock_guard lock(mutex_);
    return !is_ending_ || !posted_.empty();
}

} // namespace leanhost::worker
