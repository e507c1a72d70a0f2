// What a session's kernel operations promise, asked of a session in this process and of one in a
// worker: both must give the same answers.
#include "module/fixture/fixture_library.hpp"
#include "support/temp_dir.hpp"
#include "worker/parent/remote_session.hpp"

#include <leanhost/runtime.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <thread>

namespace leanhost::worker::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Clock = std::chrono::steady_clock;

enum class Where : std::uint8_t { in_process, in_worker };

// A synthetic library in which everything is well typed, over a runtime and over a worker.
class KernelContract : public testing::TestWithParam<Where> {
protected:
    static void SetUpTestSuite() {
        folder_ = std::make_unique<leanhost::test::TempDir>();
        module::fixture::FixtureOptions options;
        options.modules = 6;
        options.constants = 600;
        options.directory = folder_->path();
        ASSERT_TRUE(module::fixture::write_fixture(options));
    }
    static void TearDownTestSuite() {
        session_.reset();
        remote_.reset();
        supervisor_.reset();
        folder_.reset();
    }

    static const Session& session() {
        return GetParam() == Where::in_process ? in_process() : in_worker();
    }

    static const Session& in_process() {
        if (session_ == nullptr) {
            const auto runtime = Runtime::init({.search_path = {folder_->path()}});
            session_ = *runtime->open_session(imports());
        }
        return *session_;
    }

    static const Session& in_worker() {
        if (remote_ == nullptr) {
            WorkerOptions options;
            options.executable = LEANHOST_WORKER_PROGRAM;
            options.runtime.search_path = {folder_->path()};
            options.use_template = false;
            supervisor_ = std::make_unique<Supervisor>();
            remote_ = std::make_unique<RemoteSession>(
                std::make_shared<Worker>(*supervisor_, options, imports(), WorkerHooks{}), nullptr);
        }
        return *remote_;
    }

    static ImportSet imports() { return ImportSet{Name(module::fixture::root_module)}; }

    static inline std::unique_ptr<leanhost::test::TempDir> folder_;
    static inline std::shared_ptr<const Session> session_;
    static inline std::unique_ptr<Supervisor> supervisor_;
    static inline std::unique_ptr<RemoteSession> remote_;
};
INSTANTIATE_TEST_SUITE_P(Places,
                         KernelContract,
                         testing::Values(Where::in_process, Where::in_worker),
                         [](const auto& place) {
                             return place.param == Where::in_process ? "InProcess" : "InWorker";
                         });

const Name bool_type = "Fixture.Bool";
const Name yes = "Fixture.Bool.true";

const KernelOptions unbounded{.max_heartbeats = 0, .max_memory_bytes = 0};

Term constant(const Name& name) {
    TermTableBuilder builder;
    const TermIndex root = builder.constant(name);
    return *builder.take(root);
}

// The address sanitizer's shadow memory is more than any limit.
#ifndef LEANHOST_SANITIZED
// What the kernel only reserves, address space for terms and a stack, does not count against the
// limit that a worker has; what it uses does.
TEST_P(KernelContract, AWorkerWithALimitOnDataChecksAsWell) {
    if (GetParam() != Where::in_worker)
        return; // this process has no such limit
    WorkerOptions options;
    options.executable = LEANHOST_WORKER_PROGRAM;
    options.runtime.search_path = {folder_->path()};
    options.use_template = false;
    options.max_data_bytes = std::uint64_t{64} << 20;
    Supervisor supervisor;
    const RemoteSession session(
        std::make_shared<Worker>(supervisor, options, imports(), WorkerHooks{}), nullptr);
    for (int i = 0; i < 3; ++i) {
        const auto verdict = session.kernel_check(Name("Fixture.Bool.not"));
        ASSERT_TRUE(verdict) << verdict.error().message();
        EXPECT_EQ(verdict->kind, VerdictKind::accepted) << verdict->message;
    }
}
#endif

// not (not … (not true)), `count` times.
Term nested_not(std::uint32_t count) {
    TermTableBuilder builder;
    const TermIndex function = builder.constant("Fixture.Bool.not");
    TermIndex term = builder.constant(yes);
    for (std::uint32_t i = 0; i < count; ++i)
        term = builder.app(function, term);
    return *builder.take(term);
}

// Looks for a `true` among 2^`depth` values, each of another term, and finds none: as much work as
// that, but never deeper than twice `depth`.
Term search(std::uint32_t depth) {
    TermTableBuilder builder;
    const TermIndex boolean = builder.constant(bool_type);
    const TermIndex var = builder.bvar(0);
    const TermIndex either = builder.constant("Fixture.Bool.or");
    const TermIndex left = builder.app(builder.constant("Fixture.Bool.not"), var);
    const TermIndex right =
        builder.app(builder.app(builder.constant("Fixture.Bool.and"), var), var);
    TermIndex function = builder.lam(boolean, builder.constant("Fixture.Bool.false"));
    for (std::uint32_t i = 0; i < depth; ++i) {
        function =
            builder.lam(boolean, builder.app(builder.app(either, builder.app(function, left)),
                                             builder.app(function, right)));
    }
    return *builder.take(builder.app(function, builder.constant(yes)));
}

TEST_P(KernelContract, EveryDeclarationOfTheLibraryIsAccepted) {
    const auto names = session().list_declarations(0, UINT64_MAX);
    ASSERT_TRUE(names);
    std::size_t accepted = 0;
    for (std::size_t i = 0; i < names->size(); i += GetParam() == Where::in_process ? 1 : 7) {
        const auto verdict = session().kernel_check((*names)[i]);
        ASSERT_TRUE(verdict) << (*names)[i].to_string() << ": " << verdict.error().message();
        if (verdict->kind == VerdictKind::declined) {
            EXPECT_EQ(verdict->reason, "not_checked") << (*names)[i].to_string();
            continue;
        }
        EXPECT_EQ(verdict->kind, VerdictKind::accepted)
            << (*names)[i].to_string() << ": " << verdict->message;
        ++accepted;
    }
    EXPECT_GT(accepted, 50U);
}

TEST_P(KernelContract, ModulesAreCheckedWholeOrOneByOne) {
    const auto all = session().check_modules({}, {.jobs = 2});
    ASSERT_TRUE(all) << all.error().message();
    EXPECT_EQ(all->kind, VerdictKind::accepted);
    EXPECT_EQ(all->num_modules, 6U);
    EXPECT_EQ(all->num_assumed_modules, 0U);
    EXPECT_GT(all->num_declarations, 50U);
    EXPECT_GT(all->wall_time.count(), 0);

    const std::vector<Name> root = {Name(module::fixture::root_module)};
    const auto one = session().check_modules(root);
    ASSERT_TRUE(one) << one.error().message();
    EXPECT_EQ(one->num_modules, 1U);
    EXPECT_EQ(one->num_assumed_modules, 5U);
    EXPECT_LT(one->num_declarations, all->num_declarations);

    const auto hurried = session().check_modules({}, {.max_heartbeats = 1});
    ASSERT_TRUE(hurried);
    EXPECT_EQ(hurried->kind, VerdictKind::declined);
    EXPECT_GT(hurried->num_not_accepted, 0U);
    ASSERT_FALSE(hurried->findings.empty());
    EXPECT_EQ(hurried->findings[0].verdict.reason, "leanhost.resource_exhausted");

    const std::vector<Name> nobody = {"Nobody"};
    EXPECT_EQ(session().check_modules(nobody).error().code(), ErrorCode::not_found);
    CancellationSource stop;
    stop.cancel();
    EXPECT_EQ(session().check_modules({}, {}, {.cancellation = stop.token()}).error().code(),
              ErrorCode::cancelled);
}

TEST_P(KernelContract, UnknownNameIsAnError) {
    const auto verdict = session().kernel_check(Name("Nobody"));
    ASSERT_FALSE(verdict);
    EXPECT_EQ(verdict.error().code(), ErrorCode::not_found);
    EXPECT_EQ(session().declaration_terms("Nobody").error().code(), ErrorCode::not_found);
}

TEST_P(KernelContract, AcceptedTellsItsAxiomsWhenAsked) {
    const auto plain = session().kernel_check(Name("Fixture.Bool.not_not"));
    ASSERT_TRUE(plain) << plain.error().message();
    EXPECT_FALSE(plain->axioms);
    EXPECT_GT(plain->heartbeats, 0U);
    const auto verdict = session().kernel_check(Name("Fixture.Bool.not_not"), {.axioms = true});
    ASSERT_TRUE(verdict) << verdict.error().message();
    ASSERT_TRUE(verdict->axioms);
    EXPECT_TRUE(verdict->axioms->is_complete);
    const auto axioms = session().axioms(std::vector<Name>{"Fixture.Bool.not_not"});
    EXPECT_EQ(verdict->axioms->axioms, (*axioms)[0]->axioms);
}

TEST_P(KernelContract, WhnfComputes) {
    const auto even = session().whnf(nested_not(4));
    ASSERT_TRUE(even) << even.error().message();
    ASSERT_EQ(even->verdict.kind, VerdictKind::accepted) << even->verdict.message;
    EXPECT_EQ(term_text(*even->term), "Fixture.Bool.true");
    EXPECT_EQ(term_text(*session().whnf(nested_not(5))->term), "Fixture.Bool.false");
    EXPECT_EQ(term_text(*session().whnf(search(6))->term), "Fixture.Bool.false");
}

TEST_P(KernelContract, InferTypeAndUnfold) {
    EXPECT_EQ(term_text(*session().infer_type(nested_not(3))->term), "Fixture.Bool");
    const auto type = session().infer_type(constant("Fixture.Bool.not"));
    ASSERT_TRUE(type->term) << type->verdict.message;
    EXPECT_EQ(term_text(*type->term), "∀ x0 : Fixture.Bool, Fixture.Bool");
    const auto unfolded = session().unfold(constant("Fixture.Bool.not"));
    ASSERT_TRUE(unfolded->term);
    EXPECT_THAT(term_text(*unfolded->term), HasSubstr("fun x0 : Fixture.Bool => "));
    // A constructor has nothing to unfold.
    EXPECT_EQ(term_text(*session().unfold(constant(yes))->term), "Fixture.Bool.true");
}

TEST_P(KernelContract, IsDefEq) {
    const auto equal = session().is_def_eq(nested_not(2), constant(yes));
    ASSERT_TRUE(equal) << equal.error().message();
    EXPECT_EQ(equal->verdict.kind, VerdictKind::accepted);
    EXPECT_TRUE(equal->is_equal);
    EXPECT_FALSE(session().is_def_eq(nested_not(1), constant(yes))->is_equal);
    // Of different types: an answer, and it is no.
    const auto mixed = session().is_def_eq(constant(bool_type), constant(yes));
    EXPECT_EQ(mixed->verdict.kind, VerdictKind::accepted);
    EXPECT_FALSE(mixed->is_equal);
}

TEST_P(KernelContract, DeclarationTermsAreWhatTheKernelTakesBack) {
    const auto terms = session().declaration_terms("Fixture.Bool.not_not");
    ASSERT_TRUE(terms) << terms.error().message();
    EXPECT_EQ(terms->kind, DeclarationKind::theorem);
    ASSERT_TRUE(terms->value);
    CandidateDeclaration candidate;
    candidate.name = "Mine.not_not";
    candidate.universe_params = terms->universe_params;
    candidate.terms = terms->terms;
    candidate.type = terms->type;
    candidate.value = *terms->value;
    const auto verdict = session().kernel_check(candidate, {.axioms = true});
    ASSERT_TRUE(verdict) << verdict.error().message();
    EXPECT_EQ(verdict->kind, VerdictKind::accepted) << verdict->message;
    ASSERT_TRUE(verdict->axioms);
    // It is not added: once more, and its name is still free.
    EXPECT_EQ(session().kernel_check(candidate)->kind, VerdictKind::accepted);
    EXPECT_EQ(session().kernel_check(Name("Mine.not_not")).error().code(), ErrorCode::not_found);

    const auto axiom_like = session().declaration_terms(yes);
    ASSERT_TRUE(axiom_like);
    EXPECT_FALSE(axiom_like->value);
}

TEST_P(KernelContract, CandidateIsRejectedForItsReason) {
    const auto terms = *session().declaration_terms("Fixture.Bool.not_not");
    CandidateDeclaration good;
    good.name = "Mine.theorem";
    good.terms = terms.terms;
    good.type = terms.type;
    good.value = *terms.value;
    const auto reason = [&](const CandidateDeclaration& candidate) {
        const auto verdict = session().kernel_check(candidate);
        return verdict ? verdict->reason : std::string(verdict.error().id());
    };
    EXPECT_EQ(reason(good), "");

    CandidateDeclaration taken = good;
    taken.name = "Fixture.Bool.not_not";
    EXPECT_EQ(reason(taken), "duplicate_name");
    CandidateDeclaration unnamed = good;
    unnamed.name = Name();
    EXPECT_EQ(reason(unnamed), "bad_block");
    CandidateDeclaration proves_nothing = good;
    proves_nothing.value = good.type;
    EXPECT_EQ(reason(proves_nothing), "value_type_mismatch");
    CandidateDeclaration twice = good;
    twice.universe_params = {"u", "u"};
    EXPECT_EQ(reason(twice), "duplicate_universe_parameter");
    CandidateDeclaration axiom = good;
    axiom.kind = DeclarationKind::axiom;
    EXPECT_EQ(reason(axiom), "leanhost.invalid_argument");
    CandidateDeclaration beyond = good;
    beyond.value = static_cast<TermIndex>(good.terms.terms().size());
    EXPECT_EQ(reason(beyond), "leanhost.invalid_argument");

    // A definition of a type that is no proposition is one; as a theorem it is not.
    CandidateDeclaration data;
    data.name = "Mine.data";
    data.kind = DeclarationKind::definition;
    TermTableBuilder builder;
    data.type = builder.constant(bool_type);
    data.value = builder.constant(yes);
    data.terms = *builder.take();
    EXPECT_EQ(reason(data), "");
    data.kind = DeclarationKind::theorem;
    EXPECT_EQ(reason(data), "theorem_not_a_proposition");

    // It cannot use itself.
    CandidateDeclaration circular = data;
    circular.kind = DeclarationKind::definition;
    TermTableBuilder again;
    circular.type = again.constant(bool_type);
    circular.value = again.constant("Mine.data");
    circular.terms = *again.take();
    EXPECT_EQ(reason(circular), "unknown_constant");
}

// Whoever made it: what is no term of the environment is an answer with its reason, for every
// operation.
TEST_P(KernelContract, IllTypedTermsAreAnswers) {
    const auto reason_of = [&](auto make) {
        TermTableBuilder builder;
        const TermIndex root = make(builder);
        const Term term = *builder.take(root);
        std::vector<std::string> reasons;
        for (const auto& answer :
             {session().whnf(term), session().infer_type(term), session().unfold(term)}) {
            EXPECT_TRUE(answer) << answer.error().message();
            EXPECT_EQ(answer->verdict.kind, VerdictKind::rejected);
            EXPECT_FALSE(answer->term);
            EXPECT_THAT(answer->verdict.message, Not(IsEmpty()));
            reasons.push_back(answer->verdict.reason);
        }
        const auto equality = session().is_def_eq(term, constant(yes));
        EXPECT_FALSE(equality->is_equal);
        reasons.push_back(equality->verdict.reason);
        EXPECT_THAT(reasons, testing::Each(reasons.front()));
        return reasons.front();
    };
    EXPECT_EQ(reason_of([](auto& b) { return b.constant("Nobody"); }), "unknown_constant");
    EXPECT_EQ(reason_of([](auto& b) { return b.constant(Name()); }), "unknown_constant");
    EXPECT_EQ(reason_of([](auto& b) {
                  const LevelIndex one = b.level_succ(b.level_zero());
                  return b.constant(yes, std::array{one});
              }),
              "wrong_number_of_levels");
    EXPECT_EQ(reason_of([](auto& b) { return b.bvar(0); }), "loose_bound_variable");
    EXPECT_EQ(reason_of([](auto& b) {
                  return b.lam(b.constant(bool_type), b.app(b.bvar(1), b.bvar(0)));
              }),
              "loose_bound_variable");
    EXPECT_EQ(reason_of([](auto& b) { return b.fvar("x"); }), "free_variable");
    EXPECT_EQ(reason_of([](auto& b) { return b.app(b.mvar("m"), b.constant(yes)); }),
              "metavariable");
    EXPECT_EQ(reason_of([](auto& b) { return b.sort(b.level_mvar("l")); }), "metavariable");
    EXPECT_EQ(reason_of([](auto& b) { return b.sort(b.level_param(Name())); }),
              "undeclared_universe_parameter");
    EXPECT_EQ(reason_of([](auto& b) { return b.app(b.constant(yes), b.constant(yes)); }),
              "function_expected");
    EXPECT_EQ(reason_of([](auto& b) {
                  return b.app(b.constant("Fixture.Bool.not"), b.constant(bool_type));
              }),
              "application_type_mismatch");
    EXPECT_EQ(reason_of([](auto& b) { return b.lam(b.constant(yes), b.bvar(0)); }),
              "sort_expected");
    EXPECT_EQ(reason_of([](auto& b) {
                  return b.let(b.constant(bool_type), b.constant(bool_type), b.bvar(0));
              }),
              "let_type_mismatch");
    EXPECT_EQ(reason_of([](auto& b) { return b.proj(bool_type, 0, b.constant(yes)); }),
              "bad_projection");
    EXPECT_EQ(reason_of([](auto& b) { return b.proj("Nobody", 9, b.constant(yes)); }),
              "bad_projection");
    // The library has no Nat of the kernel's kind, so a literal means nothing.
    EXPECT_EQ(reason_of([](auto& b) { return b.nat(5); }), "bad_literal");
    EXPECT_EQ(reason_of([](auto& b) { return b.string("text"); }), "bad_literal");
}

// Found by the answer itself: an index that its table does not have never gets to the kernel.
TEST_P(KernelContract, WrongRootIsAnError) {
    Term term = constant(yes);
    term.root = 1;
    EXPECT_EQ(session().whnf(term).error().code(), ErrorCode::invalid_argument);
    EXPECT_EQ(session().is_def_eq(constant(yes), term).error().code(), ErrorCode::invalid_argument);
    EXPECT_EQ(session().infer_type(Term{}).error().code(), ErrorCode::invalid_argument);
}

// The thread sanitizer itself ends a program whose calls are nested 65,536 deep.
#ifdef __SANITIZE_THREAD__
constexpr std::uint32_t deep_terms = 2'000;
#else
constexpr std::uint32_t deep_terms = 200'000;
#endif

TEST_P(KernelContract, DepthCostsNoStack) {
    // Applications nest without bound; binders are counted in 16 bits, and more is a decline.
    const auto deep = session().infer_type(nested_not(deep_terms));
    ASSERT_TRUE(deep) << deep.error().message();
    EXPECT_TRUE(deep->verdict.kind == VerdictKind::accepted ||
                deep->verdict.reason == "leanhost.deep_recursion")
        << deep->verdict.message;
    TermTableBuilder builder;
    const TermIndex domain = builder.constant(bool_type);
    TermIndex term = builder.constant(yes);
    for (std::uint32_t i = 0; i < deep_terms / 2; ++i)
        term = builder.lam(domain, term);
    const auto binders = session().infer_type(*builder.take(term));
    ASSERT_TRUE(binders) << binders.error().message();
    EXPECT_NE(binders->verdict.kind, VerdictKind::rejected) << binders->verdict.message;
    // The session is as good as before.
    EXPECT_EQ(term_text(*session().whnf(nested_not(2))->term), "Fixture.Bool.true");
}

TEST_P(KernelContract, LimitsAreDeclines) {
    const Term long_work = search(60);
    const auto beats = session().whnf(long_work, {.max_heartbeats = 100'000});
    ASSERT_TRUE(beats) << beats.error().message();
    EXPECT_EQ(beats->verdict.kind, VerdictKind::declined);
    EXPECT_EQ(beats->verdict.reason, "leanhost.resource_exhausted");
    EXPECT_THAT(beats->verdict.message, HasSubstr("heartbeats"));
    EXPECT_GE(beats->verdict.heartbeats, 100'000U);
    EXPECT_EQ(term_text(*session().whnf(nested_not(2))->term), "Fixture.Bool.true");
}

TEST_P(KernelContract, ProgressIsToldAndMayStop) {
    std::uint64_t told = 0;
    std::string phase;
    CallOptions options;
    options.progress = [&](const Progress& progress) {
        phase = progress.phase;
        return ++told == 3 ? SinkAnswer::stop : SinkAnswer::proceed;
    };
    const auto answer = session().whnf(search(60), unbounded, options);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), ErrorCode::cancelled);
    EXPECT_EQ(told, 3U);
    EXPECT_EQ(phase, "check");
}

TEST_P(KernelContract, RunningCheckStopsSoonAfterItsCancellation) {
    const Term endless = search(60);
    std::vector<double> waits;
    for (int round = 0; round < 5; ++round) {
        CancellationSource source;
        CallOptions options;
        options.cancellation = source.token();
        std::atomic<Clock::rep> cancelled_at = 0;
        std::thread canceller([&] {
            std::this_thread::sleep_for(100ms);
            cancelled_at = Clock::now().time_since_epoch().count();
            source.cancel();
        });
        const auto answer = session().whnf(endless, unbounded, options);
        const auto ended = Clock::now().time_since_epoch();
        canceller.join();
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().code(), ErrorCode::cancelled);
        waits.push_back(
            std::chrono::duration<double, std::milli>(ended - Clock::duration(cancelled_at.load()))
                .count());
    }
    std::sort(waits.begin(), waits.end());
    for (std::size_t i = 0; i < waits.size(); ++i)
        RecordProperty("wait_ms_" + std::to_string(i), std::to_string(waits[i]));
#ifdef LEANHOST_SANITIZED
    constexpr double most_ms = 1000;
#else
    constexpr double most_ms = 50;
#endif
    // The median: a machine that is busy may not run us at once.
    EXPECT_LT(waits[waits.size() / 2], most_ms);
    EXPECT_EQ(term_text(*session().whnf(nested_not(2))->term), "Fixture.Bool.true");
}

TEST_P(KernelContract, ManyThreadsMayAskAtOnce) {
    constexpr unsigned num_threads = 4;
    std::atomic<unsigned> wrong = 0;
    std::vector<std::thread> threads;
    for (unsigned thread = 0; thread < num_threads; ++thread) {
        threads.emplace_back([&, thread] {
            for (unsigned i = 0; i < 20; ++i) {
                const auto answer = session().whnf(nested_not(thread + i));
                const char* const expected =
                    (thread + i) % 2 == 0 ? "Fixture.Bool.true" : "Fixture.Bool.false";
                const auto verdict = session().kernel_check(Name("Fixture.Bool.not_and"));
                if (!answer || !answer->term || term_text(*answer->term) != expected || !verdict ||
                    verdict->kind != VerdictKind::accepted)
                    ++wrong;
            }
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    EXPECT_EQ(wrong, 0U);
}

} // namespace
} // namespace leanhost::worker::test
