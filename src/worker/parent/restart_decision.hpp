#pragma once

#include <leanhost/restart_policy.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace leanhost::worker {

/// What one generation is held to: its worker's policy after the jitter.
struct GenerationLimits {
    RestartPolicy policy;

    /// Draws max_requests, max_imports and max_age from [limit - ⌊limit × jitter⌋, limit], each by
    /// itself: whether one is set does not change the others. The same seed gives the same limits.
    /// `policy` is one that validate accepts.
    static GenerationLimits draw(const RestartPolicy& policy, std::uint64_t seed);
};

/// A generation between two requests. Durations are whole milliseconds, rounded down.
struct GenerationFacts {
    std::uint64_t requests = 0; ///< that have ended, whatever their outcome
    std::uint64_t imports = 0;
    std::uint64_t residue_bytes = 0;
    std::optional<std::uint64_t> anonymous_bytes = std::nullopt; ///< MemorySample::gauge_bytes
    std::optional<std::uint64_t> rss_bytes = std::nullopt;
    std::optional<std::uint64_t> pss_bytes = std::nullopt;
    std::chrono::milliseconds idle_for{0}; ///< since the end of the last request
    std::chrono::milliseconds age{0};      ///< since the child's start
    bool files_changed = false;
    bool restart_requested = false;
    bool next_is_import = false; ///< what waits to be sent may import; false when nothing waits
};

/// One request that runs, and its child. Durations are whole milliseconds, rounded down.
struct InFlightFacts {
    /// Of the child, as sample_anonymous_fast gives it; nullopt: the last sample failed.
    std::optional<std::uint64_t> anonymous_bytes = std::nullopt;
    std::uint32_t missed_samples = 0; ///< in a row, the last one included; 0 before the first
    std::chrono::milliseconds running_for{0};
    std::optional<std::chrono::milliseconds> deadline = std::nullopt; ///< for running_for
    /// Since the child was told that the request is cancelled.
    std::optional<std::chrono::milliseconds> cancelled_for = std::nullopt;
};

/// So many samples in a row must fail before a running request is ended for it: a single failure is
/// as a rule a child that is just exiting, which is told apart by its exit status.
inline constexpr std::uint32_t max_missed_samples = 5;

/// Why a generation is to end. For sample_unavailable the limit is the one that could not be
/// compared. Reasons without a limit (requested, files_changed, child_exited) have 0.
struct RestartDecision {
    RestartReason reason;
    std::uint64_t limit = 0; ///< bytes, milliseconds or a count, as the reason says
    std::optional<std::uint64_t> current = std::nullopt;

    bool operator==(const RestartDecision&) const = default;
};

/// One line with numbers and units, such as "95 requests answered, the generation's limit is 95".
std::string to_string(const RestartDecision& decision);

/// The decision for an Error: reason; where the reason has one, limit and unit (bytes, ms,
/// requests, imports); where it is known, current.
std::vector<ErrorFact> error_facts(const RestartDecision& decision);

/// Whether the generation is to be replaced before the next request; nullopt goes on. Pure.
///
/// The first that applies: requested; files_changed; then, for a generation that has answered a
/// request: import_residue and max_imports, before a request that imports; max_requests;
/// anonymous_bytes; pss_bytes; rss_bytes; sample_unavailable; idle; age. A generation that has
/// answered nothing is as fresh as its successor would be: without that rule a limit below what a
/// start costs would restart for ever and serve nobody.
std::optional<RestartDecision> decide_at_rest(const GenerationLimits& limits,
                                              const GenerationFacts& facts) noexcept;

/// Whether the child is to be killed now; nullopt goes on. With several requests in flight: asked
/// for each. Pure.
///
/// The first that applies: hard_limit; deadline; cancelled; sample_unavailable, after
/// max_missed_samples in a row. A caller who wants a request to end by itself at its deadline
/// cancels it then and passes no deadline, or one later by the grace.
std::optional<RestartDecision> decide_in_flight(const GenerationLimits& limits,
                                                const InFlightFacts& facts) noexcept;

} // namespace leanhost::worker
