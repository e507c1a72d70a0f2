#pragma once

#include <leanhost/expected.hpp>
#include <leanhost/memory_policy.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace leanhost {

/// Why a generation of a worker ended, or is to end.
enum class RestartReason : std::uint8_t {
    requested,          ///< the host program asked for it
    files_changed,      ///< module files that the generation has mapped were rebuilt
    max_requests,       ///< it has answered as many requests as it may
    import_residue,     ///< imports have left as many private bytes behind as they may
    max_imports,        ///< it has done as many imports as it may
    anonymous_bytes,    ///< at rest
    rss_bytes,          ///< at rest
    pss_bytes,          ///< at rest
    sample_unavailable, ///< a limit on bytes could not be compared
    idle,               ///< no request for as long as it may be without
    age,                ///< it is as old as it may become
    hard_limit,         ///< of anonymous bytes, during a request
    deadline,           ///< a request ran for as long as it may
    cancelled,          ///< a cancelled request did not end within the grace
    protocol_error,     ///< the child broke the protocol
    child_exited        ///< by itself, or killed by someone else
};

/// The stable name of `reason`, such as "import_residue". Valid for the process's life.
std::string_view restart_reason_name(RestartReason reason) noexcept;

/// When a worker's child is replaced by a fresh one. Without a limit it never is, but for changed
/// files. A limit is reached when the value equals it; a limit of 0 is refused, because a fresh
/// generation would have reached it.
struct RestartPolicy {
    // At rest: looked at between requests, bytes of imports first, then counts, memory and time.
    // Limits apply once a generation has answered a request, so that each does some work.

    std::optional<std::uint64_t> max_requests = std::nullopt;
    /// Private bytes that imports left behind. Looked at before a request that imports.
    std::optional<std::uint64_t> max_residue_bytes = std::nullopt;
    /// Looked at before a request that imports.
    std::optional<std::uint64_t> max_imports = std::nullopt;
    std::optional<std::uint64_t> max_anonymous_bytes = std::nullopt; ///< swapped ones included
    std::optional<std::uint64_t> max_rss_bytes = std::nullopt;
    std::optional<std::uint64_t> max_pss_bytes = std::nullopt;
    /// Counted from the end of the last request.
    std::optional<std::chrono::milliseconds> max_idle = std::nullopt;
    /// Counted from the child's start.
    std::optional<std::chrono::milliseconds> max_age = std::nullopt;
    bool restart_on_changed_files = true;
    /// Of a sample that a limit on bytes needs: refuse restarts (sample_unavailable), admit goes
    /// on. Also for the hard limit, after several samples in a row.
    WhenUnavailable when_unavailable = WhenUnavailable::refuse;
    /// Up to this fraction max_requests, max_imports and max_age shrink, drawn anew for each
    /// generation, so that a fleet does not restart as one. 0 to 0.5.
    double jitter = 0.1;

    // In flight: the child is killed and the request fails.

    /// Of anonymous and swapped bytes, sampled while a request runs.
    std::optional<std::uint64_t> hard_anonymous_bytes = std::nullopt;
    /// How often. 10 to 100 ms with a hard limit; unused without.
    std::chrono::milliseconds sample_interval{100};
    /// How long a cancelled request may take to end by itself. 0 (kill at once) to 1 hour.
    std::chrono::milliseconds cancel_grace{2000};
};

/// Whether `policy` can be followed.
/// Errors: invalid_argument (facts: option, value, accepted), for the first option that cannot.
Expected<void> validate(const RestartPolicy& policy);

} // namespace leanhost
