#include "worker/protocol/busy_wait.hpp"

#include <poll.h>
#include <sched.h>

#include <utility>

namespace leanhost::worker {
namespace {

// A look takes less than one when no other thread runs between.
constexpr std::chrono::microseconds longest_look{5};

} // namespace

bool await_input_busily(int socket, std::chrono::microseconds limit) noexcept {
    using Clock = std::chrono::steady_clock;
    Clock::time_point now = Clock::now();
    const Clock::time_point until = now + limit;
    while (true) {
        ::pollfd readable{.fd = socket, .events = POLLIN, .revents = 0};
        if (::poll(&readable, 1, 0) > 0)
            return true;
        ::sched_yield();
        const Clock::time_point before = std::exchange(now, Clock::now());
        if (now >= until || now - before > longest_look)
            return false;
    }
}

} // namespace leanhost::worker
