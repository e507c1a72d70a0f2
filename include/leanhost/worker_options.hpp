#pragma once

#include <leanhost/runtime.hpp>
#include <leanhost/worker_facts.hpp>

namespace leanhost {

/// What of a worker's memory one request may leave to the next.
enum class Isolation : std::uint8_t {
    shared,      ///< one child serves many requests, until the restart policy ends it
    per_request, ///< each request has a child of its own, forked for it, which ends after it
};

/// How worker processes are started, what they may use, and when they are replaced.
struct WorkerOptions {
    /// `leanhost-worker`. Empty: what the environment's LEANHOST_WORKER names, else beside this
    /// program, else on PATH.
    std::filesystem::path executable = {};
    /// Of the engine in the worker. An empty search path is the worker's LEAN_PATH.
    RuntimeOptions runtime = {};
    /// Capability libraries that each worker loads.
    std::vector<std::filesystem::path> capability_libraries = {};
    /// Arguments and environment beside those that are needed; NAME=value.
    std::vector<std::string> environment = {};

    RestartPolicy restart_policy = {};
    /// Birth by fork of a template that has imported already, where the engine can be forked. The
    /// template costs one worker's memory and saves each birth its import.
    bool use_template = true;
    Isolation isolation = Isolation::shared;
    /// Backstop beneath the policy: RLIMIT_DATA of a worker, in bytes of budget; what its stacks
    /// and allocator reserve without using is added. Never RLIMIT_AS: mapped modules cost nothing.
    std::optional<std::uint64_t> max_data_bytes = std::nullopt;
    /// The strongest confinement to try; weaker ones follow when it cannot be had.
    Confinement strongest_confinement = Confinement::pid_namespace;

    /// How often children may be started, within a window, because others ended by themselves, had
    /// to be ended, or never came to serve: in a pool, as often for each of its max_workers, all
    /// children of one key together. Between failures in a row a start waits, longer each time (50
    /// ms to 30 s). Beyond it, requests fail with restart_limit. 1 to 4096.
    std::uint32_t max_unplanned_restarts = 16;
    std::chrono::milliseconds restart_window{60'000};

    std::size_t max_sessions = 4;      ///< import sets that one worker keeps open
    unsigned max_running_requests = 4; ///< at once in one worker; 1 to 64

    /// A caller that has sent an empty request, and a worker that has answered one, look for the
    /// other's message for so long before they sleep: where there is a processor for each, and as
    /// long as it comes in that time. 0 to 1000 us; 0: never.
    std::chrono::microseconds busy_wait{50};

    std::chrono::milliseconds start_timeout{60'000};    ///< birth and import
    std::chrono::milliseconds request_timeout{300'000}; ///< unless a call says otherwise
    std::chrono::milliseconds shutdown_grace{2'000};    ///< then a worker is killed
};

/// Whether `options` can be followed. Errors: invalid_argument, naming option, value and what is
/// accepted.
Expected<void> validate(const WorkerOptions& options);

} // namespace leanhost
