#pragma once

#include <leanhost/restart_policy.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace leanhost {

/// What makes sure that nothing a worker starts outlives it.
enum class Confinement : std::uint8_t {
    pid_namespace,    ///< its own pid namespace: the kernel ends all that it started with it
    no_new_processes, ///< a filter of system calls: it can start threads only
    none,             ///< neither could be had here: what it starts may outlive it
};
std::string_view confinement_name(Confinement confinement) noexcept;

/// The cgroup that a pool's children live in, and whether its limit of memory holds.
struct CgroupStatus {
    bool holds = false;
    std::string why_not = {}; ///< empty when it holds
    std::string path = {};    ///< empty when there is none
    std::uint64_t limit_bytes = 0;
    std::optional<std::uint64_t> used_bytes = std::nullopt; ///< page cache included
    /// Children that the kernel has killed for it.
    std::optional<std::uint64_t> kills = std::nullopt;
};

/// How a worker's life ended. What is not known is nullopt.
struct ExitFacts {
    std::uint64_t generation = 0;
    std::optional<int> exit_status = std::nullopt;
    std::optional<int> signal = std::nullopt;
    /// The kernel's out-of-memory killer ended a process meanwhile, and this one died by SIGKILL
    /// that was not ours: very probably it.
    bool was_out_of_memory = false;
    /// Why we ended it, if we did.
    std::optional<RestartReason> ended_by_us = std::nullopt;
    std::string detail;      ///< numbers to that reason, or what it did wrong
    std::string stderr_tail; ///< the last that it wrote there, at most 4 KiB
    std::uint64_t requests_served = 0;
    std::uint64_t requests_in_flight = 0; ///< when it ended
    std::chrono::milliseconds lived{0};

    /// One line: "killed by signal 9 (out of memory) after 12 requests; …".
    std::string to_string() const;
};

} // namespace leanhost
