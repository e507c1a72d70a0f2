#pragma once

#include <algorithm>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace leanhost {

/// Runs `body(worker)` on the calling thread (worker 0) and on `count - 1` further threads, and
/// returns when all have. The first exception is thrown here then; `body` should look at a flag of
/// its own to end early. A thread that cannot be started is done without: worker 0 always runs.
template <class F>
void run_workers(unsigned count, F&& body) {
    std::mutex mutex;
    std::exception_ptr first;
    const auto guarded_body = [&](unsigned worker) noexcept {
        try {
            body(worker);
        } catch (...) {
            const std::lock_guard lock(mutex);
            if (first == nullptr)
                first = std::current_exception();
        }
    };
    {
        std::vector<std::jthread> threads;
        threads.reserve(count);
        for (unsigned worker = 1; worker < count; ++worker) {
            try {
                threads.emplace_back(guarded_body, worker);
            } catch (const std::system_error&) {
                break; // no more threads to be had: the others do the work
            }
        }
        guarded_body(0);
    }
    if (first != nullptr)
        std::rethrow_exception(first);
}

/// Threads worth starting for `items` independent pieces of work: one a core, at most `limit`.
inline unsigned worker_count(std::size_t items, unsigned limit) {
    const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
    const unsigned most = limit == 0 ? cores : std::min(limit, cores);
    return static_cast<unsigned>(std::min<std::size_t>(most, std::max<std::size_t>(1, items)));
}

} // namespace leanhost
