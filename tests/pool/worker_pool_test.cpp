#include "support/temp_dir.hpp"
#include "support_modules/module_maker.hpp"

#include <leanhost/worker_pool.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <ctime>
#include <fstream>
#include <future>
#include <thread>

namespace leanhost {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

std::string fact(const Error& error, const char* key) {
    const auto* value = error.find_fact(key);
    return value == nullptr ? "none" : std::get<std::string>(*value);
}

class PoolFixture : public testing::Test {
protected:
    PoolFixture() {
        using test::write_module;
        write_module(folder.path(), "A", {}, {"A.one"});
        write_module(folder.path(), "B", {}, {"B.one", "B.two"});
        write_module(folder.path(), "C", {}, {"C.one"});
    }

    WorkerPoolOptions options() const {
        WorkerPoolOptions options;
        options.worker.executable = LEANHOST_WORKER_PROGRAM;
        options.worker.runtime.search_path = {folder.path()};
        options.worker.runtime.revalidate_after = 0ms;
        options.max_workers = 2;
        options.max_wait = 10s;
        return options;
    }
    static WorkerPool make(const WorkerPoolOptions& options) {
        auto pool = WorkerPool::make(options);
        if (!pool)
            throw std::runtime_error(pool.error().message());
        return *std::move(pool);
    }
    static WorkerLease lease(WorkerPool& pool, const ImportSet& imports) {
        auto lease = pool.acquire(imports);
        if (!lease)
            throw std::runtime_error(lease.error().message());
        return *std::move(lease);
    }

    test::TempDir folder;
};

TEST_F(PoolFixture, ALeaseIsASession) {
    WorkerPool pool = make(options());
    const WorkerLease a = lease(pool, {"A"});
    EXPECT_EQ(a->list_declarations(0, 10)->size(), 1U);
    EXPECT_TRUE(a.ping());
    EXPECT_EQ(a->import_facts().modules, 1U);
}

TEST_F(PoolFixture, AWarmWorkerIsReused) {
    WorkerPool pool = make(options());
    const std::uint64_t first = lease(pool, {"A"}).generation();
    const WorkerLease again = lease(pool, {"A"});
    EXPECT_EQ(again.generation(), first);
    EXPECT_EQ(again.source(), LeaseSource::warm);
    const PoolSnapshot snapshot = pool.snapshot();
    EXPECT_EQ(snapshot.acquired, 2U);
    EXPECT_EQ(snapshot.leased, 1U);
    EXPECT_EQ(snapshot.acquired_by_source.at("warm"), 1U);
    EXPECT_EQ(snapshot.acquired_by_source.at("forked"), 1U);
}

TEST_F(PoolFixture, OrderOfImportsIsPartOfTheKey) {
    WorkerPool pool = make(options());
    const std::uint64_t ab = lease(pool, {"A", "B"}).generation();
    EXPECT_NE(lease(pool, {"B", "A"}).generation(), ab);
    EXPECT_EQ(lease(pool, {"A", "B"}).generation(), ab);
}

TEST_F(PoolFixture, AnIdleWorkerOfAnotherKeyMakesRoom) {
    WorkerPoolOptions with = options();
    with.max_workers = 1;
    WorkerPool pool = make(with);
    lease(pool, {"A"});
    EXPECT_EQ(lease(pool, {"B"})->list_declarations(0, 10)->size(), 2U);
    EXPECT_EQ(pool.snapshot().evicted, 1U);
    EXPECT_EQ(pool.snapshot().workers, 1U);
}

TEST_F(PoolFixture, ALeaseBeyondTheLimitWaitsForOneThatComesBack) {
    WorkerPoolOptions with = options();
    with.max_workers = 1;
    WorkerPool pool = make(with);
    std::optional<WorkerLease> held = lease(pool, {"A"});
    auto waiting = std::async(std::launch::async, [&] { return pool.acquire({"B"}).has_value(); });
    while (pool.snapshot().waiting == 0)
        std::this_thread::sleep_for(1ms);
    held.reset();
    EXPECT_TRUE(waiting.get());
}

TEST_F(PoolFixture, WhoWaitsTooLongIsRefusedBeforeAnyWork) {
    WorkerPoolOptions with = options();
    with.max_workers = 1;
    with.max_wait = 50ms;
    WorkerPool pool = make(with);
    const WorkerLease held = lease(pool, {"A"});
    const auto refused = pool.acquire({"B"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::admission_refused);
    EXPECT_EQ(fact(refused.error(), "rule"), "queue_timeout");
    EXPECT_FALSE(std::get<bool>(*refused.error().find_fact("work_entered_child")));
    EXPECT_EQ(pool.snapshot().refused_by_rule.at("queue_timeout"), 1U);
}

TEST_F(PoolFixture, TheQueueIsBounded) {
    WorkerPoolOptions with = options();
    with.max_workers = 1;
    with.max_waiting = 1;
    WorkerPool pool = make(with);
    std::optional<WorkerLease> held = lease(pool, {"A"});
    auto waiting = std::async(std::launch::async, [&] { return pool.acquire({"B"}).has_value(); });
    while (pool.snapshot().waiting == 0)
        std::this_thread::sleep_for(1ms);
    const auto refused = pool.acquire({"C"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(fact(refused.error(), "rule"), "queue_full");
    held.reset();
    EXPECT_TRUE(waiting.get());
}

TEST_F(PoolFixture, FirstComeFirstServed) {
    WorkerPoolOptions with = options();
    with.max_workers = 1;
    WorkerPool pool = make(with);
    std::optional<WorkerLease> held = lease(pool, {"A"});
    std::mutex mutex;
    std::vector<int> served;
    std::vector<std::thread> threads;
    const std::vector<ImportSet> keys{{"B"}, {"C"}, {"A"}};
    for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&, i] {
            const WorkerLease mine = lease(pool, keys[static_cast<std::size_t>(i)]);
            const std::lock_guard lock(mutex);
            served.push_back(i);
        });
        while (pool.snapshot().waiting < static_cast<std::size_t>(i) + 1)
            std::this_thread::sleep_for(1ms);
    }
    held.reset();
    for (std::thread& thread : threads)
        thread.join();
    // The third wants what comes back and takes nobody's room by it; the others go in their order.
    EXPECT_THAT(served, testing::AnyOf(testing::ElementsAre(2, 0, 1), testing::ElementsAre(0, 1, 2),
                                       testing::ElementsAre(0, 2, 1)));
}

TEST_F(PoolFixture, WaitingCanBeCancelled) {
    WorkerPoolOptions with = options();
    with.max_workers = 1;
    WorkerPool pool = make(with);
    const WorkerLease held = lease(pool, {"A"});
    CancellationSource source;
    auto waiting = std::async(std::launch::async, [&] {
        LeaseRequest request{.imports = {"B"}};
        request.call.cancellation = source.token();
        return pool.acquire(request).error().code();
    });
    while (pool.snapshot().waiting == 0)
        std::this_thread::sleep_for(1ms);
    source.cancel();
    EXPECT_EQ(waiting.get(), ErrorCode::cancelled);
}

TEST_F(PoolFixture, MoreThanTheWholeBudgetIsRefusedAtOnce) {
    WorkerPoolOptions with = options();
    with.max_total_bytes = 64U << 20;
    with.first_worker_bytes = 65U << 20;
    WorkerPool pool = make(with);
    const auto refused = pool.acquire({"A"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(fact(refused.error(), "rule"), "exceeds_budget");
    EXPECT_EQ(pool.snapshot().generations, 0U);
}

TEST_F(PoolFixture, TheBudgetIsReservedBeforeAWorkerStarts) {
    WorkerPoolOptions with = options();
    with.max_workers = 4;
    with.worker.use_template = false;
    with.max_total_bytes = 100U << 20;
    with.first_worker_bytes = 60U << 20;
    with.max_wait = 50ms;
    WorkerPool pool = make(with);
    const WorkerLease held = lease(pool, {"A"});
    const auto refused = pool.acquire({"B"});
    ASSERT_FALSE(refused) << "two reservations of 60 MiB in 100";
    EXPECT_EQ(fact(refused.error(), "rule"), "queue_timeout");
}

TEST_F(PoolFixture, WhatAKeyNeededBeforeIsWhatIsReserved) {
    WorkerPoolOptions with = options();
    with.max_workers = 4;
    with.worker.use_template = false;
    with.max_total_bytes = 100U << 20;
    with.first_worker_bytes = 60U << 20;
    WorkerPool pool = make(with);
    EXPECT_TRUE(lease(pool, {"A"}).ping());
    std::this_thread::sleep_for(250ms); // it is sampled
    const WorkerLease one = lease(pool, {"A"});
    const WorkerLease two = lease(pool, {"A"});
    EXPECT_LT(pool.snapshot().reserved_bytes, 60U << 20) << "a small worker's peak is known now";
}

// What a child holds at rest, and what its key came to at work, are far apart here. Sizes are
// beside the former, which is some 2 MiB, and ten times that under sanitizers.
class TightBudget : public PoolFixture {
protected:
    static constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20;

    TightBudget() {
        WorkerPoolOptions with = options();
        with.worker.use_template = false;
        WorkerPool pool = make(with);
        const WorkerLease held = lease(pool, {"A"});
        EXPECT_TRUE(held.ping());
        std::this_thread::sleep_for(250ms); // it is sampled
        rest_mib = pool.snapshot().anonymous_bytes / mebibyte + 1;
    }

    WorkerPoolOptions tight_options(std::uint64_t total_mib, std::uint64_t first_mib) const {
        WorkerPoolOptions with = options();
        with.max_workers = 4;
        with.max_wait = 100ms;
        with.max_total_bytes = total_mib * mebibyte;
        with.first_worker_bytes = first_mib * mebibyte;
        with.worker.use_template = false;
        with.worker.capability_libraries = {LEANHOST_HOSTILE_CAPABILITY};
        return with;
    }
    // At 1 GiB/s, and gives them back: what its key came to is about so much then.
    static void dirty(const WorkerLease& lease, std::uint64_t mib) {
#ifdef __SANITIZE_THREAD__
        GTEST_SKIP() << "as much shadow memory, and more, is not given back";
#endif
        const auto done = lease.call_capability_rows("hostile", "dirty_memory", std::to_string(mib),
                                                     [](auto) { return SinkAnswer::proceed; });
        ASSERT_TRUE(done) << done.error().message();
    }
    // Until what it holds at rest is known.
    static bool comes_to_rest_below(const WorkerPool& pool, std::uint64_t mib) {
        for (int i = 0; i < 1000; ++i) {
            if (pool.snapshot().reserved_bytes < mib * mebibyte)
                return true;
            std::this_thread::sleep_for(2ms);
        }
        return false;
    }

    std::uint64_t rest_mib = 0;
};

// A warm lease was granted whatever its child might grow to: 60 MiB each of three in 130.
TEST_F(TightBudget, AWarmLeaseIsReservedLikeANewOne) {
    const std::uint64_t first_mib = 60 + rest_mib;
    const std::uint64_t total_mib = 2 * first_mib + rest_mib + 10;
    WorkerPoolOptions with = tight_options(total_mib, first_mib);
    with.spares = 1;
    WorkerPool pool = make(with);
    std::optional<WorkerLease> a = lease(pool, {"A"});
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (pool.snapshot().idle == 0 && std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(2ms);
    ASSERT_TRUE(comes_to_rest_below(pool, first_mib + rest_mib + 8))
        << "the spare is charged what it holds";
    std::optional<WorkerLease> b = lease(pool, {"B"});
    const auto refused = pool.acquire({"A"});
    ASSERT_FALSE(refused) << "reserved " << pool.snapshot().reserved_bytes / mebibyte << " MiB";
    EXPECT_EQ(fact(refused.error(), "rule"), "queue_timeout");
    EXPECT_EQ(std::get<std::uint64_t>(*refused.error().find_fact("needed_bytes")),
              first_mib * mebibyte);
    EXPECT_EQ(pool.snapshot().evicted, 0U)
        << "nothing is ended for what would not fit all the same";
    b.reset();
    ASSERT_TRUE(comes_to_rest_below(pool, first_mib + 2 * rest_mib + 8));
    const auto spare = pool.acquire({"A"});
    ASSERT_TRUE(spare) << spare.error().message();
    EXPECT_EQ(spare->source(), LeaseSource::spare);
    EXPECT_LE(pool.snapshot().reserved_bytes, total_mib * mebibyte);
}

TEST_F(TightBudget, AWarmLeaseWaitsForRoomThatComesBack) {
    WorkerPoolOptions with = tight_options(400 + rest_mib, 250 + rest_mib);
    with.max_wait = 10s;
    WorkerPool pool = make(with);
    dirty(lease(pool, {"A"}), 240);
    if (IsSkipped())
        return;
    ASSERT_TRUE(comes_to_rest_below(pool, 100 + rest_mib))
        << "what it gave back is not charged at rest";
    std::optional<WorkerLease> b = lease(pool, {"B"});
    auto waiting = std::async(std::launch::async, [&] {
        const auto warm = pool.acquire({"A"});
        return warm.has_value() && pool.snapshot().reserved_bytes <= (400 + rest_mib) * mebibyte;
    });
    while (pool.snapshot().waiting == 0)
        std::this_thread::sleep_for(1ms);
    EXPECT_EQ(waiting.wait_for(100ms), std::future_status::timeout);
    b.reset();
    EXPECT_TRUE(waiting.get());
}

TEST_F(TightBudget, ChildrenAtRestMakeRoomForAWarmLease) {
    WorkerPoolOptions with = tight_options(300 + rest_mib, 200 + rest_mib);
    WorkerPool pool = make(with);
    dirty(lease(pool, {"A"}), 190);
    if (IsSkipped())
        return;
    ASSERT_TRUE(comes_to_rest_below(pool, 100 + rest_mib));
    lease(pool, {"B"}); // charged what it was reserved until it is known what it holds
    const auto warm = pool.acquire({"A"});
    ASSERT_TRUE(warm) << warm.error().message();
    EXPECT_EQ(warm->source(), LeaseSource::warm);
    EXPECT_LE(pool.snapshot().reserved_bytes, (300 + rest_mib) * mebibyte);
}

// Whatever many clients ask for. A child that comes to hold a little more than its key's last one
// did is all that may lie above.
TEST_F(TightBudget, ReservationsStayWithinTheBudget) {
    const std::uint64_t total_mib = 100 + 2 * rest_mib;
    constexpr std::uint64_t growth_mib = 16;
    WorkerPoolOptions with = tight_options(total_mib, 40 + rest_mib);
    with.max_wait = 20s;
    with.worker.use_template = true;
    with.spares = 1;
    WorkerPool pool = make(with);
    std::atomic<int> served = 0;
    std::vector<std::jthread> clients;
    for (int client = 0; client < 4; ++client) {
        clients.emplace_back([&, client] {
            const std::vector<ImportSet> keys{{"A"}, {"B"}, {"C"}};
            for (std::size_t i = 0; i < 12; ++i) {
                const auto mine = pool.acquire(keys[(i + static_cast<std::size_t>(client)) % 3]);
                if (!mine)
                    continue;
                served += mine->ping() ? 1 : 0;
            }
        });
    }
    std::uint64_t most = 0;
    const auto until = std::chrono::steady_clock::now() + 60s;
    while (served < 48 && pool.snapshot().refused == 0 &&
           std::chrono::steady_clock::now() < until) {
        most = std::max(most, pool.snapshot().reserved_bytes);
        std::this_thread::sleep_for(200us);
    }
    clients.clear();
    EXPECT_EQ(served, 48);
    EXPECT_LE(most, (total_mib + growth_mib) * mebibyte);
}

TEST_F(PoolFixture, AnIdleWorkerIsCycled) {
    WorkerPoolOptions with = options();
    with.worker.restart_policy.max_idle = 20ms;
    WorkerPool pool = make(with);
    EXPECT_TRUE(lease(pool, {"A"}).ping());
    const auto until = std::chrono::steady_clock::now() + 5s;
    while (pool.snapshot().workers > 0 && std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(5ms);
    EXPECT_EQ(pool.snapshot().workers, 0U);
    EXPECT_TRUE(pool.acquire({"A"}));
}

TEST_F(PoolFixture, SparesAreMadeAheadAndSaySo) {
    WorkerPoolOptions with = options();
    with.max_workers = 3;
    with.spares = 1;
    WorkerPool pool = make(with);
    const WorkerLease first = lease(pool, {"A"});
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (pool.snapshot().idle == 0 && std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(5ms);
    EXPECT_EQ(lease(pool, {"A"}).source(), LeaseSource::spare);
}

TEST_F(PoolFixture, ADrainedPoolAdmitsNothing) {
    WorkerPool pool = make(options());
    {
        const WorkerLease held = lease(pool, {"A"});
        EXPECT_FALSE(pool.drain(20ms)) << "one is still out";
        const auto refused = pool.acquire({"A"});
        ASSERT_FALSE(refused);
        EXPECT_EQ(fact(refused.error(), "rule"), "drained");
    }
    EXPECT_TRUE(pool.drain(5s));
    EXPECT_EQ(pool.snapshot().workers, 0U);
}

TEST_F(PoolFixture, ALeaseOutlivesItsPool) {
    std::optional<WorkerPool> pool = make(options());
    std::optional<WorkerLease> held = lease(*pool, {"A"});
    pool.reset();
    const auto failed = (*held)->list_declarations(0, 1);
    // Its child was ended with the pool; the lease may still be dropped.
    held.reset();
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

TEST_F(PoolFixture, AnotherSearchPathIsAnotherKey) {
    const test::TempDir elsewhere;
    test::write_module(elsewhere.path(), "A", {}, {"A.x", "A.y", "A.z"});
    WorkerPool pool = make(options());
    EXPECT_EQ(lease(pool, {"A"})->list_declarations(0, 10)->size(), 1U);
    LeaseRequest request{.imports = {"A"}};
    request.runtime = options().worker.runtime;
    request.runtime->search_path = {elsewhere.path()};
    const auto other = pool.acquire(request);
    ASSERT_TRUE(other) << other.error().message();
    EXPECT_EQ((*other)->list_declarations(0, 10)->size(), 3U);
}

TEST_F(PoolFixture, RebuiltFilesAreSeenAtTheNextLease) {
    WorkerPool pool = make(options());
    EXPECT_EQ(lease(pool, {"A"})->list_declarations(0, 10)->size(), 1U);
    test::write_module(folder.path(), "A", {}, {"A.one", "A.two"});
    EXPECT_EQ(lease(pool, {"A"})->list_declarations(0, 10)->size(), 2U);
    const WorkerLease one = lease(pool, {"A"});
    const WorkerLease two = lease(pool, {"A"});
    EXPECT_EQ(two->list_declarations(0, 10)->size(), 2U) << "no template of the old files";
}

TEST_F(PoolFixture, CapabilitiesRunInTheWorker) {
    WorkerPoolOptions with = options();
    with.worker.capability_libraries = {LEANHOST_EXAMPLE_CAPABILITY};
    WorkerPool pool = make(with);
    const WorkerLease a = lease(pool, {"A"});
    const auto unknown = a.call_capability("nobody", "f", "");
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code(), ErrorCode::not_found);
    EXPECT_THAT(unknown.error().message(), HasSubstr("it has: "));
}

// What a process has had of the processors, other processes' too.
std::chrono::nanoseconds processor_time(::pid_t pid) {
    ::clockid_t clock{};
    ::timespec time{};
    if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &time) != 0)
        throw std::runtime_error("no clock of the process");
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

TEST_F(PoolFixture, NobodyWaitsBusilyForLong) {
    WorkerPoolOptions with = options();
    with.worker.busy_wait = 1ms;
    WorkerPool pool = make(with);
    const WorkerLease idle = lease(pool, {"A"});
    for (int i = 0; i < 200; ++i)
        ASSERT_TRUE(idle.ping());
    std::this_thread::sleep_for(20ms); // the last wait for another request
    const auto child_before = processor_time(idle.pid());
    const auto host_before = processor_time(::getpid());
    std::this_thread::sleep_for(300ms);
    EXPECT_LT(processor_time(idle.pid()) - child_before, 1ms) << "it sleeps";
    EXPECT_LT(processor_time(::getpid()) - host_before, 15ms) << "it takes three samples";
}

TEST_F(PoolFixture, BusyWaitingCanBeSwitchedOffAndIsBounded) {
    WorkerPoolOptions with = options();
    with.worker.busy_wait = 0us;
    WorkerPool pool = make(with);
    const WorkerLease held = lease(pool, {"A"});
    for (int i = 0; i < 10; ++i)
        EXPECT_TRUE(held.ping());
    with.worker.busy_wait = 1001us;
    const auto refused = WorkerPool::make(with);
    ASSERT_FALSE(refused);
    EXPECT_EQ(fact(refused.error(), "option"), "busy_wait");
    EXPECT_EQ(fact(refused.error(), "accepted"), "0 to 1000 us");
}

// The back-off was once a slot's, and a failed start drops its slot: such a key was started again
// and again as fast as it was asked for.
// Exports need no environment: a lease of no imports is enough.
TEST_F(PoolFixture, ExportsAreCheckedInAWorker) {
    const auto write = [&](const char* name, const std::string& value) {
        const auto path = folder.path() / name;
        std::ofstream(path)
            << R"({"meta":{"exporter":{"name":"lean4export","version":"3.1.0"},"format":{"version":"3.1.0"},"lean":{"githash":"","version":"4.29.0"}}})"
               "\n"
               R"({"in":1,"str":{"pre":0,"str":"a"}})"
               "\n"
               R"({"il":1,"succ":0})"
               "\n"
               R"({"ie":0,"sort":0})"
               "\n"
               R"({"ie":1,"sort":1})"
               "\n"
               R"({"def":{"all":[1],"hints":"opaque","levelParams":[],"name":1,"safety":"safe","type":1,"value":)"
            << value << "}}\n";
        return path;
    };
    WorkerPool pool = make(options());
    const WorkerLease worker = lease(pool, {});
    const auto good = worker.check_export(write("good.ndjson", "0"));
    ASSERT_TRUE(good) << good.error().message();
    EXPECT_EQ(good->verdict.kind, VerdictKind::accepted) << good->verdict.message;
    EXPECT_EQ(good->num_declarations, 1U);
    EXPECT_EQ(good->lean_version, "4.29.0");
    const auto bad = worker.check_export(write("bad.ndjson", "1"));
    ASSERT_TRUE(bad) << bad.error().message();
    EXPECT_EQ(bad->verdict.kind, VerdictKind::rejected);
    EXPECT_EQ(bad->verdict.reason, "value_type_mismatch");
    EXPECT_EQ(bad->declaration, "a");
    EXPECT_EQ(worker.check_export(folder.path() / "none.ndjson").error().code(),
              ErrorCode::not_found);
    EXPECT_EQ(worker.check_export(folder.path() / "A.olean").error().code(),
              ErrorCode::invalid_input);
}

TEST_F(PoolFixture, AKeyWhoseChildrenAlwaysDieIsHeldBack) {
    WorkerPoolOptions with = options();
    with.worker.executable = "/bin/false";
    with.max_workers = 1;
    with.worker.max_unplanned_restarts = 3;
    with.worker.use_template = false;
    WorkerPool pool = make(with);
    std::vector<ErrorCode> codes;
    for (int i = 0; i < 6; ++i)
        codes.push_back(pool.acquire({"A"}).error().code());
    using enum ErrorCode;
    EXPECT_THAT(codes, testing::ElementsAre(child_exited, child_exited, child_exited, child_exited,
                                            restart_limit, restart_limit));
    EXPECT_EQ(pool.acquire({"B"}).error().code(), child_exited) << "another key is another matter";
}

TEST_F(PoolFixture, MetricsAreInPrometheusFormat) {
    WorkerPool pool = make(options());
    EXPECT_TRUE(lease(pool, {"A"}).ping());
    const std::string text = pool.metrics_text();
    EXPECT_THAT(text, HasSubstr("# TYPE leanhost_pool_workers gauge\nleanhost_pool_workers 1\n"));
    EXPECT_THAT(text, HasSubstr("leanhost_pool_acquired_total{source=\"forked\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("leanhost_pool_request_seconds_bucket{le=\"+Inf\"} 1\n"));
}

TEST_F(PoolFixture, StartsAndEndsAreLoggedAsJson) {
    WorkerPoolOptions with = options();
    with.log_path = folder.path() / "pool.log";
    {
        WorkerPool pool = make(with);
        WorkerLease a = lease(pool, {"A"});
        a.restart();
        EXPECT_TRUE(a.ping());
    }
    std::ifstream file(with.log_path);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    EXPECT_THAT(text, HasSubstr(R"("event":"started","imports":"A")"));
    EXPECT_THAT(text, HasSubstr("a restart was requested"));
    EXPECT_THAT(text, HasSubstr(R"("event":"ended")"));
}

TEST_F(PoolFixture, OptionsOutOfRangeAreNamed) {
    WorkerPoolOptions with = options();
    with.max_workers = 0;
    const auto pool = WorkerPool::make(with);
    ASSERT_FALSE(pool);
    EXPECT_EQ(pool.error().code(), ErrorCode::invalid_argument);
    EXPECT_EQ(fact(pool.error(), "option"), "max_workers");
    EXPECT_EQ(fact(pool.error(), "accepted"), "1 to 4096");
}

TEST_F(PoolFixture, ManyThreadsShareThePool) {
    WorkerPool pool = make(options());
    std::atomic<int> answered = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 10; ++i) {
                const WorkerLease mine =
                    lease(pool, (t + i) % 3 == 0 ? ImportSet{"A"} : ImportSet{"B"});
                answered += mine->list_declarations(0, 10) ? 1 : 0;
            }
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    EXPECT_EQ(answered, 80);
    EXPECT_EQ(pool.snapshot().leased, 0U);
    EXPECT_EQ(pool.snapshot().waiting, 0U);
}

// Keys that are in use stood before those that could be forgotten: one long lease, and none was.
TEST_F(PoolFixture, KeysAreForgottenAlsoBehindOneThatIsInUse) {
    WorkerPoolOptions with = options();
    with.max_workers = 1;
    WorkerPool pool = make(with);
    const WorkerLease held = lease(pool, {"A"});
    for (int i = 0; i < 1100; ++i) {
        LeaseRequest request{.imports = {"X" + std::to_string(i)}};
        request.max_wait = 0ms;
        EXPECT_FALSE(pool.acquire(std::move(request)));
    }
    EXPECT_LE(pool.snapshot().keys, 1025U);
    EXPECT_TRUE(held.ping()) << "the key that is in use is not forgotten";
}

// Children that begin late: what is reserved, and what ends, while they do can be seen.
class SlowStart : public PoolFixture {
protected:
    WorkerPoolOptions slow_options() const {
        WorkerPoolOptions with = options();
        with.worker.executable =
            folder.write("slow-worker", std::string("#!/bin/sh\nsleep 0.3\nexec ") +
                                            LEANHOST_WORKER_PROGRAM + " \"$@\"\n");
        std::filesystem::permissions(with.worker.executable, std::filesystem::perms(0755));
        with.max_total_bytes = std::uint64_t{100} << 20;
        with.first_worker_bytes = std::uint64_t{30} << 20;
        return with;
    }
    template <class F>
    static bool comes_true(F&& holds) {
        for (int i = 0; i < 1000 && !holds(); ++i)
            std::this_thread::sleep_for(2ms);
        return holds();
    }
};

// Two keys whose templates were made at the same time saw the same room.
TEST_F(SlowStart, ATemplateIsReservedBeforeItIsMade) {
    WorkerPool pool = make(slow_options());
    auto first = std::async(std::launch::async, [&] { return pool.acquire({"A"}); });
    ASSERT_TRUE(comes_true([&] { return pool.snapshot().workers == 1; }));
    EXPECT_TRUE(comes_true([&] { return pool.snapshot().reserved_bytes == 60U << 20; }))
        << "30 MiB for the child and as much for its template, reserved "
        << pool.snapshot().reserved_bytes;
    // 40 MiB are left: for a child, and not for a template.
    const auto second = pool.acquire({"B"});
    ASSERT_TRUE(second) << second.error().message();
    EXPECT_EQ(second->source(), LeaseSource::started);
    const auto lease = first.get();
    ASSERT_TRUE(lease) << lease.error().message();
    EXPECT_EQ(lease->source(), LeaseSource::forked);
    EXPECT_LE(pool.snapshot().reserved_bytes, 100U << 20);
}

// A successor beside its predecessor was looked for room for, which nobody kept.
TEST_F(SlowStart, ASuccessorIsReservedWhileItsPredecessorLives) {
    WorkerPoolOptions with = slow_options();
    with.worker.use_template = false;
    WorkerPool pool = make(with);
    WorkerLease held = lease(pool, {"A"});
    const std::uint64_t before = pool.snapshot().reserved_bytes;
    held.restart();
    auto pinged = std::async(std::launch::async, [&] { return held.ping().has_value(); });
    EXPECT_TRUE(comes_true([&] { return pool.snapshot().reserved_bytes >= before + (30U << 20); }))
        << "reserved " << pool.snapshot().reserved_bytes << ", before " << before;
    EXPECT_TRUE(pinged.get());
    EXPECT_TRUE(comes_true([&] { return pool.snapshot().reserved_bytes <= before + (1U << 20); }))
        << "the predecessor has ended: reserved " << pool.snapshot().reserved_bytes;
}

// A child that was still starting when the pool had ended all was lent out all the same.
TEST_F(SlowStart, WhatStartsWhileThePoolEndsIsNotLentOut) {
    WorkerPoolOptions with = slow_options();
    with.worker.use_template = false;
    WorkerPool pool = make(with);
    auto late = std::async(std::launch::async, [&] { return pool.acquire({"A"}); });
    ASSERT_TRUE(comes_true([&] { return pool.snapshot().workers == 1; }));
    EXPECT_FALSE(pool.drain(0ms));
    const auto refused = late.get();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::admission_refused) << refused.error().message();
    EXPECT_EQ(fact(refused.error(), "rule"), "drained");
    EXPECT_EQ(pool.snapshot().workers, 0U);
    EXPECT_TRUE(comes_true([&] { return pool.snapshot().reserved_bytes == 0; }));
}

// A template that was left for rebuilt files lives on for its children, and was charged to nobody.
TEST_F(PoolFixture, ATemplateThatIsLeftIsChargedAsLongAsItLives) {
    WorkerPoolOptions with = options();
    with.max_workers = 3;
    WorkerPool pool = make(with);
    std::optional<WorkerLease> old = lease(pool, {"A"});
    { const WorkerLease other = lease(pool, {"A"}); } // idle, forked from the same template
    test::write_module(folder.path(), "A", {}, {"A.two"});
    const WorkerLease fresh = lease(pool, {"A"}); // sees that; a template of its own follows
    EXPECT_EQ(fresh->list_declarations(0, 10)->front().to_string(), "A.two");
    const PoolSnapshot now = pool.snapshot();
    EXPECT_EQ(now.templates, 1U);
    std::uint64_t children = 0;
    std::uint64_t template_bytes = now.anonymous_bytes; // of the one that the key has
    for (const WorkerSnapshot& child : now.children) {
        children += child.reserved_bytes;
        template_bytes -= child.anonymous_bytes.value_or(0);
    }
    EXPECT_GT(template_bytes, 0U);
    EXPECT_GE(now.reserved_bytes - children, template_bytes * 3 / 2)
        << "the old template is charged to nobody";
}

} // namespace
} // namespace leanhost
