#include "base/guard.hpp"
#include "engine_native/declaration_search.hpp"
#include "engine_native/native_engine.hpp"
#include "support/temp_dir.hpp"
#include "support_modules/module_maker.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

namespace leanhost::engine_native {
namespace {

using test::ModuleMaker;
using test::TempDir;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

TEST(Pattern, StarIsAnyTextAndQuestionMarkAnyByte) {
    EXPECT_TRUE(matches_pattern("Nat.add_comm", "Nat.*"));
    EXPECT_TRUE(matches_pattern("Nat.add_comm", "*comm"));
    EXPECT_TRUE(matches_pattern("Nat.add_comm", "*a?d*"));
    EXPECT_TRUE(matches_pattern("", "*"));
    EXPECT_TRUE(matches_pattern("", ""));
    EXPECT_TRUE(matches_pattern("abc", "a**c"));
    EXPECT_FALSE(matches_pattern("Nat.add_comm", "Nat"));
    EXPECT_FALSE(matches_pattern("Nat", "Nat?"));
    EXPECT_FALSE(matches_pattern("", "?"));
}

TEST(Pattern, ManyStarsOverALongTextTakeNoTime) {
    std::string pattern;
    for (int i = 0; i < 1000; ++i)
        pattern += "*a";
    EXPECT_FALSE(matches_pattern(std::string(16 * 1024, 'a') + "b", pattern + "c"));
}

TEST(IsBelow, ComparesWholeComponents) {
    EXPECT_TRUE(is_below("Nat.add", "Nat"));
    EXPECT_TRUE(is_below("Nat", "Nat"));
    EXPECT_TRUE(is_below("Nat", Name()));
    EXPECT_FALSE(is_below("Nation", "Nat"));
    EXPECT_FALSE(is_below("Nat", "Nat.add"));
}

// B: axiom p; axiom q; theorem t : p := q; axiom r : q. A imports B: theorem u : p := t, theorem
// gone : p := elsewhere, where nothing declares `elsewhere`.
class Declarations : public testing::Test {
protected:
    Declarations() {
        ModuleMaker b("Lib.B");
        b.add_axiom("p");
        b.add_axiom("q");
        b.add_theorem("t", b.constant("p"), b.constant("q"));
        b.add_axiom("ns.r", b.constant("q"));
        std::move(b).write(folder_.path());
        ModuleMaker a("Lib.A");
        a.import("Lib.B");
        a.add_theorem("u", a.constant("p"), a.constant("t"));
        a.add_theorem("gone", a.constant("p"), a.constant("elsewhere"));
        std::move(a).write(folder_.path());
        NativeEngineOptions options;
        options.search_path = {folder_.path()};
        engine_.emplace(options);
        session_ = engine_->open({"Lib.A"}, {});
    }

    std::vector<std::string> found(const DeclarationFilter& filter,
                                   const DeclarationFields& fields = {}) {
        std::vector<std::string> names;
        const auto summary = session_->search_declarations(
            filter, fields, [&](const Name& name, const Declaration&) {
                names.push_back(name.to_string());
                return SinkAnswer::proceed;
            });
        EXPECT_TRUE(summary) << summary.error().message();
        EXPECT_EQ(summary->found, names.size());
        return names;
    }

    static std::vector<std::string> texts(const Answer<std::vector<Reference>>& answer) {
        std::vector<std::string> names;
        for (const Reference& reference : answer.value())
            names.push_back(reference.name.to_string() + (reference.is_in_type ? ":" : "="));
        return names;
    }
    std::vector<std::string> dependencies(const Name& name) {
        return texts((*session_->dependencies(std::span(&name, 1)))[0]);
    }
    std::vector<std::string> dependents(const Name& name) {
        return texts((*session_->dependents(std::span(&name, 1)))[0]);
    }
    AxiomReport axioms(const Name& name) {
        return (*session_->axioms(std::span(&name, 1)))[0].value();
    }

    TempDir folder_;
    std::optional<NativeEngine> engine_;
    std::unique_ptr<NativeSession> session_;
};

TEST_F(Declarations, AnEmptyFilterFindsAll) {
    EXPECT_THAT(found({}), UnorderedElementsAre("p", "q", "t", "ns.r", "u", "gone"));
}

TEST_F(Declarations, EachConditionNarrows) {
    EXPECT_THAT(found({.prefix = "ns"}), ElementsAre("ns.r"));
    EXPECT_THAT(found({.pattern = "?"}), UnorderedElementsAre("p", "q", "t", "u"));
    EXPECT_THAT(found({.kinds = {DeclarationKind::theorem}}),
                UnorderedElementsAre("t", "u", "gone"));
    EXPECT_THAT(found({.module = "Lib.A"}), UnorderedElementsAre("u", "gone"));
    EXPECT_THAT(found({.module = "Lib"}).size(), 6U);
    EXPECT_THAT(found({.type_mentions = {"p"}}), UnorderedElementsAre("t", "u", "gone"));
    EXPECT_THAT(found({.module = "Lib.B", .type_mentions = {"p"}}), ElementsAre("t"));
    EXPECT_THAT(found({.type_mentions = {"p", "q"}}), IsEmpty());
}

TEST_F(Declarations, AMentionedConstantMustBeThere) {
    const auto summary = session_->search_declarations(
        {.type_mentions = {"nobody"}}, {},
        [](const Name&, const Declaration&) { return SinkAnswer::proceed; });
    ASSERT_FALSE(summary);
    EXPECT_EQ(summary.error().code(), ErrorCode::not_found);
}

TEST_F(Declarations, TheSinkMayStopTheSearch) {
    int told = 0;
    const auto summary =
        session_->search_declarations({}, {}, [&](const Name&, const Declaration&) {
            return ++told == 2 ? SinkAnswer::stop : SinkAnswer::proceed;
        });
    ASSERT_TRUE(summary);
    EXPECT_EQ(told, 2);
    EXPECT_TRUE(summary->was_stopped);
}

TEST_F(Declarations, AnExceptionOfTheSinkEndsTheSearchAndLeavesTheSession) {
    const auto summary = session_->search_declarations(
        {}, {}, [](const Name&, const Declaration&) -> SinkAnswer { throw 7; });
    ASSERT_FALSE(summary);
    EXPECT_EQ(summary.error().code(), ErrorCode::sink_failed);
    EXPECT_EQ(found({}).size(), 6U);
}

TEST_F(Declarations, ACancelledSearchSaysSo) {
    CancellationSource source;
    source.cancel();
    const auto summary = session_->search_declarations(
        {.type_mentions = {"p"}}, {},
        [](const Name&, const Declaration&) { return SinkAnswer::proceed; },
        {.cancellation = source.token()});
    ASSERT_FALSE(summary);
    EXPECT_EQ(summary.error().code(), ErrorCode::cancelled);
    EXPECT_THAT(dependencies("t"), ElementsAre("p:", "q=")) << "the next one builds the graph";
}

TEST_F(Declarations, DependenciesAreThoseOfTypeAndValue) {
    EXPECT_THAT(dependencies("t"), UnorderedElementsAre("p:", "q="));
    EXPECT_THAT(dependencies("ns.r"), ElementsAre("q:"));
    EXPECT_THAT(dependencies("p"), IsEmpty());
    EXPECT_THAT(dependencies("gone"), ElementsAre("p:"));
}

TEST_F(Declarations, DependentsAreTheOtherWayRound) {
    EXPECT_THAT(dependents("p"), UnorderedElementsAre("t:", "u:", "gone:"));
    EXPECT_THAT(dependents("q"), UnorderedElementsAre("t=", "ns.r:"));
    EXPECT_THAT(dependents("u"), IsEmpty());
}

TEST_F(Declarations, AxiomsComeThroughEverything) {
    EXPECT_THAT(axioms("u").axioms, UnorderedElementsAre(Name("p"), Name("q")));
    EXPECT_THAT(axioms("p").axioms, ElementsAre(Name("p")));
    EXPECT_TRUE(axioms("u").is_complete);
}

TEST_F(Declarations, AxiomsBehindWhatIsMissingMakeTheAnswerIncomplete) {
    EXPECT_THAT(axioms("gone").axioms, ElementsAre(Name("p")));
    EXPECT_FALSE(axioms("gone").is_complete);
}

TEST_F(Declarations, AnUnknownNameIsThatItemsAnswer) {
    const std::vector<Name> names{"p", "nobody"};
    EXPECT_FALSE((*session_->dependencies(names))[1]);
    EXPECT_FALSE((*session_->dependents(names))[1]);
    EXPECT_FALSE((*session_->axioms(names))[1]);
    EXPECT_TRUE((*session_->axioms(names))[0]);
}

TEST_F(Declarations, SessionsOfOneClosureShareTheGraph) {
    Monitor monitor;
    const auto other = engine_->open({"Lib.A"}, {});
    EXPECT_EQ(&session_->loaded()->references(monitor), &other->loaded()->references(monitor));
}

TEST_F(Declarations, ManyThreadsBuildTheGraphOnce) {
    std::atomic<int> right = 0;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 8; ++i) {
            threads.emplace_back([&] {
                const Name name("u");
                const auto answer = session_->axioms(std::span(&name, 1));
                right += answer && (*answer)[0]->axioms.size() == 2 ? 1 : 0;
            });
        }
    }
    EXPECT_EQ(right, 8);
}

TEST_F(Declarations, FieldsTellFactsAndSizes) {
    const std::vector<Name> names{"t", "p"};
    const auto rows = session_->query_declarations(names, {.facts = true, .value_size = true});
    EXPECT_EQ((*rows)[0]->value_terms, 1U);
    EXPECT_EQ((*rows)[1]->value_terms, std::nullopt);
    EXPECT_EQ((*rows)[0]->safety, DeclarationSafety::safe);
    EXPECT_FALSE((*rows)[0]->hint);
}

} // namespace
} // namespace leanhost::engine_native
