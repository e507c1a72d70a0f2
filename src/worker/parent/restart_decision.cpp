#include "worker/parent/restart_decision.hpp"

#include "base/guard.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <random>
#include <string_view>

namespace leanhost {
namespace {

using std::chrono::milliseconds;

constexpr std::array<std::string_view, 16> reason_names = {
    "requested",      "files_changed", "max_requests",
    "import_residue", "max_imports",   "anonymous_bytes",
    "rss_bytes",      "pss_bytes",     "sample_unavailable",
    "idle",           "age",           "hard_limit",
    "deadline",       "cancelled",     "protocol_error",
    "child_exited"};

constexpr milliseconds min_sample_interval{10};
constexpr milliseconds max_sample_interval{100};
// Bounded, so that a point in time plus the grace always is one.
constexpr milliseconds max_cancel_grace{std::chrono::hours{1}};
constexpr double max_jitter = 0.5;

[[noreturn]] void refuse(std::string_view option, std::string value, std::string accepted) {
    std::string message =
        fmt::format("restart policy: {} is {}; accepted: {}", option, value, accepted);
    fail(ErrorCode::invalid_argument, std::move(message),
         {{"option", std::string(option)},
          {"value", std::move(value)},
          {"accepted", std::move(accepted)}});
}

void require_limit(std::string_view option, std::optional<std::uint64_t> limit) {
    if (limit == 0U)
        refuse(option, "0", "1 or more, or no limit");
}

void require_limit(std::string_view option, std::optional<milliseconds> limit) {
    if (limit && limit->count() <= 0)
        refuse(option, fmt::format("{} ms", limit->count()), "1 ms or more, or no limit");
}

void require_range(std::string_view option,
                   milliseconds value,
                   milliseconds least,
                   milliseconds most) {
    if (value < least || value > most)
        refuse(option, fmt::format("{} ms", value.count()),
               fmt::format("{} to {} ms", least.count(), most.count()));
}

void require_jitter(double jitter) {
    const bool is_fraction = jitter >= 0 && jitter <= max_jitter; // false for a NaN
    if (!is_fraction)
        refuse("jitter", fmt::format("{}", jitter), fmt::format("0 to {}", max_jitter));
}

void require_limits_at_rest(const RestartPolicy& policy) {
    require_limit("max_requests", policy.max_requests);
    require_limit("max_residue_bytes", policy.max_residue_bytes);
    require_limit("max_imports", policy.max_imports);
    require_limit("max_anonymous_bytes", policy.max_anonymous_bytes);
    require_limit("max_rss_bytes", policy.max_rss_bytes);
    require_limit("max_pss_bytes", policy.max_pss_bytes);
    require_limit("max_idle", policy.max_idle);
    require_limit("max_age", policy.max_age);
    require_jitter(policy.jitter);
}

void require_limits_in_flight(const RestartPolicy& policy) {
    require_limit("hard_anonymous_bytes", policy.hard_anonymous_bytes);
    if (policy.hard_anonymous_bytes)
        require_range("sample_interval", policy.sample_interval, min_sample_interval,
                      max_sample_interval);
    require_range("cancel_grace", policy.cancel_grace, milliseconds::zero(), max_cancel_grace);
}

} // namespace

std::string_view restart_reason_name(RestartReason reason) noexcept {
    return reason_names[static_cast<std::size_t>(reason)];
}

Expected<void> validate(const RestartPolicy& policy) {
    return guarded("restart policy", [&] {
        require_limits_at_rest(policy);
        require_limits_in_flight(policy);
    });
}

} // namespace leanhost

namespace leanhost::worker {
namespace {

using std::chrono::milliseconds;

// The engine's numbers are the same everywhere; the distributions of <random> are not. The bias of
// the remainder does not matter: spans are far below 2^64.
class Jitter {
public:
    Jitter(double fraction, std::uint64_t seed) : fraction_(fraction), random_(seed) {}

    void shrink(std::optional<std::uint64_t>& limit) {
        const std::uint64_t drawn = random_();
        if (limit)
            *limit -= drawn % (span_of(*limit) + 1);
    }

    void shrink(std::optional<milliseconds>& limit) {
        const std::uint64_t drawn = random_();
        if (!limit)
            return;
        const std::uint64_t span = span_of(static_cast<std::uint64_t>(limit->count()));
        *limit -= milliseconds(static_cast<milliseconds::rep>(drawn % (span + 1)));
    }

private:
    std::uint64_t span_of(std::uint64_t limit) const noexcept {
        return static_cast<std::uint64_t>(static_cast<double>(limit) * fraction_);
    }

    double fraction_;
    std::mt19937_64 random_;
};

/// A value beside the limit that it may have reached.
struct Comparison {
    RestartReason reason;
    std::optional<std::uint64_t> limit;
    std::optional<std::uint64_t> current;
};
using Comparisons = std::initializer_list<Comparison>;

std::optional<RestartDecision> first_reached(Comparisons comparisons) noexcept {
    for (const auto& [reason, limit, current] : comparisons) {
        if (limit && current && *current >= *limit)
            return RestartDecision{reason, *limit, current};
    }
    return std::nullopt;
}

std::optional<RestartDecision> first_unavailable(const RestartPolicy& policy,
                                                 Comparisons comparisons) noexcept {
    if (policy.when_unavailable == WhenUnavailable::admit)
        return std::nullopt;
    for (const auto& [reason, limit, current] : comparisons) {
        if (limit && !current)
            return RestartDecision{RestartReason::sample_unavailable, *limit};
    }
    return std::nullopt;
}

std::optional<std::uint64_t> in_ms(std::optional<milliseconds> duration) noexcept {
    if (!duration)
        return std::nullopt;
    return static_cast<std::uint64_t>(std::max(*duration, milliseconds::zero()).count());
}

// Residue before import count: when both limits are passed, bytes is the knob to turn.
std::optional<RestartDecision> find_import_limit(const RestartPolicy& policy,
                                                 const GenerationFacts& facts) noexcept {
    if (!facts.next_is_import)
        return std::nullopt;
    return first_reached(
        {{RestartReason::import_residue, policy.max_residue_bytes, facts.residue_bytes},
         {RestartReason::max_imports, policy.max_imports, facts.imports}});
}

// From what only this child holds to what it shares. A missing sample last: a limit that is known
// to be reached says more than one that may be.
std::optional<RestartDecision> find_memory_limit(const RestartPolicy& policy,
                                                 const GenerationFacts& facts) noexcept {
    const Comparisons gauges = {
        {RestartReason::anonymous_bytes, policy.max_anonymous_bytes, facts.anonymous_bytes},
        {RestartReason::pss_bytes, policy.max_pss_bytes, facts.pss_bytes},
        {RestartReason::rss_bytes, policy.max_rss_bytes, facts.rss_bytes}};
    if (auto reached = first_reached(gauges))
        return reached;
    return first_unavailable(policy, gauges);
}

std::optional<RestartDecision> find_time_limit(const RestartPolicy& policy,
                                               const GenerationFacts& facts) noexcept {
    return first_reached({{RestartReason::idle, in_ms(policy.max_idle), in_ms(facts.idle_for)},
                          {RestartReason::age, in_ms(policy.max_age), in_ms(facts.age)}});
}

std::optional<RestartDecision> find_limit_at_rest(const RestartPolicy& policy,
                                                  const GenerationFacts& facts) noexcept {
    if (auto reached = find_import_limit(policy, facts))
        return reached;
    if (auto reached =
            first_reached({{RestartReason::max_requests, policy.max_requests, facts.requests}}))
        return reached;
    if (auto reached = find_memory_limit(policy, facts))
        return reached;
    return find_time_limit(policy, facts);
}

std::string_view unit_of(RestartReason reason) noexcept {
    switch (reason) {
    case RestartReason::requested:
    case RestartReason::files_changed:
    case RestartReason::protocol_error:
    case RestartReason::child_exited:
        return {};
    case RestartReason::max_requests:
        return "requests";
    case RestartReason::max_imports:
        return "imports";
    case RestartReason::import_residue:
    case RestartReason::anonymous_bytes:
    case RestartReason::rss_bytes:
    case RestartReason::pss_bytes:
    case RestartReason::sample_unavailable:
    case RestartReason::hard_limit:
        return "bytes";
    case RestartReason::idle:
    case RestartReason::age:
    case RestartReason::deadline:
    case RestartReason::cancelled:
        return "ms";
    }
    return {};
}

} // namespace

GenerationLimits GenerationLimits::draw(const RestartPolicy& policy, std::uint64_t seed) {
    GenerationLimits limits{policy};
    Jitter jitter(policy.jitter, seed);
    jitter.shrink(limits.policy.max_requests);
    jitter.shrink(limits.policy.max_imports);
    jitter.shrink(limits.policy.max_age);
    return limits;
}

std::string to_string(const RestartDecision& decision) {
    const std::uint64_t limit = decision.limit;
    const std::uint64_t current = decision.current.value_or(0);
    switch (decision.reason) {
    case RestartReason::requested:
        return "a restart was requested";
    case RestartReason::files_changed:
        return "module files have changed on disk";
    case RestartReason::max_requests:
        return fmt::format("{} requests answered, the generation's limit is {}", current, limit);
    case RestartReason::import_residue:
        return fmt::format("imports left {} bytes behind, the limit is {}", current, limit);
    case RestartReason::max_imports:
        return fmt::format("{} imports done, the generation's limit is {}", current, limit);
    case RestartReason::anonymous_bytes:
        return fmt::format("{} anonymous bytes held, the limit is {}", current, limit);
    case RestartReason::rss_bytes:
        return fmt::format("{} resident bytes (RSS) held, the limit is {}", current, limit);
    case RestartReason::pss_bytes:
        return fmt::format("{} proportional bytes (PSS) held, the limit is {}", current, limit);
    case RestartReason::sample_unavailable:
        return fmt::format(
            "memory is unavailable and cannot be compared with the limit of {} bytes", limit);
    case RestartReason::idle:
        return fmt::format("idle for {} ms, the limit is {} ms", current, limit);
    case RestartReason::age:
        return fmt::format("{} ms old, the generation's limit is {} ms", current, limit);
    case RestartReason::hard_limit:
        return fmt::format("{} anonymous bytes held during a request, the hard limit is {}",
                           current, limit);
    case RestartReason::deadline:
        return fmt::format("the request ran for {} ms, its deadline is {} ms", current, limit);
    case RestartReason::cancelled:
        return fmt::format("the request still ran {} ms after its cancellation, the grace is {} ms",
                           current, limit);
    case RestartReason::protocol_error:
        return "the child broke the protocol";
    case RestartReason::child_exited:
        return "the child has exited";
    }
    return "restart";
}

std::vector<ErrorFact> error_facts(const RestartDecision& decision) {
    std::vector<ErrorFact> facts = {{"reason", std::string(restart_reason_name(decision.reason))}};
    const std::string_view unit = unit_of(decision.reason);
    if (unit.empty())
        return facts;
    facts.push_back({"limit", decision.limit});
    facts.push_back({"unit", std::string(unit)});
    if (decision.current)
        facts.push_back({"current", *decision.current});
    return facts;
}

std::optional<RestartDecision> decide_at_rest(const GenerationLimits& limits,
                                              const GenerationFacts& facts) noexcept {
    if (facts.restart_requested)
        return RestartDecision{RestartReason::requested};
    if (facts.files_changed && limits.policy.restart_on_changed_files)
        return RestartDecision{RestartReason::files_changed};
    if (facts.requests == 0)
        return std::nullopt;
    return find_limit_at_rest(limits.policy, facts);
}

std::optional<RestartDecision> decide_in_flight(const GenerationLimits& limits,
                                                const InFlightFacts& facts) noexcept {
    const RestartPolicy& policy = limits.policy;
    const Comparison hard_limit{RestartReason::hard_limit, policy.hard_anonymous_bytes,
                                facts.anonymous_bytes};
    if (auto reached = first_reached(
            {hard_limit,
             {RestartReason::deadline, in_ms(facts.deadline), in_ms(facts.running_for)},
             {RestartReason::cancelled, in_ms(policy.cancel_grace), in_ms(facts.cancelled_for)}}))
        return reached;
    if (facts.missed_samples < max_missed_samples)
        return std::nullopt;
    return first_unavailable(policy, {hard_limit});
}

} // namespace leanhost::worker
