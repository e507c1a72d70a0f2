#pragma once

#include <CLI/App.hpp>

#include <cstdint>

namespace leanhost::cli {

inline constexpr std::uint64_t default_drain_wait_ms = 10'000;

/// The option of a command with a pool for how long requests that run at SIGTERM or SIGINT may take
/// to finish. `wait_ms` must outlive the parsing.
inline void add_drain_wait(CLI::App& command, std::uint64_t& wait_ms) {
    command
        .add_option("--drain-wait", wait_ms,
                    "ms that requests may take to finish at SIGTERM or SIGINT; a second one ends "
                    "all at once")
        ->envname("LEANHOST_WORKER_POOL_DRAIN_WAIT")
        ->check(CLI::Range(0, 1 << 29))
        ->capture_default_str();
}

} // namespace leanhost::cli
