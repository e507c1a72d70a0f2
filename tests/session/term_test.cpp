#include <leanhost/term.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leanhost {
namespace {

using testing::HasSubstr;

// As TermParts, with defaults for what a test leaves out.
struct Parts {
    std::vector<Name> names = {};
    std::vector<std::string> texts = {};
    std::vector<LevelNode> levels = {};
    std::vector<LevelIndex> level_lists = {};
    std::vector<TermNode> terms = {};
};

// The error's message; empty when the parts are taken.
std::string refusal(Parts parts) {
    const auto table =
        TermTable::make({std::move(parts.names), std::move(parts.texts), std::move(parts.levels),
                         std::move(parts.level_lists), std::move(parts.terms)});
    if (table)
        return {};
    EXPECT_EQ(table.error().code(), ErrorCode::invalid_argument);
    return table.error().message();
}

TermNode node(TermKind kind, std::uint32_t a = 0, std::uint32_t b = 0, std::uint32_t c = 0) {
    return {kind, {a, b, c}};
}

TEST(TermTable, TakesWhatRefersToWhatStandsBefore) {
    TermParts parts;
    parts.names = {"f", "u"};
    parts.texts = {"text", std::string("\x05", 1)};
    parts.levels = {{LevelKind::zero, {}},
                    {LevelKind::succ, {0}},
                    {LevelKind::param, {1}},
                    {LevelKind::imax, {1, 2}}};
    parts.level_lists = {3, 0};
    parts.terms = {node(TermKind::constant, 0, 0, 2), node(TermKind::sort, 1),
                   node(TermKind::lam, 1, 0),         node(TermKind::let, 1, 0, 2),
                   node(TermKind::string, 0),         node(TermKind::nat, 1),
                   node(TermKind::proj, 0, 7, 3),     node(TermKind::app, 2, 6)};
    const auto table = TermTable::make(parts);
    ASSERT_TRUE(table) << table.error().message();
    EXPECT_EQ(table->terms(), parts.terms);
    EXPECT_THAT(table->levels_of(table->terms()[0]), testing::ElementsAre(3, 0));
}

TEST(TermTable, EmptyTableIsOne) {
    EXPECT_EQ(refusal({}), "");
}

TEST(TermTable, RefusesWhatRefersToItselfOrForward) {
    EXPECT_THAT(refusal({.terms = {node(TermKind::app, 0, 0)}}),
                HasSubstr("term 0: refers to term"));
    EXPECT_THAT(refusal({.terms = {node(TermKind::bvar), node(TermKind::app, 0, 2)}}),
                HasSubstr("refers to term 2, there are 1 before it"));
    EXPECT_THAT(refusal({.levels = {{LevelKind::succ, {0}}}}), HasSubstr("level 0: refers"));
    EXPECT_THAT(refusal({.terms = {node(TermKind::sort, 0)}}), HasSubstr("refers to level 0"));
    EXPECT_THAT(refusal({.terms = {node(TermKind::constant, 0)}}), HasSubstr("refers to name 0"));
    EXPECT_THAT(refusal({.terms = {node(TermKind::string, 0)}}), HasSubstr("refers to text 0"));
    EXPECT_THAT(refusal({.level_lists = {0}}), HasSubstr("there is no level 0"));
    EXPECT_THAT(refusal({.names = {"f"}, .terms = {node(TermKind::constant, 0, 0, 1)}}),
                HasSubstr("its levels end at place 1 of 0"));
    // The sum must not wrap.
    EXPECT_THAT(refusal({.names = {"f"}, .terms = {node(TermKind::constant, 0, 2, UINT32_MAX)}}),
                HasSubstr("its levels end at place 4294967297"));
}

TEST(TermTable, RefusesUnknownKindsAndFieldsThatAKindDoesNotHave) {
    EXPECT_THAT(refusal({.terms = {node(static_cast<TermKind>(num_term_kinds))}}),
                HasSubstr("no kind has the number 12"));
    EXPECT_THAT(refusal({.levels = {{static_cast<LevelKind>(num_level_kinds), {}}}}),
                HasSubstr("no kind has the number 6"));
    EXPECT_THAT(refusal({.terms = {node(TermKind::bvar, 0, 1)}}),
                HasSubstr("a field that its kind does not have"));
    EXPECT_THAT(refusal({.levels = {{LevelKind::zero, {0, 1}}}}),
                HasSubstr("a field that its kind does not have"));
}

TEST(TermTable, RefusesLiteralsThatAreNone) {
    EXPECT_THAT(refusal({.texts = {"\xFF"}, .terms = {node(TermKind::string, 0)}}),
                HasSubstr("no UTF-8"));
    EXPECT_THAT(refusal({.texts = {std::string("\1\0", 2)}, .terms = {node(TermKind::nat, 0)}}),
                HasSubstr("shortest form"));
    EXPECT_EQ(refusal({.texts = {""}, .terms = {node(TermKind::nat, 0)}}), "");
}

TEST(TermTable, RefusesMoreTextThanItsBound) {
    Parts parts;
    parts.texts.assign(2, std::string(TermTable::max_text_bytes / 2 + 1, 'x'));
    EXPECT_THAT(refusal(std::move(parts)), HasSubstr("bytes of texts; at most 67108864"));
}

TEST(TermTable, EveryKindSaysItsNameAndItsFields) {
    for (std::uint32_t i = 0; i < num_term_kinds; ++i) {
        EXPECT_NE(term_kind_name(static_cast<TermKind>(i)), "unknown");
        EXPECT_GE(num_fields(static_cast<TermKind>(i)), 1U);
    }
    EXPECT_EQ(term_kind_name(static_cast<TermKind>(num_term_kinds)), "unknown");
    for (std::uint32_t i = 0; i < num_level_kinds; ++i)
        EXPECT_NE(level_kind_name(static_cast<LevelKind>(i)), "unknown");
    EXPECT_EQ(num_fields(TermKind::let), 3U);
    EXPECT_EQ(num_fields(LevelKind::zero), 0U);
}

TEST(TermTableBuilder, KeepsNamesOnce) {
    TermTableBuilder builder;
    const TermIndex f = builder.constant("f");
    builder.app(f, builder.constant("f"));
    const auto table = builder.take();
    ASSERT_TRUE(table);
    EXPECT_EQ(table->names().size(), 1U);
    EXPECT_EQ(table->terms().size(), 3U);
    EXPECT_EQ(builder.num_terms(), 0U);
}

TEST(TermTableBuilder, TakeReportsTheMistake) {
    TermTableBuilder builder;
    builder.app(builder.bvar(0), 17);
    EXPECT_THAT(builder.take().error().message(), HasSubstr("refers to term 17"));
    builder.bvar(0);
    EXPECT_THAT(builder.take(5).error().message(), HasSubstr("there is no term 5 among 1"));
}

TEST(TermText, WritesEverythingExplicitly) {
    TermTableBuilder builder;
    const LevelIndex u = builder.level_param("u");
    const LevelIndex level = builder.level_max(builder.level_succ(u), builder.level_zero());
    const TermIndex type = builder.sort(level);
    const TermIndex f = builder.constant("f", std::array{level, u});
    const TermIndex body =
        builder.app(builder.app(f, builder.bvar(0)),
                    builder.let(type, builder.nat(260), builder.proj("S", 1, builder.bvar(1))));
    const TermIndex root = builder.pi(type, builder.lam(builder.bvar(0), body));
    const auto term = builder.take(root);
    ASSERT_TRUE(term) << term.error().message();
    EXPECT_EQ(term_text(*term),
              "∀ x0 : Sort (max (u+1) 0), fun x1 : x0 => f.{max (u+1) 0, u} x1 (let x2 : Sort "
              "(max (u+1) 0) := 260; x1.2)");
}

TEST(TermText, IsCutAtACharacterAndNeverDeep) {
    TermTableBuilder builder;
    const TermIndex prop = builder.sort(builder.level_zero());
    TermIndex term = prop;
    for (int i = 0; i < 100'000; ++i)
        term = builder.pi(prop, term);
    const auto deep = builder.take(term);
    EXPECT_LT(term_text(*deep).size(), std::size_t{64} * 1024 + 8);
    EXPECT_EQ(term_text(*deep, 1), " …");
    // Shared 2^60 times, and printed no further than there is room.
    TermIndex wide = builder.sort(builder.level_zero());
    for (int i = 0; i < 60; ++i)
        wide = builder.app(wide, wide);
    EXPECT_LT(term_text(*builder.take(wide), 1000).size(), 1010U);
}

TEST(TermText, GreatNumbersAreHexadecimal) {
    TermTableBuilder builder;
    const TermIndex root = builder.nat_bytes(std::string("\0\0\0\0\0\0\0\0\x12\0\0", 11));
    EXPECT_EQ(term_text(*builder.take(root)), "0x120000000000000000");
}

} // namespace
} // namespace leanhost
