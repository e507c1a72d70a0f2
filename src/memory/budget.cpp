#include "memory/budget.hpp"

#include <fmt/format.h>

#include <array>
#include <string>

namespace leanhost::memory {
namespace {

constexpr std::array<std::string_view, 3> rule_names = {"anonymous_bytes", "fresh_imports",
                                                        "sample_unavailable"};

bool is_reached(std::optional<std::uint64_t> limit, std::optional<std::uint64_t> current) noexcept {
    return limit && current && *current >= *limit;
}

std::string message_for(const BudgetRefusal& refusal) {
    const std::uint64_t current = refusal.current.value_or(0);
    switch (refusal.rule) {
    case BudgetRule::anonymous_bytes:
        return fmt::format(
            "fresh import refused: the process holds {} anonymous bytes, the limit is {}; reuse a "
            "session, cycle the process, or raise the limit",
            current, refusal.limit);
    case BudgetRule::fresh_imports:
        return fmt::format(
            "fresh import refused: {} were done, the limit is {}; reuse a session, cycle the "
            "process, or raise the limit",
            current, refusal.limit);
    case BudgetRule::sample_unavailable:
        return fmt::format(
            "fresh import refused: anonymous bytes are unavailable and cannot be compared with the "
            "limit of {}; make /proc readable, or admit without a sample",
            refusal.limit);
    }
    return "fresh import refused";
}

} // namespace

std::string_view budget_rule_name(BudgetRule rule) noexcept {
    return rule_names[static_cast<std::size_t>(rule)];
}

// Bytes before import count: when both limits are reached, bytes is the knob to turn.
// A missing sample last: a limit that is known to be reached says more than one that may be.
std::optional<BudgetRefusal> find_refusal(const MemoryPolicy& policy,
                                          const BudgetFacts& facts) noexcept {
    if (is_reached(policy.max_anonymous_bytes, facts.anonymous_bytes))
        return BudgetRefusal{BudgetRule::anonymous_bytes, *policy.max_anonymous_bytes,
                             facts.anonymous_bytes};
    if (is_reached(policy.max_fresh_imports, facts.fresh_imports))
        return BudgetRefusal{BudgetRule::fresh_imports, *policy.max_fresh_imports,
                             facts.fresh_imports};
    if (policy.max_anonymous_bytes && !facts.anonymous_bytes &&
        policy.when_unavailable == WhenUnavailable::refuse)
        return BudgetRefusal{BudgetRule::sample_unavailable, *policy.max_anonymous_bytes,
                             std::nullopt};
    return std::nullopt;
}

Error to_error(const BudgetRefusal& refusal) {
    Error error(ErrorCode::import_refused, message_for(refusal),
                {{"rule", std::string(budget_rule_name(refusal.rule))}, {"limit", refusal.limit}});
    return refusal.current ? std::move(error).with("current", *refusal.current) : error;
}

} // namespace leanhost::memory
