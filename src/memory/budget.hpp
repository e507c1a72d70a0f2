#pragma once

#include <leanhost/error.hpp>
#include <leanhost/memory_policy.hpp>
#include <leanhost/memory_sample.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace leanhost::memory {

/// What the policy is asked about: the state before the import.
struct BudgetFacts {
    std::optional<std::uint64_t> anonymous_bytes = std::nullopt; ///< MemorySample::gauge_bytes
    std::uint64_t fresh_imports = 0;                             ///< so far
};

/// The rule that refused.
enum class BudgetRule : std::uint8_t { anonymous_bytes, fresh_imports, sample_unavailable };

/// The stable name of `rule`, such as "fresh_imports". Valid for the process's life.
std::string_view budget_rule_name(BudgetRule rule) noexcept;

/// Why an import was refused. For sample_unavailable the limit is the one that could not be
/// compared.
struct BudgetRefusal {
    BudgetRule rule;
    std::uint64_t limit;
    std::optional<std::uint64_t> current;

    bool operator==(const BudgetRefusal&) const = default;
};

/// Whether `policy` refuses another fresh import; nullopt admits it. Pure.
/// A limit is reached when the value equals it. Order: bytes, then imports, then the missing
/// sample.
std::optional<BudgetRefusal> find_refusal(const MemoryPolicy& policy,
                                          const BudgetFacts& facts) noexcept;

/// The refusal as import_refused; facts: rule, limit, and current where it is known.
Error to_error(const BudgetRefusal& refusal);

} // namespace leanhost::memory
