#include "session/session_fixture.hpp"
#include "support/temp_dir.hpp"
#include "support_modules/module_maker.hpp"

#include <set>

namespace leanhost {
namespace {

using test::corpus;
using test::open_session;
using test::TempDir;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string kind_of(const Session& session, const Name& name) {
    const auto rows = session.query_declarations(std::span(&name, 1));
    if (!rows || !(*rows)[0])
        return "not found";
    return std::string(declaration_kind_name((*rows)[0]->kind));
}

TEST(Introspection, EveryKindIsNamed) {
    const TempDir folder;
    test::ModuleMaker maker("K");
    auto& build = maker.constants();
    const auto prop = maker.prop();
    const auto nil = maker.terms().mk_list({});
    const auto head = [&](const char* name) { return maker.head(name, prop); };
    maker.add_axiom("an_axiom");
    maker.add(build.mk_definition(head("a_definition"),
                                  {prop,
                                   {object::ReducibilityHints::Kind::abbreviation, 0},
                                   object::DefinitionSafety::safe,
                                   nil}));
    maker.add_theorem("a_theorem", prop, prop);
    maker.add(build.mk_opaque(head("an_opaque"), prop, nil));
    maker.add(build.mk_quotient(head("a_quotient"), 0));
    maker.add(build.mk_inductive(head("an_inductive"), {0, 0, nil, nil, 0, false, false, false}));
    maker.add(build.mk_constructor(head("a_constructor"),
                                   {maker.terms().mk_name("an_inductive"), 0, 0, 0, false}));
    maker.add(build.mk_recursor(head("a_recursor"), {nil, 0, 0, 1, 1, nil, false, false}));
    std::move(maker).write(folder.path());
    const auto session = open_session(folder.path(), {"K"});
    for (const char* kind : {"axiom", "definition", "theorem", "opaque", "quotient", "inductive",
                             "constructor", "recursor"}) {
        const bool vowel = std::string("aio").find(kind[0]) != std::string::npos;
        EXPECT_EQ(kind_of(*session, (vowel ? "an_" : "a_") + std::string(kind)), kind);
    }
}

TEST(Introspection, RealDeclarationsSayKindModuleAndUniverseParameters) {
    const auto session =
        open_session(corpus(test::batteries), {"Batteries.Classes.RatCast", "Batteries.Data.Bool"});
    struct Expected {
        Name name;
        DeclarationKind kind;
        const char* module;
        std::vector<std::string> universe_params;
    };
    const Expected expected[] = {
        {"RatCast", DeclarationKind::inductive, "Batteries.Classes.RatCast", {"u"}},
        {"RatCast.mk", DeclarationKind::constructor, "Batteries.Classes.RatCast", {"u"}},
        {"RatCast.rec", DeclarationKind::recursor, "Batteries.Classes.RatCast", {"u_1", "u"}},
        {"instRatCastRat", DeclarationKind::definition, "Batteries.Classes.RatCast", {}},
        {"Bool.gt_wfRel._proof_1", DeclarationKind::theorem, "Batteries.Data.Bool", {}},
    };
    std::vector<Name> names;
    for (const Expected& e : expected)
        names.push_back(e.name);
    const auto rows = session->query_declarations(names);
    ASSERT_TRUE(rows);
    for (std::size_t i = 0; i < names.size(); ++i) {
        const DeclarationRow& row = (*rows)[i];
        ASSERT_TRUE(row.has_value()) << names[i].to_string();
        EXPECT_EQ(row->kind, expected[i].kind) << names[i].to_string();
        EXPECT_EQ(row->module, expected[i].module);
        EXPECT_EQ(row->universe_params, expected[i].universe_params);
        EXPECT_EQ(row->type, "") << "not asked for";
    }
}

TEST(Introspection, UnknownNameIsThatRowsAnswerAlone) {
    const auto session = open_session(corpus(test::batteries), {"Batteries.Classes.RatCast"});
    const std::vector<Name> names = {"RatCast", "No.such", Name(), "RatCast.mk", "RatCast"};
    const auto rows = session->query_declarations(names);
    ASSERT_TRUE(rows);
    ASSERT_EQ(rows->size(), 5U);
    std::vector<bool> found;
    for (const DeclarationRow& row : *rows)
        found.push_back(row.has_value());
    EXPECT_THAT(found, ElementsAre(true, false, false, true, true));
    EXPECT_EQ(session->query_declarations({})->size(), 0U);
}

TEST(Introspection, FieldsThatAreNotWantedStayEmpty) {
    const auto session = open_session(corpus(test::batteries), {"Batteries.Classes.RatCast"});
    const Name name = "RatCast";
    const auto rows = session->query_declarations(std::span(&name, 1), {.universe_params = false});
    EXPECT_THAT((*rows)[0]->universe_params, IsEmpty());
    const auto typed =
        session->query_declarations(std::span(&name, 1), {.type = true, .max_type_bytes = 8});
    EXPECT_EQ((*typed)[0]->type, "(Type u)…");
    EXPECT_TRUE((*typed)[0]->type_is_cut);
}

TEST(Introspection, ProfileDecidesWhatIsSeen) {
    const auto all = open_session(corpus(test::batteries), {"Batteries.Data.Nat.Bitwise"});
    EXPECT_EQ(kind_of(*all, "Nat.xor_left_inj"), "theorem");
    const Name hidden = "_private.Batteries.Data.Nat.Bitwise.0.Nat.xor_left_inj.match_1_1";
    EXPECT_EQ(kind_of(*all, hidden), "definition");
    const std::uint64_t all_constants = all->import_facts().constants;
    EXPECT_EQ(all_constants, 37U);
    const auto exported =
        Runtime::init({.search_path = {corpus(test::batteries)}})
            ->open_session(ImportSet({"Batteries.Data.Nat.Bitwise"}, Profile::exported, true));
    ASSERT_TRUE(exported);
    EXPECT_EQ(kind_of(**exported, "Nat.xor_left_inj"), "axiom") << "the public face has no proof";
    EXPECT_EQ(kind_of(**exported, hidden), "not found");
}

TEST(Introspection, EveryContainerVersionAnswers) {
    struct Case {
        std::string_view library;
        const char* module;
        std::size_t constants;
    };
    const Case cases[] = {{test::v0_library, "test", 13},
                          {test::v0b_library, "Main", 7},
                          {test::v1_library, "BPlusTreeLean.Basic", 22},
                          {test::v2_library, "zkEVM.EVMDiv", 41},
                          {test::batteries, "Batteries.Data.Bool", 10}};
    for (const Case& c : cases) {
        const auto session = open_session(corpus(c.library), {c.module});
        const std::vector<Name> names = test::all_names(*session);
        EXPECT_EQ(names.size(), c.constants) << c.module;
        const auto rows = session->query_declarations(names, {.type = true});
        ASSERT_TRUE(rows) << rows.error().message();
        for (const DeclarationRow& row : *rows) {
            ASSERT_TRUE(row.has_value());
            EXPECT_EQ(row->module, c.module);
            EXPECT_NE(row->type, "");
        }
    }
}

TEST(Introspection, RowsOutliveTheirSession) {
    auto session = open_session(corpus(test::batteries), {"Batteries.Classes.RatCast"});
    const Name name = "RatCast";
    const auto rows = session->query_declarations(std::span(&name, 1));
    session.reset();
    EXPECT_EQ((*rows)[0]->module, "Batteries.Classes.RatCast");
}

class Interruptions : public testing::Test {
protected:
    Interruptions() {
        std::vector<Name> axioms;
        for (int i = 0; i < 2000; ++i)
            axioms.push_back("x" + std::to_string(i));
        test::write_module(folder.path(), "X", {}, axioms);
        session = open_session(folder.path(), {"X"});
        names = test::all_names(*session);
    }
    TempDir folder;
    test::SessionHandle session;
    std::vector<Name> names;
};

TEST_F(Interruptions, CancelledTokenEndsAQuery) {
    CancellationSource source;
    source.cancel();
    const CallOptions options{.cancellation = source.token()};
    EXPECT_EQ(session->query_declarations(names, {}, options).error().code(), ErrorCode::cancelled);
    EXPECT_EQ(session->list_declarations(0, 10, options).error().code(), ErrorCode::cancelled);
    EXPECT_TRUE(session->query_declarations(names)) << "the session lives";
}

TEST_F(Interruptions, CancellationFromTheSinkIsSeenBetweenItems) {
    CancellationSource source;
    std::uint64_t last = 0;
    CallOptions options{.cancellation = source.token()};
    options.progress = [&](const Progress& progress) {
        source.cancel();
        last = progress.current;
        return SinkAnswer::proceed;
    };
    EXPECT_EQ(session->query_declarations(names, {}, options).error().code(), ErrorCode::cancelled);
    EXPECT_EQ(last, 0U) << "it ended long before the last name";
}

TEST_F(Interruptions, SinkThatStopsCancels) {
    const CallOptions options{.progress = [](const Progress&) { return SinkAnswer::stop; }};
    const auto rows = session->query_declarations(names, {}, options);
    ASSERT_FALSE(rows);
    EXPECT_EQ(rows.error().code(), ErrorCode::cancelled);
    EXPECT_THAT(rows.error().message(), HasSubstr("progress sink"));
}

TEST_F(Interruptions, SinkThatThrowsFailsTheCallAndTheSessionLives) {
    const CallOptions options{
        .progress = [](const Progress&) -> SinkAnswer { throw std::runtime_error("no terminal"); }};
    const auto rows = session->query_declarations(names, {}, options);
    ASSERT_FALSE(rows);
    EXPECT_EQ(rows.error().code(), ErrorCode::sink_failed);
    EXPECT_THAT(rows.error().message(), HasSubstr("no terminal"));
    EXPECT_TRUE(rows.error().still_usable());
    const CallOptions odd{.progress = [](const Progress&) -> SinkAnswer { throw 1; }};
    EXPECT_EQ(session->query_declarations(names, {}, odd).error().code(), ErrorCode::sink_failed);
    EXPECT_TRUE(session->query_declarations(names));
}

TEST_F(Interruptions, ProgressEndsWithEverything) {
    Progress last{};
    const CallOptions options{.progress = [&](const Progress& progress) {
        EXPECT_GE(progress.current, last.current);
        last = progress;
        return SinkAnswer::proceed;
    }};
    EXPECT_TRUE(session->query_declarations(names, {}, options));
    EXPECT_EQ(last.current, names.size());
    EXPECT_EQ(last.total, names.size());
}

} // namespace
} // namespace leanhost
