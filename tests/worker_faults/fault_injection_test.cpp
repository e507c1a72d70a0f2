// One fault after the other, with a child that was started and with one that a template has forked.
#include "worker/parent/spawn.hpp"
#include "worker_faults/fault_fixture.hpp"

#include <leanhost/memory_sample.hpp>

#include <fcntl.h>
#include <sys/wait.h>

#include <csignal>
#include <thread>

namespace leanhost::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using testing::AnyOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

// A child that closes its socket has as long to end by itself: generation.cpp, last_breath.
constexpr milliseconds last_breath = 1000ms;
// Beyond deadline and grace: two ticks of 100 ms, and a machine that does other things as well.
constexpr milliseconds patience = 2500ms;

struct Case {
    const char* fault;
    ErrorCode code;
    const char* says;          ///< part of the message
    milliseconds within = 0ms; ///< beside `patience`
    std::vector<ErrorFact> facts = {};
};

std::optional<std::uint64_t> number(const Error& error, const char* key) {
    const auto* const value = error.find_fact(key);
    const auto* const number = value == nullptr ? nullptr : std::get_if<std::uint64_t>(value);
    return number == nullptr ? std::nullopt : std::optional(*number);
}

void expect_facts(const Error& error, const std::vector<ErrorFact>& facts) {
    for (const ErrorFact& fact : facts) {
        const auto* const value = error.find_fact(fact.key);
        ASSERT_NE(value, nullptr) << "no fact '" << fact.key << "' in: " << error.message();
        EXPECT_EQ(*value, fact.value) << fact.key;
    }
}

const auto fault_and_birth = [](const auto& parameter) {
    const auto& [one, is_forked] = parameter.param;
    return std::string(one.fault) + (is_forked ? "_forked" : "_started");
};

// The greeting and the import: the lease fails.
class GreetingFault : public FaultFixture,
                      public testing::WithParamInterface<std::tuple<Case, bool>> {};

TEST_P(GreetingFault, FailsTheLeaseAndTheNextIsServed) {
    const auto& [expected, use_template] = GetParam();
    WorkerPoolOptions with = options(expected.fault, use_template);
    if (expected.within != 0ms)
        with.worker.start_timeout = expected.within;
    WorkerPool pool = make(with);
    arm();
    const auto begun = Clock::now();
    const auto lease = pool.acquire({"A"});
    const auto took = Clock::now() - begun;
    ASSERT_FALSE(lease);
    EXPECT_FALSE(is_armed());
    EXPECT_EQ(lease.error().code(), expected.code) << lease.error().message();
    EXPECT_THAT(lease.error().message(), HasSubstr(expected.says));
    expect_facts(lease.error(), expected.facts);
    EXPECT_LT(took, expected.within + patience);
    expect_serves(pool);
}

INSTANTIATE_TEST_SUITE_P(
    Faults,
    GreetingFault,
    testing::Combine(
        testing::Values(
            Case{"wrong_version", ErrorCode::protocol_error, "speaks protocol 99, this program 1"},
            Case{"unknown_required_feature", ErrorCode::protocol_error, "feature 'telepathy'"},
            Case{"garbage_in_greeting", ErrorCode::protocol_error, "bytes that begin no frame"},
            Case{"exit_before_greeting",
                 ErrorCode::child_exited,
                 "exited with status 7",
                 0ms,
                 {{"exit_status", std::uint64_t{7}}}},
            Case{"silence_in_greeting", ErrorCode::deadline_exceeded, "within 1000 ms", 1000ms}),
        testing::Bool()),
    fault_and_birth);

// The first request: it fails, and the next lease is served.
class RequestFault : public FaultFixture,
                     public testing::WithParamInterface<std::tuple<Case, bool>> {
protected:
    const Case& expected() const { return std::get<0>(GetParam()); }
    WorkerPoolOptions options() const {
        WorkerPoolOptions with = FaultFixture::options(expected().fault, std::get<1>(GetParam()));
        if (expected().code != ErrorCode::deadline_exceeded)
            with.worker.request_timeout = 10s;
        return with;
    }
    void expect_error(const Error& error, Clock::duration took) const {
        EXPECT_FALSE(is_armed()) << "the fault did not happen";
        EXPECT_EQ(error.code(), expected().code) << error.message();
        EXPECT_THAT(error.message(), HasSubstr(expected().says));
        expect_facts(error, expected().facts);
        expect_facts(error, {{"work_entered_child", true}});
        EXPECT_TRUE(number(error, "generation")) << "it does not say which child it was";
        EXPECT_LT(took, expected().within + patience);
    }
};

TEST_P(RequestFault, FailsItsRequestAndTheNextLeaseIsServed) {
    WorkerPool pool = make(options());
    arm();
    {
        const auto lease = pool.acquire({"A"});
        ASSERT_TRUE(lease) << lease.error().message();
        const auto begun = Clock::now();
        const auto names = names_of(**lease);
        const auto took = Clock::now() - begun;
        ASSERT_FALSE(names);
        expect_error(names.error(), took);
    }
    expect_serves(pool);
}

TEST_P(RequestFault, TheSameLeaseGoesOnOnceTheChildIsBuried) {
    WorkerPool pool = make(options());
    arm();
    const auto lease = pool.acquire({"A"});
    ASSERT_TRUE(lease) << lease.error().message();
    ASSERT_FALSE(names_of(**lease));
    // A request that comes before the child is found out may fail with it, as a typed error.
    EXPECT_TRUE(comes_true(expected().within + 3 * patience, [&] {
        const auto names = names_of(**lease);
        EXPECT_TRUE(names || names.error().code() != ErrorCode::internal);
        return names.has_value();
    })) << "the lease is not served any more";
}

constexpr milliseconds request_timeout = 200ms;
const ErrorFact broke_protocol{"reason", std::string("protocol_error")};

INSTANTIATE_TEST_SUITE_P(
    Faults,
    RequestFault,
    testing::Combine(
        testing::Values(
            Case{"garbage",
                 ErrorCode::protocol_error,
                 "bytes that begin no frame",
                 0ms,
                 {broke_protocol}},
            Case{"half_a_frame", ErrorCode::deadline_exceeded, "within 200 ms", request_timeout},
            Case{"oversized_frame",
                 ErrorCode::protocol_error,
                 "a frame of 4294967295 bytes",
                 0ms,
                 {broke_protocol}},
            Case{"frame_without_message",
                 ErrorCode::protocol_error,
                 "holds no message",
                 0ms,
                 {broke_protocol}},
            Case{"wrong_request_id",
                 ErrorCode::protocol_error,
                 "which is not open",
                 0ms,
                 {broke_protocol}},
            Case{"silence", ErrorCode::deadline_exceeded, "within 200 ms", request_timeout},
            Case{"more_rows_than_asked", ErrorCode::protocol_error, "more rows than"},
            Case{"summary_with_wrong_count", ErrorCode::protocol_error,
                 "3 rows of 51 bytes arrived; the summary says 4"},
            Case{"summary_with_wrong_checksum", ErrorCode::protocol_error, "another checksum"},
            Case{"exit_mid_frame",
                 ErrorCode::child_exited,
                 "exited with status 3",
                 0ms,
                 {{"exit_status", std::uint64_t{3}}}},
            Case{"exits_with_status",
                 ErrorCode::child_exited,
                 "it wrote: no more paper",
                 0ms,
                 {{"exit_status", std::uint64_t{42}}}},
            Case{"crashes",
                 ErrorCode::child_exited,
                 "killed by signal 4",
                 0ms,
                 {{"signal", std::uint64_t{SIGILL}}}},
            Case{"sigstop", ErrorCode::deadline_exceeded, "within 200 ms", request_timeout},
            Case{"closes_socket_but_lives",
                 ErrorCode::protocol_error,
                 "closed its socket",
                 last_breath,
                 {broke_protocol}},
            Case{"descriptor_flood",
                 ErrorCode::protocol_error,
                 "descriptors that no message asked",
                 0ms,
                 {broke_protocol}},
            Case{"progress_flood", ErrorCode::deadline_exceeded, "within 200 ms", request_timeout},
            Case{"news_of_children",
                 ErrorCode::protocol_error,
                 "a worker that is no template",
                 0ms,
                 {broke_protocol}},
            Case{"fork_that_nobody_asked_for",
                 ErrorCode::protocol_error,
                 "a fork that was not asked for",
                 0ms,
                 {broke_protocol}},
            Case{"fork_bomb_then_crash",
                 ErrorCode::child_exited,
                 "killed by signal 4",
                 0ms,
                 {{"signal", std::uint64_t{SIGILL}}}}),
        testing::Bool()),
    fault_and_birth);

// The rest asks for more than an error. Each runs with both births.
class WorkerFault : public FaultFixture, public testing::WithParamInterface<bool> {
protected:
    WorkerPoolOptions options(const std::string& fault) const {
        return FaultFixture::options(fault, GetParam());
    }
    // Its child; a process of the test that is no template.
    static std::uint64_t ended(const WorkerPool& pool, const char* reason) {
        const PoolSnapshot now = pool.snapshot();
        const auto found = now.ended_by_reason.find(reason);
        return found == now.ended_by_reason.end() ? 0 : found->second;
    }
};
INSTANTIATE_TEST_SUITE_P(Births, WorkerFault, testing::Bool(), [](const auto& one) {
    return std::string(one.param ? "forked" : "started");
});

Expected<SearchSummary> search_all(const Session& session, const CallOptions& call = {}) {
    return session.search_declarations(
        {}, {}, [](const Name&, const Declaration&) { return SinkAnswer::proceed; }, call);
}

TEST_P(WorkerFault, RowsWithoutCreditEndTheChild) {
    WorkerPoolOptions with = options("endless_rows");
    with.worker.request_timeout = 10s;
    WorkerPool pool = make(with);
    arm();
    const std::uint64_t before = own_anonymous_bytes();
    const auto found = search_all(**pool.acquire({"A"}));
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code(), ErrorCode::protocol_error) << found.error().message();
    EXPECT_THAT(found.error().message(), HasSubstr("rows without credit"));
    EXPECT_LT(own_anonymous_bytes(), before + (16U << 20));
    expect_serves(pool);
}

TEST_P(WorkerFault, EndlessRowsWithinTheirCreditEndAtTheDeadlineAndCostNoMemory) {
    WorkerPool pool = make(options("endless_rows_within_credit"));
    arm();
    const std::uint64_t before = own_anonymous_bytes();
    std::uint64_t rows = 0;
    const auto begun = Clock::now();
    const auto lease = pool.acquire({"A"});
    const auto found = (*lease)->search_declarations({}, {}, [&](const Name&, const Declaration&) {
        ++rows;
        return SinkAnswer::proceed;
    });
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code(), ErrorCode::deadline_exceeded) << found.error().message();
    EXPECT_LT(Clock::now() - begun, request_timeout + patience);
    EXPECT_GT(rows, 10'000U) << "credit was given again";
    EXPECT_LT(own_anonymous_bytes(), before + (16U << 20));
}

TEST_P(WorkerFault, AnAnswerCountsWhateverFollowsIt) {
    for (const char* const fault : {"rows_after_summary", "double_summary"}) {
        SCOPED_TRACE(fault);
        WorkerPool pool = make(options(fault));
        arm();
        {
            const auto lease = pool.acquire({"A"});
            ASSERT_TRUE(lease) << lease.error().message();
            const auto names = names_of(**lease);
            ASSERT_TRUE(names) << "an answer was given and then lost: " << names.error().message();
            EXPECT_EQ(*names, honest_names);
            EXPECT_TRUE(comes_true(patience, [&] { return ended(pool, "protocol_error") == 1; }))
                << "the child goes on";
        }
        EXPECT_THAT(pool.snapshot().last_exit, HasSubstr("which is not open"));
        expect_serves(pool);
    }
}

TEST_P(WorkerFault, AChildThatIgnoresACancellationIsKilledAfterTheGrace) {
    WorkerPoolOptions with = options("ignores_cancel");
    with.worker.request_timeout = 10s;
    WorkerPool pool = make(with);
    arm();
    const auto lease = pool.acquire({"A"});
    ASSERT_TRUE(lease) << lease.error().message();
    CancellationSource source;
    CallOptions call;
    call.cancellation = source.token();
    std::thread canceller([&] {
        comes_true(5s, [&] { return !is_armed(); }); // the request has entered the child
        source.cancel();
    });
    const auto begun = Clock::now();
    const auto names = (*lease)->list_declarations(0, 10, call);
    const auto took = Clock::now() - begun;
    canceller.join();
    ASSERT_FALSE(names);
    EXPECT_EQ(names.error().code(), ErrorCode::cancelled) << names.error().message();
    expect_facts(names.error(), {{"work_entered_child", true}});
    EXPECT_LT(took, with.worker.restart_policy.cancel_grace + patience);
    EXPECT_TRUE(names_of(**lease)) << "the lease goes on";
    EXPECT_EQ(ended(pool, "cancelled"), 1U);
}

TEST_P(WorkerFault, AllocatingWithoutEndMeetsTheHardLimit) {
    WorkerPoolOptions with = options("allocates_without_end");
    with.worker.request_timeout = 10s;
    with.worker.restart_policy.hard_anonymous_bytes = std::uint64_t{128} << 20;
    with.worker.restart_policy.sample_interval = 20ms;
    WorkerPool pool = make(with);
    arm();
    const auto lease = pool.acquire({"A"});
    ASSERT_TRUE(lease) << lease.error().message();
    const ::pid_t pid = lease->pid();
    std::atomic<bool> is_done = false;
    std::uint64_t most = 0;
    std::thread watcher([&] {
        while (!is_done) {
            most = std::max(most, sample_anonymous_fast(pid).value_or(0));
            std::this_thread::sleep_for(2ms);
        }
    });
    const auto begun = Clock::now();
    const auto names = names_of(**lease);
    const auto took = Clock::now() - begun;
    is_done = true;
    watcher.join();
    ASSERT_FALSE(names);
    EXPECT_EQ(names.error().code(), ErrorCode::memory_limit) << names.error().message();
    EXPECT_THAT(names.error().message(), HasSubstr("134217728"));
    expect_facts(names.error(), {{"reason", std::string("hard_limit")}});
    EXPECT_LT(took, 125ms + patience) << "1 GiB/s meets 128 MiB after 125 ms";
    EXPECT_LT(most, std::uint64_t{256} << 20) << "overshot by more than 128 MiB";
    EXPECT_TRUE(names_of(**lease)) << "the lease goes on";
}

TEST_P(WorkerFault, OutputWithoutEndIsDrainedAndOnlyItsEndIsKept) {
    for (const char* const fault : {"floods_stderr", "floods_stdout"}) {
        SCOPED_TRACE(fault);
        WorkerPoolOptions with = options(fault);
        with.worker.request_timeout = 10s;
        WorkerPool pool = make(with);
        arm();
        const std::uint64_t before = own_anonymous_bytes();
        const auto lease = pool.acquire({"A"});
        ASSERT_TRUE(lease) << lease.error().message();
        const auto names = names_of(**lease);
        ASSERT_TRUE(names) << names.error().message();
        EXPECT_EQ(*names, honest_names);
        EXPECT_LT(own_anonymous_bytes(), before + (4U << 20));
    }
}

// While one child floods us, requests to another are answered as ever.
TEST_P(WorkerFault, AFloodKeepsNobodyElseWaiting) {
    for (const char* const fault :
         {"progress_flood", "floods_stderr", "endless_rows_within_credit"}) {
        SCOPED_TRACE(fault);
        WorkerPoolOptions with = options(fault);
        with.max_workers = 2;
        with.worker.request_timeout = 400ms;
        WorkerPool pool = make(with);
        arm();
        const auto flooding = pool.acquire({"A"});
        ASSERT_TRUE(flooding) << flooding.error().message();
        std::atomic<bool> is_done = false;
        std::thread flooded([&] {
            static_cast<void>(search_all(**flooding));
            is_done = true;
        });
        ASSERT_TRUE(comes_true(5s, [&] { return !is_armed(); }));
        const auto other = pool.acquire({"C"});
        ASSERT_TRUE(other) << other.error().message();
        milliseconds slowest{0};
        while (!is_done) {
            const auto begun = Clock::now();
            const auto answered = other->ping();
            EXPECT_TRUE(answered) << answered.error().message();
            slowest =
                std::max(slowest, std::chrono::duration_cast<milliseconds>(Clock::now() - begun));
        }
        flooded.join();
        EXPECT_LT(slowest, 250ms);
    }
}

TEST_P(WorkerFault, AChildThatIgnoresShutdownIsKilledAfterTheGrace) {
    WorkerPool pool = make(options("ignores_shutdown"));
    arm();
    ASSERT_TRUE(names_of(**pool.acquire({"A"})));
    const auto begun = Clock::now();
    EXPECT_TRUE(pool.drain(1s));
    EXPECT_TRUE(comes_true(patience, [&] { return ended(pool, "requested") >= 1; }));
    EXPECT_LT(Clock::now() - begun, 150ms + patience);
}

// The first process of a pid namespace cannot stop itself, but everybody else can stop it.
// A closed socket is always readable: who led looked at it without a pause until the child was
// buried.
TEST_P(WorkerFault, WaitingForTheEndOfAChildThatClosedItsSocketCostsNoProcessorTime) {
    WorkerPoolOptions with = options("closes_socket_but_lives");
    with.worker.request_timeout = 10s;
    WorkerPool pool = make(with);
    arm();
    const auto lease = pool.acquire({"A"});
    ASSERT_TRUE(lease) << lease.error().message();
    const auto thread_time = [] {
        ::timespec now{};
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
    };
    const auto begun = Clock::now();
    const auto cpu_begun = thread_time();
    EXPECT_FALSE(names_of(**lease));
    EXPECT_GT(Clock::now() - begun, last_breath / 2) << "a control: it waited";
    EXPECT_LT(thread_time() - cpu_begun, 50ms);
}

TEST_P(WorkerFault, AStoppedChildFailsItsRequestAtTheDeadlineAndIsKilled) {
    WorkerPool pool = make(options("silence"));
    arm();
    const auto lease = pool.acquire({"A"});
    ASSERT_TRUE(lease) << lease.error().message();
    ASSERT_EQ(::kill(lease->pid(), SIGSTOP), 0);
    const auto begun = Clock::now();
    const auto names = names_of(**lease);
    ASSERT_FALSE(names);
    EXPECT_EQ(names.error().code(), ErrorCode::deadline_exceeded) << names.error().message();
    EXPECT_LT(Clock::now() - begun, request_timeout + patience);
    EXPECT_TRUE(comes_true(patience, [&] { return ended(pool, "deadline") == 1; }));
    std::filesystem::remove(fault_file()); // the stopped child may not have taken it
    expect_goes_on(*lease);
}

// Two requests in one child: the one that is cancelled takes the other with it, which is told so.
TEST_P(WorkerFault, WhoDiesForAnothersCancellationIsNotCancelled) {
    WorkerPool pool = make(real_options(GetParam()));
    const auto lease = pool.acquire({"A"});
    ASSERT_TRUE(lease) << lease.error().message();
    std::atomic<int> num_asleep = 0;
    const auto sleep = [&](const CallOptions& call) {
        return lease->call_capability_rows(
            "hostile", "sleep_deaf", "8000",
            [&](std::string_view) {
                ++num_asleep;
                return SinkAnswer::proceed;
            },
            call);
    };
    Expected<RowSummary> bystander = RowSummary{};
    std::thread other([&] { bystander = sleep({}); });
    EXPECT_TRUE(comes_true(5s, [&] { return num_asleep == 1; }));
    CancellationSource source;
    CallOptions call;
    call.cancellation = source.token();
    std::thread canceller([&] {
        comes_true(5s, [&] { return num_asleep == 2; });
        source.cancel();
    });
    const auto cancelled = sleep(call);
    canceller.join();
    other.join();
    ASSERT_FALSE(cancelled);
    EXPECT_EQ(cancelled.error().code(), ErrorCode::cancelled) << cancelled.error().message();
    ASSERT_FALSE(bystander) << bystander->rows;
    EXPECT_EQ(bystander.error().code(), ErrorCode::child_exited) << bystander.error().message();
    expect_facts(bystander.error(),
                 {{"reason", std::string("cancelled")}, {"work_entered_child", true}});
}

// Its key's last child took more than the whole budget. The next may need less, and is not refused.
TEST_P(WorkerFault, AChildThatOutgrewTheBudgetDoesNotShutItsKeyOut) {
    WorkerPoolOptions with = real_options(GetParam());
    with.max_total_bytes = std::uint64_t{128} << 20;
    with.first_worker_bytes = std::uint64_t{8} << 20;
    WorkerPool pool = make(with);
    {
        const auto lease = pool.acquire({"A"});
        ASSERT_TRUE(lease) << lease.error().message();
        const auto grown =
            lease->call_capability_rows("hostile", "dirty_memory", "2000",
                                        [](std::string_view) { return SinkAnswer::proceed; });
        ASSERT_FALSE(grown);
        EXPECT_EQ(grown.error().code(), ErrorCode::memory_limit) << grown.error().message();
    }
    expect_serves(pool);
    EXPECT_EQ(pool.snapshot().refused, 0U);
}

// What a child starts ends with it, even if it has left session and parent behind. The worker is
// real; a capability of it starts the others.
class Descendants : public FaultFixture,
                    public testing::WithParamInterface<std::tuple<Confinement, bool>> {
protected:
    WorkerPoolOptions options() const {
        const auto& [confinement, use_template] = GetParam();
        WorkerPoolOptions with = FaultFixture::real_options(use_template);
        with.worker.strongest_confinement = confinement;
        return with;
    }
    // One for each that could be started.
    static Expected<RowSummary> start_descendants(const WorkerLease& lease) {
        return lease.call_capability_rows("hostile", "start_descendants", "8",
                                          [](std::string_view) { return SinkAnswer::proceed; });
    }
};
const auto confinement_and_birth = [](const auto& parameter) {
    const auto& [confinement, is_forked] = parameter.param;
    return std::string(confinement_name(confinement)) + (is_forked ? "_forked" : "_started");
};
INSTANTIATE_TEST_SUITE_P(Confinements,
                         Descendants,
                         testing::Combine(testing::Values(Confinement::pid_namespace,
                                                          Confinement::no_new_processes),
                                          testing::Bool()),
                         confinement_and_birth);

TEST_P(Descendants, EndWithTheChildThatStartedThem) {
    const auto& [confinement, use_template] = GetParam();
    WorkerPool pool = make(options());
    const std::size_t templates = use_template ? 1 : 0;
    {
        const auto lease = pool.acquire({"A"});
        ASSERT_TRUE(lease) << lease.error().message();
        if (pool.snapshot().confinement != confinement)
            GTEST_SKIP() << "no " << confinement_name(confinement) << " on this machine";
        const auto rows = start_descendants(*lease);
        ASSERT_TRUE(rows) << rows.error().message();
        // In a pid namespace of its own only: a template's children share one, which outlives them.
        const bool may_start = confinement == Confinement::pid_namespace && !use_template;
        EXPECT_EQ(rows->rows, may_start ? 8U : 0U);
        EXPECT_THAT(processes_with(folder.path()), SizeIs(1 + templates + rows->rows));
        ASSERT_EQ(::kill(lease->pid(), SIGKILL), 0);
        EXPECT_TRUE(comes_true(1s, [&] {
            return processes_with(folder.path()).size() == templates;
        })) << testing::PrintToString(processes_with(folder.path()));
        expect_goes_on(*lease);
    }
}

TEST_P(Descendants, AreAllowedWhereNoConfinementIsWanted) {
    WorkerPoolOptions with = options();
    with.worker.strongest_confinement = Confinement::none;
    WorkerPool pool = make(with);
    {
        const auto lease = pool.acquire({"A"});
        ASSERT_TRUE(lease) << lease.error().message();
        EXPECT_EQ(pool.snapshot().confinement, Confinement::none);
        const auto rows = start_descendants(*lease);
        ASSERT_TRUE(rows) << rows.error().message();
        EXPECT_EQ(rows->rows, 8U) << "a control: without confinement they can be started";
    }
    EXPECT_TRUE(pool.drain(1s));
    const auto is_orphan = [&](const ProcessLine& process) { return process.parent != ::getpid(); };
    for (const ProcessLine& process : processes_with(folder.path())) {
        if (is_orphan(process))
            ::kill(process.pid, SIGKILL); // ours to clean up, as documented
    }
}

// The kernel's limit beneath the budget. Each with a child started and one forked.
class CgroupLimit : public FaultFixture, public testing::WithParamInterface<bool> {
protected:
    static constexpr std::uint64_t limit = std::uint64_t{64} << 20;
    WorkerPoolOptions options() const {
        WorkerPoolOptions with = real_options(GetParam());
        with.max_cgroup_bytes = limit;
        return with;
    }
};
INSTANTIATE_TEST_SUITE_P(Births, CgroupLimit, testing::Bool(), [](const auto& one) {
    return std::string(one.param ? "forked" : "started");
});

TEST_P(CgroupLimit, TheKernelEndsAChildThatOutgrowsItAndThePoolGoesOn) {
    std::string path;
    {
        WorkerPool pool = make(options());
        const CgroupStatus before = pool.snapshot().cgroup.value();
        if (!before.holds)
            GTEST_SKIP() << "no cgroup can be had here: " << before.why_not;
        path = before.path;
        const auto lease = pool.acquire({"A"});
        ASSERT_TRUE(lease) << lease.error().message();
        EXPECT_GT(pool.snapshot().cgroup->used_bytes.value_or(0), 0U) << "the child is not in it";
        const auto call = [&](const char* mebibytes) {
            return lease->call_capability_rows(
                "hostile", "dirty_memory", mebibytes,
                [](std::string_view) { return SinkAnswer::proceed; });
        };
        const auto rows = call("256");
        ASSERT_FALSE(rows) << "a control: 256 MiB are more than the limit";
        EXPECT_EQ(rows.error().code(), ErrorCode::child_exited) << rows.error().message();
        expect_facts(rows.error(), {{"signal", std::uint64_t{SIGKILL}}, {"out_of_memory", true}});
        expect_goes_on(*lease);
        EXPECT_TRUE(call("8")) << "within the limit it works";
        const CgroupStatus after = pool.snapshot().cgroup.value();
        EXPECT_TRUE(after.holds) << after.why_not;
        EXPECT_GE(after.kills.value_or(1), 1U);
        EXPECT_THAT(pool.metrics_text(), HasSubstr("leanhost_pool_cgroup_holds 1"));
    }
    EXPECT_FALSE(std::filesystem::exists(path)) << "it is left";
}

TEST_P(CgroupLimit, WhereNoneCanBeHadThePoolServesAndSaysWhy) {
    WorkerPoolOptions with = options();
    with.cgroup_parent = folder.path() / "nowhere";
    with.log_path = folder.path() / "pool.log";
    WorkerPool pool = make(with);
    expect_serves(pool);
    const CgroupStatus status = pool.snapshot().cgroup.value();
    EXPECT_FALSE(status.holds);
    EXPECT_THAT(status.why_not, HasSubstr("nowhere is no cgroup"));
    EXPECT_THAT(pool.metrics_text(), HasSubstr("leanhost_pool_cgroup_holds 0"));
}

// A template's child is where its template is, so only a start can miss it.
TEST_F(FaultFixture, AProcessThatCannotBePutIntoACgroupRunsAndIsTold) {
    const UniqueFd unwritable(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    worker::SpawnOptions with{.executable = "/bin/true"};
    with.cgroup_processes = unwritable.get();
    const worker::SpawnedProcess process = worker::spawn(with);
    EXPECT_THAT(process.outside_cgroup, HasSubstr("Bad file descriptor"));
    int status = -1;
    ::waitpid(process.pid, &status, 0);
    EXPECT_EQ(status, 0);
}

// Faults of the template itself.
class ForkFault : public FaultFixture, public testing::WithParamInterface<Case> {};
INSTANTIATE_TEST_SUITE_P(
    Faults,
    ForkFault,
    testing::Values(Case{"fork_without_descriptor", ErrorCode::protocol_error, "pidfd"},
                    Case{"fork_gives_a_file", ErrorCode::protocol_error, "no pidfd"},
                    Case{"fork_gives_a_silent_pipe", ErrorCode::protocol_error, "no pidfd"},
                    Case{"fork_silence", ErrorCode::deadline_exceeded, "within 1000 ms", 1000ms},
                    Case{"fork_fails", ErrorCode::resource_exhausted, "no more processes here"},
                    Case{"exit_in_fork", ErrorCode::child_exited, "exited with status 9"},
                    Case{"news_of_unknown_children", ErrorCode::child_exited,
                         "exited with status 9"}),
    [](const auto& one) { return std::string(one.param.fault); });

TEST_P(ForkFault, FailsTheLeaseAndTheNextIsServed) {
    const Case& expected = GetParam();
    WorkerPoolOptions with = options(expected.fault, true);
    if (expected.within != 0ms)
        with.worker.start_timeout = expected.within;
    WorkerPool pool = make(with);
    arm();
    const auto begun = Clock::now();
    const auto lease = pool.acquire({"A"});
    const auto took = Clock::now() - begun;
    ASSERT_FALSE(lease);
    EXPECT_EQ(lease.error().code(), expected.code) << lease.error().message();
    EXPECT_THAT(lease.error().message(), HasSubstr(expected.says));
    EXPECT_LT(took, expected.within + patience);
    // This one broke no promise: it said that it could not, and says so again.
    if (std::string(expected.fault) == "fork_fails")
        return;
    expect_serves(pool);
}

// A template that dies takes its children with it, and the requests that run in them end typed.
TEST_F(FaultFixture, AKilledTemplateEndsItsChildrenAndTheirRequests) {
    WorkerPoolOptions with = options("silence", true);
    with.worker.request_timeout = 10s;
    WorkerPool pool = make(with);
    arm();
    auto lease = pool.acquire({"A"});
    ASSERT_TRUE(lease) << lease.error().message();
    const ::pid_t child = lease->pid();
    std::thread killer([&] {
        comes_true(5s, [&] { return !is_armed(); });
        for (const ProcessLine& process : processes_with(folder.path())) {
            if (process.pid != child)
                ::kill(process.pid, SIGKILL);
        }
    });
    const auto names = names_of(**lease);
    killer.join();
    ASSERT_FALSE(names);
    EXPECT_EQ(names.error().code(), ErrorCode::child_exited) << names.error().message();
    expect_facts(names.error(), {{"work_entered_child", true}});
    EXPECT_TRUE(comes_true(1s, [&] { return processes_with(folder.path()).empty(); }));
    EXPECT_TRUE(names_of(**lease)) << "the lease goes on, with a new template";
}

// A control: this suite sees what is left.
TEST(Leftovers, SeesADescriptorAProcessAndAZombie) {
    const std::size_t before = open_descriptors();
    const int descriptor = ::dup(0);
    EXPECT_EQ(open_descriptors(), before + 1);
    ::close(descriptor);
    const ::pid_t child = ::fork();
    if (child == 0)
        ::_exit(0);
    EXPECT_TRUE(comes_true(1s, [&] {
        const auto processes = processes_with("no such mark");
        return processes.size() == 1 && processes[0].pid == child && processes[0].state == 'Z';
    }));
    ::waitpid(child, nullptr, 0);
    EXPECT_THAT(processes_with("no such mark"), IsEmpty());
}

} // namespace
} // namespace leanhost::test
