#include "worker/worker_fixture.hpp"

#include <sys/wait.h>

#include <csignal>
#include <filesystem>
#include <thread>

namespace leanhost::worker::test {
namespace {

using namespace std::chrono_literals;
using testing::AnyOf;
using testing::Contains;
using testing::HasSubstr;
using testing::SizeIs;

std::vector<std::string> texts(const std::vector<Name>& names) {
    std::vector<std::string> texts;
    for (const Name& name : names)
        texts.push_back(name.to_string());
    return texts;
}

std::size_t open_descriptors() {
    const std::filesystem::directory_iterator folder("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(folder), end(folder)));
}

// Each test runs with children that were started, and with children that were forked.
class WorkerTest : public WorkerFixture, public testing::WithParamInterface<bool> {
protected:
    WorkerOptions options() const {
        WorkerOptions with = WorkerFixture::options();
        with.use_template = GetParam();
        return with;
    }
};
std::string birth_name(const testing::TestParamInfo<bool>& birth) {
    return birth.param ? "Forked" : "Started";
}
INSTANTIATE_TEST_SUITE_P(Births, WorkerTest, testing::Bool(), birth_name);

TEST_P(WorkerTest, AnswersWhatASessionAnswers) {
    const RemoteSession session(worker(options()), nullptr);
    EXPECT_EQ(session.import_facts().modules, 2U);
    EXPECT_EQ(texts(*session.list_declarations(0, 10)),
              (std::vector<std::string>{"B.one", "B.two", "A.one"}));
    EXPECT_EQ(texts(*session.list_declarations(1, 1)), std::vector<std::string>{"B.two"});

    DeclarationFields fields;
    fields.type = fields.facts = true;
    const std::vector<Name> names{"B.two", "Nobody", "A.one"};
    const auto rows = session.query_declarations(names, fields);
    ASSERT_TRUE(rows) << rows.error().message();
    ASSERT_EQ(rows->size(), 3U);
    EXPECT_EQ((*rows)[0]->module, "B");
    EXPECT_EQ((*rows)[0]->kind, DeclarationKind::axiom);
    EXPECT_EQ((*rows)[0]->type, "Prop");
    EXPECT_FALSE((*rows)[1]);
    EXPECT_EQ((*rows)[2]->module, "A");

    const auto axioms = session.axioms(names);
    ASSERT_TRUE(axioms) << axioms.error().message();
    EXPECT_EQ(texts((*axioms)[0]->axioms), std::vector<std::string>{"B.two"});
    EXPECT_FALSE((*axioms)[1]);
    const auto dependencies = session.dependencies(names);
    ASSERT_TRUE(dependencies) << dependencies.error().message();
    EXPECT_THAT(*(*dependencies)[2], SizeIs(0));
    EXPECT_FALSE((*dependencies)[1]);
}

TEST_P(WorkerTest, SearchStreamsAndItsSinkMayStop) {
    const RemoteSession session(worker(options()), nullptr);
    std::vector<std::string> found;
    const auto all = session.search_declarations({}, {}, [&](const Name& name, const Declaration&) {
        found.push_back(name.to_string());
        return SinkAnswer::proceed;
    });
    ASSERT_TRUE(all) << all.error().message();
    EXPECT_EQ(found, (std::vector<std::string>{"B.one", "B.two", "A.one"}));
    EXPECT_EQ(all->found, 3U);

    const auto stopped = session.search_declarations(
        {}, {}, [](const Name&, const Declaration&) { return SinkAnswer::stop; });
    ASSERT_TRUE(stopped) << stopped.error().message();
    EXPECT_TRUE(stopped->was_stopped);
    EXPECT_EQ(stopped->found, 1U);
    EXPECT_TRUE(session.list_declarations(0, 1)) << "the session goes on after a stop";
}

// Rows that waited to be sent once followed the failure of their cancelled request, which broke the
// protocol and cost the child.
TEST_P(WorkerTest, NothingFollowsTheEndOfACancelledRequest) {
    std::vector<Name> many;
    for (int i = 0; i < 20'000; ++i)
        many.emplace_back("B.many" + std::to_string(i));
    leanhost::test::write_module(folder.path(), "B", {}, many);
    const auto one = worker(options());
    const RemoteSession session(one, nullptr);
    for (int round = 0; round < 100; ++round) {
        CancellationSource source;
        const auto sink = [&](const Name&, const Declaration&) {
            source.cancel();
            return SinkAnswer::proceed;
        };
        const auto ended =
            session.search_declarations({}, {.type = true}, sink, {.cancellation = source.token()});
        ASSERT_TRUE(ended || ended.error().code() == ErrorCode::cancelled)
            << ended.error().message();
    }
    EXPECT_EQ(one->counters().generations, 1U);
}

TEST_P(WorkerTest, AThrowingSinkEndsItsRequestOnly) {
    const RemoteSession session(worker(options()), nullptr);
    const auto failed =
        session.search_declarations({}, {}, [](const Name&, const Declaration&) -> SinkAnswer {
            throw std::runtime_error("no more paper");
        });
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code(), ErrorCode::sink_failed);
    EXPECT_THAT(failed.error().message(), HasSubstr("no more paper"));
    EXPECT_TRUE(session.list_declarations(0, 1));
}

TEST_P(WorkerTest, AnObjectTellsItsTypeLater) {
    const RemoteSession session(worker(options()), nullptr);
    const auto object = session.find_object("B.one");
    ASSERT_TRUE(object) << object.error().message();
    EXPECT_EQ(object->kind(), DeclarationKind::axiom);
    EXPECT_EQ(*object->type_text(), "Prop");
    const auto missing = session.find_object("Nobody");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code(), ErrorCode::not_found);
}

TEST_P(WorkerTest, AnErrorOfTheEngineArrivesAsItWas) {
    const auto error = error_of([&] { worker(options(), {"Nowhere"})->ensure(); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), ErrorCode::missing_module);
    EXPECT_THAT(error->message(), HasSubstr("Nowhere"));
}

TEST_P(WorkerTest, AChildThatIsKilledIsFollowedByAnother) {
    const auto one = worker(options());
    const RemoteSession session(one, nullptr);
    const auto first = one->generation();
    ASSERT_EQ(::kill(first->pid(), SIGKILL), 0);
    ASSERT_TRUE(first->wait_for_end(EventLoop::Clock::now() + 5s));
    EXPECT_EQ(first->exit_facts().signal, SIGKILL);
    EXPECT_FALSE(first->exit_facts().ended_by_us);
    EXPECT_TRUE(session.list_declarations(0, 10)) << "nothing had entered the dead child";
    EXPECT_NE(one->generation()->number(), first->number());
    EXPECT_EQ(one->counters().failures, 1U);
}

TEST_P(WorkerTest, RestartsAfterSoManyRequests) {
    WorkerOptions with = options();
    with.restart_policy.max_requests = 3;
    with.restart_policy.jitter = 0;
    const auto one = worker(with);
    const RemoteSession session(one, nullptr);
    for (int i = 0; i < 7; ++i)
        session.ping();
    EXPECT_EQ(one->counters().generations, 3U);
    EXPECT_EQ(one->counters().planned_restarts, 2U);
    EXPECT_EQ(one->counters().last_decision->reason, RestartReason::max_requests);
}

TEST_P(WorkerTest, WhereThereIsRoomTheSuccessorIsReadyBeforeTheEnd) {
    const auto one = worker(options());
    one->ensure();
    const auto before = one->generation();
    bool was_alive = false;
    on_event = [&](const WorkerEvent& event) {
        if (event.kind == WorkerEvent::Kind::started)
            was_alive = !before->has_ended();
    };
    one->request_restart();
    one->ensure();
    EXPECT_NE(one->generation(), before);
    EXPECT_TRUE(was_alive);
}

TEST_P(WorkerTest, WithoutRoomForBothThePredecessorEndsFirst) {
    may_overlap = [] { return false; };
    const auto one = worker(options());
    one->ensure();
    const auto before = one->generation();
    bool was_alive = true;
    on_event = [&](const WorkerEvent& event) {
        if (event.kind == WorkerEvent::Kind::started)
            was_alive = !before->has_ended();
    };
    one->request_restart();
    one->ensure();
    EXPECT_NE(one->generation(), before);
    EXPECT_FALSE(was_alive);
}

TEST_P(WorkerTest, PerRequestIsolationGivesEachRequestAChild) {
    WorkerOptions with = options();
    with.isolation = Isolation::per_request;
    const auto one = worker(with);
    const RemoteSession session(one, nullptr);
    for (int i = 0; i < 3; ++i)
        EXPECT_TRUE(session.list_declarations(0, 10));
    EXPECT_EQ(one->counters().generations, 3U);
}

// Two requests of one lease at the same time shared a child, and the first that ended took it from
// the other.
TEST_P(WorkerTest, PerRequestIsolationHoldsForRequestsThatRunAtTheSameTime) {
    WorkerOptions with = options();
    with.isolation = Isolation::per_request;
    const auto one = worker(with);
    const RemoteSession session(one, nullptr);
    const auto outer = session.search_declarations({}, {}, [&](const Name&, const Declaration&) {
        const auto inner = session.list_declarations(0, 10);
        EXPECT_TRUE(inner) << inner.error().message();
        return SinkAnswer::proceed;
    });
    ASSERT_TRUE(outer) << outer.error().message();
    EXPECT_EQ(outer->found, 3U);
    EXPECT_EQ(one->counters().generations, 4U) << "one for the search, and one for each in it";
    EXPECT_EQ(one->counters().failures, 0U);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int k = 0; k < 5; ++k)
                EXPECT_TRUE(session.list_declarations(0, 10));
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    EXPECT_EQ(one->counters().generations, 24U);
    EXPECT_EQ(one->counters().failures, 0U);
}

TEST_P(WorkerTest, SeesThatFilesWereRebuilt) {
    const auto one = worker(options());
    const RemoteSession session(one, nullptr);
    EXPECT_TRUE(one->revalidate());
    const auto before = one->generation();
    leanhost::test::write_module(folder.path(), "B", {}, {"B.three"});
    EXPECT_FALSE(one->revalidate());
    template_ = nullptr; // the pool drops the key's template as well
    EXPECT_EQ(texts(*session.list_declarations(0, 10)),
              (std::vector<std::string>{"B.three", "A.one"}));
    EXPECT_NE(one->generation(), before) << "the policy restarts for changed files";
}

TEST_P(WorkerTest, SaysHowAChildEnded) {
    const auto one = worker(options());
    one->ensure();
    const auto generation = one->generation();
    // The first process of a pid namespace heeds no other signal from outside.
    ASSERT_EQ(::kill(generation->pid(), SIGKILL), 0);
    ASSERT_TRUE(generation->wait_for_end(EventLoop::Clock::now() + 5s));
    const ExitFacts facts = generation->exit_facts();
    EXPECT_EQ(facts.signal, SIGKILL);
    EXPECT_THAT(facts.to_string(), HasSubstr("killed by signal 9"));
}

TEST_P(WorkerTest, LeavesNoProcessAndNoDescriptor) {
    const std::size_t before = open_descriptors();
    {
        const auto one = worker(options());
        const RemoteSession session(one, nullptr);
        for (int i = 0; i < 5; ++i) {
            one->request_restart();
            session.ping();
        }
    }
    template_ = nullptr;
    supervisor = nullptr;
    EXPECT_LE(open_descriptors(), before);
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
    EXPECT_EQ(errno, ECHILD);
}

TEST_P(WorkerTest, SeveralThreadsShareOneChild) {
    const auto one = worker(options());
    const RemoteSession session(one, nullptr);
    std::vector<std::thread> threads;
    std::atomic<int> answered = 0;
    for (int t = 0; t < 8; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 50; ++i)
                answered += session.list_declarations(0, 10)->size() == 3 ? 1 : 0;
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    EXPECT_EQ(answered, 400);
    EXPECT_EQ(one->counters().generations, 1U);
}

TEST_P(WorkerTest, AChildCannotLeaveProcessesBehind) {
    const auto one = worker(options());
    one->ensure();
    EXPECT_EQ(one->generation()->confinement(), probe_confinement());
}

TEST_F(WorkerFixture, AProgramThatIsMissingIsNamed) {
    WorkerOptions with = options();
    with.executable = folder.path() / "no-such-program";
    const auto error = error_of([&] { worker(with)->ensure(); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), ErrorCode::not_found);
    EXPECT_THAT(error->message(), HasSubstr("no-such-program"));
}

TEST_F(WorkerFixture, AProgramThatIsNoWorkerIsAnError) {
    WorkerOptions with = options();
    with.use_template = false;
    with.executable = "/bin/false";
    const auto error = error_of([&] { worker(with)->ensure(); });
    ASSERT_TRUE(error);
    EXPECT_THAT(error->code(), AnyOf(ErrorCode::child_exited, ErrorCode::protocol_error));
    EXPECT_THAT(error->message(), HasSubstr("exited with status 1"));
}

TEST_F(WorkerFixture, ImportingAgainCountsAndIsBounded) {
    WorkerOptions with = options();
    with.use_template = false;
    with.restart_policy.max_imports = 3;
    with.restart_policy.jitter = 0;
    const auto one = worker(with);
    for (int i = 0; i < 6; ++i)
        one->import_again();
    EXPECT_GE(one->counters().planned_restarts, 2U);
    EXPECT_EQ(one->counters().last_decision->reason, RestartReason::max_imports);
}

} // namespace
} // namespace leanhost::worker::test
