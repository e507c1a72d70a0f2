#pragma once

#include <chrono>

namespace leanhost::worker {

/// Looks again and again, without sleeping, whether something can be read from `socket`, for at
/// most `limit`; false when nothing came. Lets other threads that want the processor go first.
bool await_input_busily(int socket, std::chrono::microseconds limit) noexcept;

/// The longest that either side may be told to do so: what it takes to wake a sleeper is less.
inline constexpr std::chrono::microseconds longest_busy_wait{1000};

} // namespace leanhost::worker
