#include "base/unique_fd.hpp"
#include "worker/parent/busy_wait_policy.hpp"
#include "worker/protocol/busy_wait.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

namespace leanhost::worker::test {
namespace {

using namespace std::chrono_literals;

constexpr unsigned two_processors = 2;
constexpr unsigned one_call = 1;

// Requests in a row whose answers do not come in time, and how many of them were looked for.
int looked_for_of(BusyWaitPolicy& policy, int requests) {
    int looked_for = 0;
    for (int i = 0; i < requests; ++i) {
        if (policy.for_answer(one_call) == 0us)
            continue;
        ++looked_for;
        policy.note_answer(false);
    }
    return looked_for;
}

TEST(BusyWaitPolicy, LooksForAnAnswerAsLongAsAnswersCome) {
    BusyWaitPolicy policy(50us, two_processors);
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(policy.for_answer(one_call), 50us);
        policy.note_answer(true);
    }
}

TEST(BusyWaitPolicy, LooksMoreAndMoreRarelyWhenNoneComes) {
    BusyWaitPolicy policy(50us, two_processors);
    // 1, 1 of 2, 1 of 4, … and at last 1 of 64.
    EXPECT_EQ(looked_for_of(policy, 1 + 2 + 4 + 8 + 16 + 32), 6);
    EXPECT_EQ(looked_for_of(policy, 64), 1);
    EXPECT_EQ(looked_for_of(policy, 64 * 10), 10);
}

TEST(BusyWaitPolicy, OneThatCameMakesGoodForAllThatDidNot) {
    BusyWaitPolicy policy(50us, two_processors);
    looked_for_of(policy, 1 + 2 + 4 + 8 + 16 + 32 + 63);
    ASSERT_EQ(policy.for_answer(one_call), 50us);
    policy.note_answer(true);
    EXPECT_EQ(policy.for_answer(one_call), 50us);
}

TEST(BusyWaitPolicy, EveryCallNeedsTwoProcessors) {
    BusyWaitPolicy policy(50us, 4);
    EXPECT_EQ(policy.for_answer(2), 50us);
    EXPECT_EQ(policy.for_answer(3), 0us);
    EXPECT_EQ(policy.for_next_request(1us, 2), 50us);
    EXPECT_EQ(policy.for_next_request(1us, 3), 0us);
}

TEST(BusyWaitPolicy, NobodyWaitsSoOnOneProcessorOrWhereItIsSwitchedOff) {
    for (BusyWaitPolicy policy :
         {BusyWaitPolicy(50us, 1), BusyWaitPolicy(50us, 0), BusyWaitPolicy(0us, two_processors)}) {
        EXPECT_EQ(policy.for_answer(one_call), 0us);
        EXPECT_EQ(policy.for_next_request(0us, one_call), 0us);
    }
}

TEST(BusyWaitPolicy, AChildWaitsForTheNextRequestOnlyIfThisOneCameSoonEnough) {
    const BusyWaitPolicy policy(50us, two_processors);
    EXPECT_EQ(policy.for_next_request(49us, one_call), 50us);
    EXPECT_EQ(policy.for_next_request(50us, one_call), 0us);
    EXPECT_EQ(policy.for_next_request(10s, one_call), 0us);
}

TEST(BusyWait, SeesWhatIsThereAndEndsWhenNothingComes) {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    const UniqueFd ours(ends[0]);
    const UniqueFd theirs(ends[1]);
    EXPECT_FALSE(await_input_busily(ours.get(), 200us));
    ASSERT_EQ(::send(theirs.get(), "x", 1, 0), 1);
    EXPECT_TRUE(await_input_busily(ours.get(), 0us)) << "it looks at least once";
}

} // namespace
} // namespace leanhost::worker::test
