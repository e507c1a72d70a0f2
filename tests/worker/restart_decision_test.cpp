#include "worker/parent/restart_decision.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace leanhost::worker {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using Decision = std::optional<RestartDecision>;

constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();

/// Limits exactly as the policy says.
GenerationLimits exact(const RestartPolicy& policy) {
    return GenerationLimits{policy};
}

Decision at_rest(const RestartPolicy& policy, const GenerationFacts& facts) {
    return decide_at_rest(exact(policy), facts);
}

Decision in_flight(const RestartPolicy& policy, const InFlightFacts& facts) {
    return decide_in_flight(exact(policy), facts);
}

RestartPolicy policy_with_every_limit() {
    return {.max_requests = 100,
            .max_residue_bytes = 200,
            .max_imports = 10,
            .max_anonymous_bytes = 1000,
            .max_rss_bytes = 3000,
            .max_pss_bytes = 2000,
            .max_idle = 400ms,
            .max_age = 500ms,
            .hard_anonymous_bytes = 5000};
}

GenerationFacts facts_below_every_limit() {
    return {.requests = 99,
            .imports = 9,
            .residue_bytes = 199,
            .anonymous_bytes = 999,
            .rss_bytes = 2999,
            .pss_bytes = 1999,
            .idle_for = 399ms,
            .age = 499ms,
            .next_is_import = true};
}

// A reason at rest, and what makes it apply and no other.
struct ReasonCase {
    RestartReason reason;
    std::function<void(GenerationFacts&)> reach;
    RestartDecision decision;
};

// In the order of decide_at_rest.
std::vector<ReasonCase> reasons_in_order() {
    using R = RestartReason;
    return {
        {R::requested, [](auto& f) { f.restart_requested = true; }, {R::requested}},
        {R::files_changed, [](auto& f) { f.files_changed = true; }, {R::files_changed}},
        {R::import_residue, [](auto& f) { f.residue_bytes = 200; }, {R::import_residue, 200, 200}},
        {R::max_imports, [](auto& f) { f.imports = 10; }, {R::max_imports, 10, 10}},
        {R::max_requests, [](auto& f) { f.requests = 100; }, {R::max_requests, 100, 100}},
        {R::anonymous_bytes,
         [](auto& f) { f.anonymous_bytes = 1000; },
         {R::anonymous_bytes, 1000, 1000}},
        {R::pss_bytes, [](auto& f) { f.pss_bytes = 2000; }, {R::pss_bytes, 2000, 2000}},
        {R::rss_bytes, [](auto& f) { f.rss_bytes = 3000; }, {R::rss_bytes, 3000, 3000}},
        {R::sample_unavailable,
         [](auto& f) { f.rss_bytes.reset(); },
         {R::sample_unavailable, 3000, std::nullopt}},
        {R::idle, [](auto& f) { f.idle_for = 400ms; }, {R::idle, 400, 400}},
        {R::age, [](auto& f) { f.age = 500ms; }, {R::age, 500, 500}},
    };
}

TEST(RestartDecision, WithoutLimitsNothingButChangedFilesRestarts) {
    GenerationFacts facts{.requests = most,
                          .imports = most,
                          .residue_bytes = most,
                          .idle_for = milliseconds::max(),
                          .age = milliseconds::max(),
                          .next_is_import = true};
    EXPECT_EQ(at_rest({}, facts), std::nullopt);
    facts.files_changed = true;
    EXPECT_EQ(at_rest({}, facts), RestartDecision{RestartReason::files_changed});
}

TEST(RestartDecision, ChangedFilesAreLeftAloneWhenThePolicySaysSo) {
    EXPECT_EQ(at_rest({.restart_on_changed_files = false}, {.files_changed = true}), std::nullopt);
}

TEST(RestartDecision, JustBelowEveryLimitGoesOn) {
    EXPECT_EQ(at_rest(policy_with_every_limit(), facts_below_every_limit()), std::nullopt);
}

TEST(RestartDecision, EachLimitIsReachedWhenTheValueEqualsIt) {
    for (const ReasonCase& c : reasons_in_order()) {
        GenerationFacts facts = facts_below_every_limit();
        c.reach(facts);
        EXPECT_EQ(at_rest(policy_with_every_limit(), facts), c.decision)
            << restart_reason_name(c.reason);
    }
}

TEST(RestartDecision, OfTwoReasonsTheEarlierInTheOrderIsNamed) {
    const std::vector<ReasonCase> cases = reasons_in_order();
    for (std::size_t earlier = 0; earlier < cases.size(); ++earlier) {
        for (std::size_t later = earlier + 1; later < cases.size(); ++later) {
            GenerationFacts facts = facts_below_every_limit();
            cases[later].reach(facts);
            cases[earlier].reach(facts);
            // One value cannot be both at its limit and unavailable: PSS stands in for RSS.
            if (cases[earlier].reason == RestartReason::rss_bytes &&
                cases[later].reason == RestartReason::sample_unavailable)
                facts.pss_bytes.reset();
            EXPECT_EQ(at_rest(policy_with_every_limit(), facts), cases[earlier].decision)
                << restart_reason_name(cases[earlier].reason) << " before "
                << restart_reason_name(cases[later].reason);
        }
    }
}

TEST(RestartDecision, ImportLimitsApplyOnlyBeforeARequestThatImports) {
    const RestartPolicy policy{.max_residue_bytes = 200, .max_imports = 10};
    GenerationFacts facts{.requests = 1, .imports = 10, .residue_bytes = 200};
    EXPECT_EQ(at_rest(policy, facts), std::nullopt);
    facts.next_is_import = true;
    EXPECT_EQ(at_rest(policy, facts), (RestartDecision{RestartReason::import_residue, 200, 200}));
}

TEST(RestartDecision, GenerationThatHasAnsweredNothingIsNotHeldToLimits) {
    GenerationFacts facts{.imports = most,
                          .residue_bytes = most,
                          .anonymous_bytes = most,
                          .age = milliseconds::max(),
                          .next_is_import = true};
    EXPECT_EQ(at_rest(policy_with_every_limit(), facts), std::nullopt);
    facts.files_changed = true;
    EXPECT_EQ(at_rest(policy_with_every_limit(), facts)->reason, RestartReason::files_changed);
    facts.restart_requested = true;
    EXPECT_EQ(at_rest(policy_with_every_limit(), facts)->reason, RestartReason::requested);
}

TEST(RestartDecision, UnavailableSampleIsNotUnderBudget) {
    EXPECT_EQ(
        at_rest({.max_anonymous_bytes = 1000}, {.requests = 1, .rss_bytes = 1, .pss_bytes = 1}),
        (RestartDecision{RestartReason::sample_unavailable, 1000, std::nullopt}));
    EXPECT_EQ(at_rest({.max_pss_bytes = 2000}, {.requests = 1, .anonymous_bytes = 1}),
              (RestartDecision{RestartReason::sample_unavailable, 2000, std::nullopt}));
}

TEST(RestartDecision, UnavailableSampleGoesOnWhenThePolicyAdmits) {
    RestartPolicy policy = policy_with_every_limit();
    policy.when_unavailable = WhenUnavailable::admit;
    EXPECT_EQ(at_rest(policy, {.requests = 1}), std::nullopt);
    EXPECT_EQ(at_rest(policy, {.requests = 1, .age = 500ms})->reason, RestartReason::age);
}

TEST(RestartDecision, UnavailableSampleDoesNotMatterWithoutALimitOnIt) {
    EXPECT_EQ(at_rest({.max_requests = 2, .max_rss_bytes = 10}, {.requests = 1, .rss_bytes = 9}),
              std::nullopt);
}

// The rule again, written as a list of what applies, over random policies and facts.
std::vector<RestartReason> reasons_that_apply(const RestartPolicy& p, const GenerationFacts& f) {
    using R = RestartReason;
    std::vector<R> reasons;
    const auto note = [&](R reason, bool applies) {
        if (applies)
            reasons.push_back(reason);
    };
    const auto reached = [](auto limit, auto value) { return limit && value >= *limit; };
    const auto missing = [](auto limit, auto value) { return limit && !value; };
    const bool limited = f.requests > 0;
    note(R::requested, f.restart_requested);
    note(R::files_changed, f.files_changed && p.restart_on_changed_files);
    note(R::import_residue,
         limited && f.next_is_import && reached(p.max_residue_bytes, f.residue_bytes));
    note(R::max_imports, limited && f.next_is_import && reached(p.max_imports, f.imports));
    note(R::max_requests, limited && reached(p.max_requests, f.requests));
    note(R::anonymous_bytes,
         limited && f.anonymous_bytes && reached(p.max_anonymous_bytes, *f.anonymous_bytes));
    note(R::pss_bytes, limited && f.pss_bytes && reached(p.max_pss_bytes, *f.pss_bytes));
    note(R::rss_bytes, limited && f.rss_bytes && reached(p.max_rss_bytes, *f.rss_bytes));
    note(R::sample_unavailable,
         limited && p.when_unavailable == WhenUnavailable::refuse &&
             (missing(p.max_anonymous_bytes, f.anonymous_bytes) ||
              missing(p.max_pss_bytes, f.pss_bytes) || missing(p.max_rss_bytes, f.rss_bytes)));
    note(R::idle, limited && reached(p.max_idle, f.idle_for));
    note(R::age, limited && reached(p.max_age, f.age));
    return reasons;
}

class RandomCase {
public:
    explicit RandomCase(std::uint64_t seed) : random_(seed) {}

    RestartPolicy policy() {
        RestartPolicy p{.max_requests = perhaps(),
                        .max_residue_bytes = perhaps(),
                        .max_imports = perhaps(),
                        .max_anonymous_bytes = perhaps(),
                        .max_rss_bytes = perhaps(),
                        .max_pss_bytes = perhaps(),
                        .max_idle = perhaps_ms(),
                        .max_age = perhaps_ms(),
                        .restart_on_changed_files = coin()};
        if (coin())
            p.when_unavailable = WhenUnavailable::admit;
        return p;
    }
    GenerationFacts facts() {
        return {.requests = small(),
                .imports = small(),
                .residue_bytes = small(),
                .anonymous_bytes = perhaps(),
                .rss_bytes = perhaps(),
                .pss_bytes = perhaps(),
                .idle_for = milliseconds(static_cast<int>(small())),
                .age = milliseconds(static_cast<int>(small())),
                .files_changed = small() == 0,
                .restart_requested = small() == 0,
                .next_is_import = coin()};
    }

private:
    std::uint64_t small() { return random_() % 8; }
    bool coin() { return random_() % 2 == 0; }
    std::optional<std::uint64_t> perhaps() {
        return coin() ? std::optional(small() + 1) : std::nullopt;
    }
    std::optional<milliseconds> perhaps_ms() {
        return coin() ? std::optional(milliseconds(static_cast<int>(small()) + 1)) : std::nullopt;
    }
    std::mt19937_64 random_;
};

TEST(RestartDecision, AgreesWithAModelOnRandomPoliciesAndFacts) {
    RandomCase random(1);
    std::set<RestartReason> seen;
    for (int i = 0; i < 20'000; ++i) {
        const RestartPolicy policy = random.policy();
        const GenerationFacts facts = random.facts();
        const std::vector<RestartReason> expected = reasons_that_apply(policy, facts);
        const Decision decision = at_rest(policy, facts);
        ASSERT_EQ(decision.has_value(), !expected.empty()) << "case " << i;
        if (!decision)
            continue;
        ASSERT_EQ(decision->reason, expected.front()) << "case " << i;
        seen.insert(decision->reason);
    }
    EXPECT_EQ(seen.size(), reasons_in_order().size());
}

TEST(InFlightDecision, WithoutLimitsARequestRunsOn) {
    EXPECT_EQ(in_flight({}, {.anonymous_bytes = most, .running_for = milliseconds::max()}),
              std::nullopt);
    EXPECT_EQ(in_flight({}, {.missed_samples = 1000}), std::nullopt);
}

TEST(InFlightDecision, EachLimitIsReachedWhenTheValueEqualsIt) {
    const RestartPolicy policy{.hard_anonymous_bytes = 5000, .cancel_grace = 70ms};
    EXPECT_EQ(in_flight(policy, {.anonymous_bytes = 4999}), std::nullopt);
    EXPECT_EQ(in_flight(policy, {.anonymous_bytes = 5000}),
              (RestartDecision{RestartReason::hard_limit, 5000, 5000}));

    InFlightFacts facts{.anonymous_bytes = 1, .running_for = 299ms, .deadline = 300ms};
    EXPECT_EQ(in_flight(policy, facts), std::nullopt);
    facts.running_for = 300ms;
    EXPECT_EQ(in_flight(policy, facts), (RestartDecision{RestartReason::deadline, 300, 300}));

    facts = {.anonymous_bytes = 1, .cancelled_for = 69ms};
    EXPECT_EQ(in_flight(policy, facts), std::nullopt);
    facts.cancelled_for = 70ms;
    EXPECT_EQ(in_flight(policy, facts), (RestartDecision{RestartReason::cancelled, 70, 70}));
}

TEST(InFlightDecision, HardLimitThenDeadlineThenCancelledThenAMissingSample) {
    const RestartPolicy policy{.hard_anonymous_bytes = 5000, .cancel_grace = 70ms};
    InFlightFacts facts{.anonymous_bytes = 5000,
                        .missed_samples = max_missed_samples,
                        .running_for = 300ms,
                        .deadline = 300ms,
                        .cancelled_for = 70ms};
    EXPECT_EQ(in_flight(policy, facts)->reason, RestartReason::hard_limit);
    facts.anonymous_bytes.reset();
    EXPECT_EQ(in_flight(policy, facts)->reason, RestartReason::deadline);
    facts.deadline.reset();
    EXPECT_EQ(in_flight(policy, facts)->reason, RestartReason::cancelled);
    facts.cancelled_for.reset();
    EXPECT_EQ(in_flight(policy, facts)->reason, RestartReason::sample_unavailable);
}

TEST(InFlightDecision, NoGraceKillsACancelledRequestAtOnce) {
    EXPECT_EQ(in_flight({.cancel_grace = 0ms}, {}), std::nullopt);
    EXPECT_EQ(in_flight({.cancel_grace = 0ms}, {.cancelled_for = 0ms}),
              (RestartDecision{RestartReason::cancelled, 0, 0}));
}

TEST(InFlightDecision, OnlySeveralMissingSamplesInARowAreNotUnderBudget) {
    RestartPolicy policy{.hard_anonymous_bytes = 5000};
    EXPECT_EQ(in_flight(policy, {.missed_samples = 4}), std::nullopt);
    EXPECT_EQ(in_flight(policy, {.missed_samples = 5}),
              (RestartDecision{RestartReason::sample_unavailable, 5000, std::nullopt}));
    policy.when_unavailable = WhenUnavailable::admit;
    EXPECT_EQ(in_flight(policy, {.missed_samples = 5}), std::nullopt);
}

TEST(GenerationLimits, JitterStaysWithinItsBoundsAndReachesBothEnds) {
    const RestartPolicy policy{
        .max_requests = 20, .max_imports = 1, .max_age = 100ms, .jitter = 0.25};
    std::set<std::uint64_t> requests;
    std::set<milliseconds> ages;
    for (std::uint64_t seed = 0; seed < 2000; ++seed) {
        const RestartPolicy drawn = GenerationLimits::draw(policy, seed).policy;
        requests.insert(*drawn.max_requests);
        ages.insert(*drawn.max_age);
        EXPECT_EQ(drawn.max_imports, 1U); // never to 0, which would be reached from the start
    }
    EXPECT_EQ(*requests.begin(), 15U);
    EXPECT_EQ(*requests.rbegin(), 20U);
    EXPECT_EQ(requests.size(), 6U);
    EXPECT_EQ(*ages.begin(), 75ms);
    EXPECT_EQ(*ages.rbegin(), 100ms);
}

TEST(GenerationLimits, JitterLeavesTheLargestLimitsAboveHalf) {
    const RestartPolicy policy{
        .max_requests = most, .max_imports = 2, .max_age = milliseconds::max(), .jitter = 0.5};
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        const RestartPolicy drawn = GenerationLimits::draw(policy, seed).policy;
        EXPECT_GE(*drawn.max_requests, most / 2);
        EXPECT_GE(*drawn.max_imports, 1U);
        EXPECT_GE(*drawn.max_age, milliseconds::max() / 2);
    }
}

TEST(GenerationLimits, OneSeedGivesOneResultAndSeedsDiffer) {
    const RestartPolicy policy{.max_requests = 1'000'000'000};
    std::set<std::uint64_t> drawn;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        const auto limit = GenerationLimits::draw(policy, seed).policy.max_requests;
        EXPECT_EQ(limit, GenerationLimits::draw(policy, seed).policy.max_requests);
        drawn.insert(*limit);
    }
    EXPECT_GE(drawn.size(), 99U);
}

TEST(GenerationLimits, OneLimitsDrawDoesNotDependOnTheOthers) {
    RestartPolicy policy{
        .max_requests = 1'000'000, .max_imports = 1'000'000, .max_age = 1'000'000ms};
    const RestartPolicy all = GenerationLimits::draw(policy, 7).policy;
    policy.max_requests.reset();
    policy.max_imports.reset();
    const RestartPolicy age_alone = GenerationLimits::draw(policy, 7).policy;
    EXPECT_EQ(age_alone.max_age, all.max_age);
    EXPECT_EQ(age_alone.max_requests, std::nullopt);
}

TEST(GenerationLimits, BytesIdleAndHardLimitsAreNotJittered) {
    RestartPolicy policy = policy_with_every_limit();
    policy.jitter = 0.5;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        const RestartPolicy drawn = GenerationLimits::draw(policy, seed).policy;
        EXPECT_EQ(drawn.max_residue_bytes, policy.max_residue_bytes);
        EXPECT_EQ(drawn.max_anonymous_bytes, policy.max_anonymous_bytes);
        EXPECT_EQ(drawn.max_rss_bytes, policy.max_rss_bytes);
        EXPECT_EQ(drawn.max_pss_bytes, policy.max_pss_bytes);
        EXPECT_EQ(drawn.max_idle, policy.max_idle);
        EXPECT_EQ(drawn.hard_anonymous_bytes, policy.hard_anonymous_bytes);
    }
}

TEST(GenerationLimits, WithoutJitterThePolicyHoldsAsItIs) {
    const RestartPolicy policy{
        .max_requests = 100, .max_imports = 10, .max_age = 500ms, .jitter = 0};
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
        const RestartPolicy drawn = GenerationLimits::draw(policy, seed).policy;
        EXPECT_EQ(drawn.max_requests, 100U);
        EXPECT_EQ(drawn.max_imports, 10U);
        EXPECT_EQ(drawn.max_age, 500ms);
    }
}

TEST(RestartPolicy, DefaultsAndEveryLimitTogetherAreAccepted) {
    EXPECT_TRUE(validate({}));
    EXPECT_TRUE(validate(policy_with_every_limit()));
}

TEST(RestartPolicy, SmallestAndLargestAcceptedValuesAreAccepted) {
    EXPECT_TRUE(validate({.max_requests = 1, .max_idle = 1ms, .max_age = 1ms, .jitter = 0}));
    EXPECT_TRUE(validate({.jitter = 0.5, .cancel_grace = 0ms}));
    EXPECT_TRUE(validate({.max_age = milliseconds::max(), .cancel_grace = 1h}));
    EXPECT_TRUE(validate({.hard_anonymous_bytes = 1, .sample_interval = 10ms}));
    EXPECT_TRUE(validate({.hard_anonymous_bytes = most, .sample_interval = 100ms}));
}

void expect_refused(const RestartPolicy& policy,
                    const std::string& option,
                    const std::string& value,
                    const std::string& accepted) {
    const Expected<void> outcome = validate(policy);
    ASSERT_FALSE(outcome) << option << " = " << value;
    EXPECT_EQ(outcome.error().code(), ErrorCode::invalid_argument);
    EXPECT_EQ(*outcome.error().find_fact("option"), ErrorFact::Value(option));
    EXPECT_EQ(*outcome.error().find_fact("value"), ErrorFact::Value(value));
    EXPECT_EQ(*outcome.error().find_fact("accepted"), ErrorFact::Value(accepted));
    EXPECT_EQ(outcome.error().message(),
              "restart policy: " + option + " is " + value + "; accepted: " + accepted);
}

TEST(RestartPolicy, LimitsOfZeroAreRefusedByName) {
    const std::string accepted = "1 or more, or no limit";
    expect_refused({.max_requests = 0}, "max_requests", "0", accepted);
    expect_refused({.max_residue_bytes = 0}, "max_residue_bytes", "0", accepted);
    expect_refused({.max_imports = 0}, "max_imports", "0", accepted);
    expect_refused({.max_anonymous_bytes = 0}, "max_anonymous_bytes", "0", accepted);
    expect_refused({.max_rss_bytes = 0}, "max_rss_bytes", "0", accepted);
    expect_refused({.max_pss_bytes = 0}, "max_pss_bytes", "0", accepted);
    expect_refused({.hard_anonymous_bytes = 0}, "hard_anonymous_bytes", "0", accepted);
}

TEST(RestartPolicy, DurationsOutOfRangeAreRefusedByName) {
    expect_refused({.max_idle = 0ms}, "max_idle", "0 ms", "1 ms or more, or no limit");
    expect_refused({.max_age = -5ms}, "max_age", "-5 ms", "1 ms or more, or no limit");
    expect_refused({.cancel_grace = -1ms}, "cancel_grace", "-1 ms", "0 to 3600000 ms");
    expect_refused({.cancel_grace = 3'600'001ms}, "cancel_grace", "3600001 ms", "0 to 3600000 ms");
}

TEST(RestartPolicy, SampleIntervalIsCheckedOnlyWithAHardLimit) {
    expect_refused({.hard_anonymous_bytes = 1, .sample_interval = 9ms}, "sample_interval", "9 ms",
                   "10 to 100 ms");
    expect_refused({.hard_anonymous_bytes = 1, .sample_interval = 101ms}, "sample_interval",
                   "101 ms", "10 to 100 ms");
    EXPECT_TRUE(validate({.sample_interval = 101ms}));
}

TEST(RestartPolicy, JitterOutsideItsRangeIsRefused) {
    expect_refused({.jitter = -0.01}, "jitter", "-0.01", "0 to 0.5");
    expect_refused({.jitter = 0.51}, "jitter", "0.51", "0 to 0.5");
    expect_refused({.jitter = std::numeric_limits<double>::quiet_NaN()}, "jitter", "nan",
                   "0 to 0.5");
}

TEST(RestartReason, NamesAreStable) {
    using R = RestartReason;
    const std::vector<std::pair<R, std::string_view>> names = {
        {R::requested, "requested"},
        {R::files_changed, "files_changed"},
        {R::max_requests, "max_requests"},
        {R::import_residue, "import_residue"},
        {R::max_imports, "max_imports"},
        {R::anonymous_bytes, "anonymous_bytes"},
        {R::rss_bytes, "rss_bytes"},
        {R::pss_bytes, "pss_bytes"},
        {R::sample_unavailable, "sample_unavailable"},
        {R::idle, "idle"},
        {R::age, "age"},
        {R::hard_limit, "hard_limit"},
        {R::deadline, "deadline"},
        {R::cancelled, "cancelled"},
        {R::protocol_error, "protocol_error"},
        {R::child_exited, "child_exited"}};
    for (const auto& [reason, name] : names)
        EXPECT_EQ(restart_reason_name(reason), name);
}

TEST(RestartDecision, TextTellsNumbersWithTheirUnits) {
    using R = RestartReason;
    const std::vector<std::pair<RestartDecision, std::string>> texts = {
        {{R::requested}, "a restart was requested"},
        {{R::files_changed}, "module files have changed on disk"},
        {{R::max_requests, 95, 96}, "96 requests answered, the generation's limit is 95"},
        {{R::import_residue, 200, 300}, "imports left 300 bytes behind, the limit is 200"},
        {{R::max_imports, 9, 10}, "10 imports done, the generation's limit is 9"},
        {{R::anonymous_bytes, 1000, 1001}, "1001 anonymous bytes held, the limit is 1000"},
        {{R::rss_bytes, 1, 2}, "2 resident bytes (RSS) held, the limit is 1"},
        {{R::pss_bytes, 1, 2}, "2 proportional bytes (PSS) held, the limit is 1"},
        {{R::sample_unavailable, 1000},
         "memory is unavailable and cannot be compared with the limit of 1000 bytes"},
        {{R::idle, 400, 401}, "idle for 401 ms, the limit is 400 ms"},
        {{R::age, 450, 460}, "460 ms old, the generation's limit is 450 ms"},
        {{R::hard_limit, 5, 6}, "6 anonymous bytes held during a request, the hard limit is 5"},
        {{R::deadline, 300, 310}, "the request ran for 310 ms, its deadline is 300 ms"},
        {{R::cancelled, 70, 71},
         "the request still ran 71 ms after its cancellation, the grace is 70 ms"},
        {{R::protocol_error}, "the child broke the protocol"},
        {{R::child_exited}, "the child has exited"}};
    for (const auto& [decision, text] : texts)
        EXPECT_EQ(to_string(decision), text);
}

TEST(RestartDecision, FactsHoldReasonLimitUnitAndWhatIsKnown) {
    const Error reached(ErrorCode::child_exited, "", error_facts({RestartReason::idle, 400, 401}));
    EXPECT_EQ(*reached.find_fact("reason"), ErrorFact::Value("idle"));
    EXPECT_EQ(*reached.find_fact("limit"), ErrorFact::Value(std::uint64_t{400}));
    EXPECT_EQ(*reached.find_fact("unit"), ErrorFact::Value("ms"));
    EXPECT_EQ(*reached.find_fact("current"), ErrorFact::Value(std::uint64_t{401}));

    const Error missing(ErrorCode::child_exited, "",
                        error_facts({RestartReason::sample_unavailable, 1000}));
    EXPECT_EQ(*missing.find_fact("unit"), ErrorFact::Value("bytes"));
    EXPECT_EQ(missing.find_fact("current"), nullptr);

    EXPECT_EQ(error_facts({RestartReason::requested}).size(), 1U);
}

} // namespace
} // namespace leanhost::worker
