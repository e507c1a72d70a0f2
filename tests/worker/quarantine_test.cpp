#include "base/require.hpp"
#include "worker/parent/quarantine.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace leanhost::worker {
namespace {

using namespace std::chrono_literals;
using TimePoint = std::chrono::steady_clock::time_point;

constexpr TimePoint start{1'000'000s};
const RequestFingerprint killer{7, "open Mathlib"};
const RequestFingerprint bystander{8, "list Init"};

void kill_alone(Quarantine& quarantine,
                const RequestFingerprint& request,
                std::uint64_t generation,
                TimePoint now = start) {
    quarantine.record_death(generation, "signal 11", {&request, 1}, now);
}

void kill_several(Quarantine& quarantine,
                  const RequestFingerprint& request,
                  std::uint64_t generations,
                  TimePoint now = start) {
    for (std::uint64_t generation = 1; generation <= generations; ++generation)
        kill_alone(quarantine, request, generation, now);
}

TEST(Quarantine, RequestIsLetInUntilItHasKilledAsManyGenerationsAsTheLimit) {
    Quarantine quarantine;
    EXPECT_FALSE(quarantine.find_refusal(killer.hash, start));
    kill_several(quarantine, killer, 2);
    EXPECT_FALSE(quarantine.find_refusal(killer.hash, start));
    kill_alone(quarantine, killer, 3);
    EXPECT_TRUE(quarantine.find_refusal(killer.hash, start));
    EXPECT_FALSE(quarantine.find_refusal(bystander.hash, start));
}

TEST(Quarantine, OneKillIsEnoughWhenTheOptionSaysSo) {
    Quarantine quarantine({.kills = 1});
    kill_alone(quarantine, killer, 1);
    EXPECT_TRUE(quarantine.find_refusal(killer.hash, start));
}

TEST(Quarantine, OneGenerationCountsOnce) {
    Quarantine quarantine;
    for (int i = 0; i < 10; ++i)
        kill_alone(quarantine, killer, 1);
    EXPECT_FALSE(quarantine.find_refusal(killer.hash, start));
}

TEST(Quarantine, RefusalHoldsTheEvidence) {
    Quarantine quarantine;
    const std::vector<RequestFingerprint> both = {killer, bystander};
    quarantine.record_death(4, "signal 11", both, start);
    quarantine.record_death(6, "exit status 1", {&killer, 1}, start + 1s);
    quarantine.record_death(9, "hard limit", {&killer, 1}, start + 2s);
    const auto refusal = quarantine.find_refusal(killer.hash, start + 5s);
    ASSERT_TRUE(refusal);
    EXPECT_EQ(refusal->hash, 7U);
    EXPECT_EQ(refusal->label, "open Mathlib");
    EXPECT_EQ(refusal->kills, (std::vector<KillEvidence>{{4, "signal 11", 1, start},
                                                         {6, "exit status 1", 0, start + 1s},
                                                         {9, "hard limit", 0, start + 2s}}));
    EXPECT_EQ(refusal->at, start + 5s);
}

TEST(Quarantine, RefusalReadsAsOneLineAndAsFacts) {
    const QuarantineRefusal refusal{
        7,
        "open Mathlib",
        {{4, "signal 11", 1, start}, {6, "exit status 1", 0, start + 1s}},
        start + 5s};
    EXPECT_EQ(to_string(refusal),
              "the request \"open Mathlib\" is quarantined, its children died: generation 4 "
              "(signal 11; first of 2; 5 s ago) generation 6 (exit status 1; alone; 4 s ago)");
    const Error error(ErrorCode::child_exited, to_string(refusal), error_facts(refusal));
    EXPECT_EQ(*error.find_fact("fingerprint"), ErrorFact::Value(std::uint64_t{7}));
    EXPECT_EQ(*error.find_fact("label"), ErrorFact::Value("open Mathlib"));
    EXPECT_EQ(*error.find_fact("kills"), ErrorFact::Value(std::uint64_t{2}));
    EXPECT_EQ(*error.find_fact("generations"), ErrorFact::Value("4, 6"));
    EXPECT_EQ(*error.find_fact("last_exit"), ErrorFact::Value("exit status 1"));
}

TEST(Quarantine, OfSeveralInFlightOnlyTheFirstToEnterIsSuspected) {
    Quarantine quarantine;
    const std::vector<RequestFingerprint> in_order = {killer, bystander};
    for (std::uint64_t generation = 1; generation <= 5; ++generation)
        quarantine.record_death(generation, "signal 11", in_order, start);
    EXPECT_TRUE(quarantine.find_refusal(killer.hash, start));
    EXPECT_FALSE(quarantine.find_refusal(bystander.hash, start));
    EXPECT_EQ(quarantine.size(), 1U);
}

TEST(Quarantine, DeathOfAnIdleGenerationSuspectsNobody) {
    Quarantine quarantine({.kills = 1});
    quarantine.record_death(1, "signal 9", {}, start);
    EXPECT_EQ(quarantine.size(), 0U);
}

TEST(Quarantine, SuccessClearsSuspicionAndQuarantine) {
    Quarantine quarantine;
    kill_several(quarantine, killer, 2);
    quarantine.record_success(killer.hash);
    kill_alone(quarantine, killer, 3);
    EXPECT_FALSE(quarantine.find_refusal(killer.hash, start));

    kill_several(quarantine, bystander, 3);
    quarantine.record_success(bystander.hash);
    EXPECT_FALSE(quarantine.find_refusal(bystander.hash, start));
}

TEST(Quarantine, SuccessOfAnotherRequestClearsNothing) {
    Quarantine quarantine;
    kill_several(quarantine, killer, 3);
    quarantine.record_success(bystander.hash);
    EXPECT_TRUE(quarantine.find_refusal(killer.hash, start));
}

TEST(Quarantine, EndsWhenTheLastKillIsTooOldAndTheRecordIsCleanThen) {
    Quarantine quarantine;
    kill_several(quarantine, killer, 3);
    EXPECT_TRUE(quarantine.find_refusal(killer.hash, start + 10min - 1ns));
    EXPECT_FALSE(quarantine.find_refusal(killer.hash, start + 10min));
    EXPECT_EQ(quarantine.size(), 0U);
    kill_alone(quarantine, killer, 4, start + 10min);
    EXPECT_FALSE(quarantine.find_refusal(killer.hash, start + 10min));
}

TEST(Quarantine, LaterKillKeepsTheEarlierOnes) {
    Quarantine quarantine;
    for (std::uint64_t i = 1; i <= 3; ++i)
        kill_alone(quarantine, killer, i, start + i * 9min);
    EXPECT_TRUE(quarantine.find_refusal(killer.hash, start + 27min));
}

TEST(Quarantine, KillAfterTheAgeStartsAnew) {
    Quarantine quarantine;
    kill_several(quarantine, killer, 2);
    kill_alone(quarantine, killer, 3, start + 10min);
    EXPECT_FALSE(quarantine.find_refusal(killer.hash, start + 10min));
}

TEST(Quarantine, RefusalsDoNotProlongIt) {
    Quarantine quarantine;
    kill_several(quarantine, killer, 3);
    for (int minute = 0; minute < 10; ++minute)
        EXPECT_TRUE(quarantine.find_refusal(killer.hash, start + minute * 1min));
    EXPECT_FALSE(quarantine.find_refusal(killer.hash, start + 10min));
}

TEST(Quarantine, OnlyTheLastKillsAreKept) {
    Quarantine quarantine({.kills = 2});
    kill_several(quarantine, killer, 5);
    const auto refusal = quarantine.find_refusal(killer.hash, start);
    ASSERT_TRUE(refusal);
    ASSERT_EQ(refusal->kills.size(), 2U);
    EXPECT_EQ(refusal->kills[0].generation, 4U);
    EXPECT_EQ(refusal->kills[1].generation, 5U);
}

TEST(Quarantine, FullTableForgetsTheSuspectThatIsLongestUnused) {
    Quarantine quarantine({.kills = 1, .max_entries = 2});
    kill_alone(quarantine, {1, "a"}, 1);
    kill_alone(quarantine, {2, "b"}, 2);
    EXPECT_TRUE(quarantine.find_refusal(1, start)); // a is used: b is now the older one
    kill_alone(quarantine, {3, "c"}, 3);
    EXPECT_EQ(quarantine.size(), 2U);
    EXPECT_FALSE(quarantine.find_refusal(2, start));
    EXPECT_TRUE(quarantine.find_refusal(1, start));
    EXPECT_TRUE(quarantine.find_refusal(3, start));
}

TEST(Quarantine, FurtherKillMakesASuspectTheNewest) {
    Quarantine quarantine({.kills = 2, .max_entries = 2});
    kill_alone(quarantine, {1, "a"}, 1);
    kill_alone(quarantine, {2, "b"}, 2);
    kill_alone(quarantine, {1, "a"}, 3);
    kill_alone(quarantine, {3, "c"}, 4);
    EXPECT_TRUE(quarantine.find_refusal(1, start));
    kill_alone(quarantine, {2, "b"}, 5);
    EXPECT_FALSE(quarantine.find_refusal(2, start));
}

TEST(Quarantine, TableHoldsAThousandAndTwentyFourByDefault) {
    Quarantine quarantine;
    for (std::uint64_t hash = 0; hash < 5000; ++hash)
        kill_alone(quarantine, {hash, "request"}, hash);
    EXPECT_EQ(quarantine.size(), 1024U);
}

TEST(Quarantine, LongTextsAreCutAtACharacter) {
    Quarantine quarantine({.kills = 1});
    const RequestFingerprint request{1, std::string(max_label_bytes - 1, 'x') + "é"};
    const std::string exit_text(1000, 'y');
    quarantine.record_death(1, exit_text, {&request, 1}, start);
    const auto refusal = quarantine.find_refusal(1, start);
    ASSERT_TRUE(refusal);
    EXPECT_EQ(refusal->label, std::string(max_label_bytes - 1, 'x'));
    EXPECT_EQ(refusal->kills[0].exit_text, std::string(max_exit_text_bytes, 'y'));
}

TEST(Quarantine, OptionsOutOfRangeAreRefused) {
    const auto made = [](const QuarantineOptions& options) { Quarantine{options}; };
    EXPECT_THROW(made({.kills = 0}), RequirementFailed);
    EXPECT_THROW(made({.kills = 65}), RequirementFailed);
    EXPECT_THROW(made({.max_entries = 0}), RequirementFailed);
    EXPECT_THROW(made({.max_age = 0ms}), RequirementFailed);
    EXPECT_THROW(made({.max_age = 24h + 1ms}), RequirementFailed);
    EXPECT_NO_THROW(made({.kills = 64, .max_entries = 1, .max_age = 24h}));
}

// The same rules, plainly: a map, and for each suspect a number that tells when it was last used.
class Model {
public:
    Model(std::uint32_t kills, std::size_t max_entries, std::chrono::milliseconds max_age)
        : kills_(kills), max_entries_(max_entries), max_age_(max_age) {}

    void death(std::uint64_t generation, std::uint64_t hash, TimePoint now) {
        drop_if_old(hash, now);
        if (!suspects_.contains(hash) && suspects_.size() == max_entries_)
            suspects_.erase(least_recently_used());
        Suspect& suspect = suspects_[hash];
        suspect.last_use = ++uses_;
        if (suspect.generations.insert(generation).second)
            suspect.last_kill = now;
    }
    void success(std::uint64_t hash) { suspects_.erase(hash); }
    bool is_refused(std::uint64_t hash, TimePoint now) {
        drop_if_old(hash, now);
        const auto found = suspects_.find(hash);
        if (found == suspects_.end() || found->second.generations.size() < kills_)
            return false;
        found->second.last_use = ++uses_;
        return true;
    }
    std::size_t size() const { return suspects_.size(); }

private:
    struct Suspect {
        std::set<std::uint64_t> generations;
        TimePoint last_kill;
        std::uint64_t last_use = 0;
    };
    using Suspects = std::map<std::uint64_t, Suspect>;

    void drop_if_old(std::uint64_t hash, TimePoint now) {
        const auto found = suspects_.find(hash);
        if (found != suspects_.end() && now - found->second.last_kill >= max_age_)
            suspects_.erase(found);
    }
    Suspects::iterator least_recently_used() {
        return std::min_element(suspects_.begin(), suspects_.end(), [](auto& a, auto& b) {
            return a.second.last_use < b.second.last_use;
        });
    }

    std::uint32_t kills_;
    std::size_t max_entries_;
    std::chrono::milliseconds max_age_;
    std::uint64_t uses_ = 0;
    Suspects suspects_;
};

TEST(Quarantine, AgreesWithAModelInRandomRuns) {
    std::mt19937_64 random(5);
    Quarantine quarantine({.kills = 3, .max_entries = 8, .max_age = 1000ms});
    Model model(3, 8, 1000ms);
    TimePoint now = start;
    std::uint64_t generation = 0;
    int refused = 0;
    for (int i = 0; i < 100'000; ++i) {
        now += std::chrono::milliseconds(static_cast<int>(random() % 20));
        const std::uint64_t hash = random() % 12;
        switch (random() % 8) {
        case 0:
            quarantine.record_success(hash);
            model.success(hash);
            break;
        case 1:
        case 2:
            ASSERT_EQ(quarantine.find_refusal(hash, now).has_value(), model.is_refused(hash, now))
                << "step " << i;
            break;
        default:
            generation += random() % 4 == 0 ? 0 : 1; // now and then the same one again
            kill_alone(quarantine, {hash, "request"}, generation, now);
            model.death(generation, hash, now);
        }
        ASSERT_EQ(quarantine.size(), model.size()) << "step " << i;
        refused += model.is_refused(hash, now) ? 1 : 0;
        static_cast<void>(quarantine.find_refusal(hash, now));
    }
    EXPECT_GT(refused, 1000);
}

} // namespace
} // namespace leanhost::worker
