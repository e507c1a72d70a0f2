#include "memory/budget.hpp"

#include <gtest/gtest.h>

namespace leanhost::memory {
namespace {

constexpr MemoryPolicy bytes_policy{.max_anonymous_bytes = 1000};
constexpr MemoryPolicy imports_policy{.max_fresh_imports = 2};
constexpr MemoryPolicy both_policy{.max_anonymous_bytes = 1000, .max_fresh_imports = 2};

TEST(Budget, WithoutLimitsAdmitsEverything) {
    EXPECT_EQ(find_refusal({}, {}), std::nullopt);
    EXPECT_EQ(find_refusal({}, {.anonymous_bytes = ~0ULL, .fresh_imports = ~0ULL}), std::nullopt);
}

TEST(Budget, BytesAreAdmittedJustBelowTheLimitAndRefusedAtIt) {
    EXPECT_EQ(find_refusal(bytes_policy, {.anonymous_bytes = 999}), std::nullopt);
    EXPECT_EQ(find_refusal(bytes_policy, {.anonymous_bytes = 1000}),
              (BudgetRefusal{BudgetRule::anonymous_bytes, 1000, 1000}));
    EXPECT_EQ(find_refusal(bytes_policy, {.anonymous_bytes = 1001}),
              (BudgetRefusal{BudgetRule::anonymous_bytes, 1000, 1001}));
}

TEST(Budget, AsManyImportsAreAdmittedAsTheLimitSays) {
    EXPECT_EQ(find_refusal(imports_policy, {.fresh_imports = 1}), std::nullopt);
    EXPECT_EQ(find_refusal(imports_policy, {.fresh_imports = 2}),
              (BudgetRefusal{BudgetRule::fresh_imports, 2, 2}));
    EXPECT_EQ(find_refusal({.max_fresh_imports = 0}, {}),
              (BudgetRefusal{BudgetRule::fresh_imports, 0, 0}));
}

TEST(Budget, BytesAreNamedWhenBothLimitsAreReached) {
    EXPECT_EQ(find_refusal(both_policy, {.anonymous_bytes = 1000, .fresh_imports = 2})->rule,
              BudgetRule::anonymous_bytes);
}

TEST(Budget, UnavailableSampleIsNotUnderTheLimit) {
    EXPECT_EQ(find_refusal(bytes_policy, {}),
              (BudgetRefusal{BudgetRule::sample_unavailable, 1000, std::nullopt}));
}

TEST(Budget, UnavailableSampleIsAdmittedWhenThePolicySaysSo) {
    MemoryPolicy policy = both_policy;
    policy.when_unavailable = WhenUnavailable::admit;
    EXPECT_EQ(find_refusal(policy, {.fresh_imports = 1}), std::nullopt);
    EXPECT_EQ(find_refusal(policy, {.fresh_imports = 2})->rule, BudgetRule::fresh_imports);
}

TEST(Budget, UnavailableSampleDoesNotMatterWithoutALimitOnBytes) {
    EXPECT_EQ(find_refusal(imports_policy, {.fresh_imports = 1}), std::nullopt);
}

TEST(Budget, ReachedImportLimitIsNamedBeforeAMissingSample) {
    EXPECT_EQ(find_refusal(both_policy, {.fresh_imports = 2})->rule, BudgetRule::fresh_imports);
}

TEST(Budget, RefusalBecomesAnErrorWithTypedFacts) {
    const Error error = to_error({BudgetRule::anonymous_bytes, 1000, 1234});
    EXPECT_EQ(error.code(), ErrorCode::import_refused);
    EXPECT_TRUE(error.still_usable());
    EXPECT_EQ(*error.find_fact("rule"), ErrorFact::Value("anonymous_bytes"));
    EXPECT_EQ(*error.find_fact("limit"), ErrorFact::Value(std::uint64_t{1000}));
    EXPECT_EQ(*error.find_fact("current"), ErrorFact::Value(std::uint64_t{1234}));
}

TEST(Budget, UnavailableValueIsNoFact) {
    const Error error = to_error({BudgetRule::sample_unavailable, 1000, std::nullopt});
    EXPECT_EQ(*error.find_fact("rule"), ErrorFact::Value("sample_unavailable"));
    EXPECT_EQ(error.find_fact("current"), nullptr);
}

TEST(Budget, RuleNamesAreStable) {
    EXPECT_EQ(budget_rule_name(BudgetRule::anonymous_bytes), "anonymous_bytes");
    EXPECT_EQ(budget_rule_name(BudgetRule::fresh_imports), "fresh_imports");
    EXPECT_EQ(budget_rule_name(BudgetRule::sample_unavailable), "sample_unavailable");
}

} // namespace
} // namespace leanhost::memory
