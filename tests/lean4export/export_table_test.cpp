#include "lean4export/reading.hpp"
#include "lean4export/sample_lines.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leanhost::module::lean4export {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Names 1 and 2, levels 1 and 2, terms 1 and 2.
const std::string base = R"({"in":1,"str":{"pre":0,"str":"a"}}
{"in":2,"num":{"i":7,"pre":1}}
{"il":1,"succ":0}
{"il":2,"param":1}
{"ie":1,"sort":0}
{"bvar":0,"ie":2}
)";

std::string refusal(const std::string& line) {
    const test::TableReading reading = test::read_table_of(base + line + "\n");
    if (!reading.error)
        return "accepted";
    EXPECT_EQ(reading.error->code(), ErrorCode::invalid_input);
    EXPECT_THAT(test::place_of(*reading.error), HasSubstr("export.ndjson:7:"));
    return reading.error->message();
}

TEST(ExportTable, TakesEveryKindOfLine) {
    const auto table = test::table_of(text_of(test::lines_of_3_1()));
    EXPECT_EQ(table->meta_line().lean_version, "4.29.0");
    EXPECT_EQ(table->names().size(), 18U);
    EXPECT_EQ(table->levels().size(), 5U);
    EXPECT_EQ(table->terms().size(), 16U);
    EXPECT_EQ(table->declarations().size(), 11U);
    EXPECT_EQ(table->greatest_name_id(), 17U);
    EXPECT_EQ(table->greatest_level_id(), 4U);
    EXPECT_EQ(table->greatest_term_id(), 15U);
    EXPECT_EQ(table->name_text(4), "Nat.αβ.1910291827");
    EXPECT_EQ(table->name_text(0), "");
    const TermNode& constant = table->terms()[3];
    EXPECT_EQ(constant.kind, TermKind::constant);
    EXPECT_THAT(table->level_list(constant), ElementsAre(1U, 4U));
    const TermNode& let_term = table->terms()[9];
    EXPECT_EQ(let_term.kind, TermKind::let_e);
    EXPECT_TRUE(let_term.non_dep);
    EXPECT_EQ(table->let_tail(let_term).value, 5U);
    EXPECT_EQ(table->let_tail(let_term).body, 1U);
    EXPECT_EQ(table->text(table->terms()[13]), "340282366920938463463374607431768211456");
    EXPECT_EQ(table->text(table->terms()[14]), "a\nb\"c\\");
    EXPECT_GT(table->memory_bytes(), 0U);
}

TEST(ExportTable, IdsMayBeSparseHugeAndOutOfOrder) {
    const auto table = test::table_of(R"({"in":18446744073709551615,"str":{"pre":0,"str":"x"}}
{"in":5,"str":{"pre":18446744073709551615,"str":"y"}}
{"in":1,"str":{"pre":5,"str":"z"}}
{"il":9223372036854775808,"param":1}
{"il":3,"succ":9223372036854775808}
{"ie":18446744073709551615,"sort":3}
{"ie":7,"sort":9223372036854775808}
{"app":{"arg":7,"fn":18446744073709551615},"ie":123456789012345}
{"axiom":{"isUnsafe":false,"levelParams":[18446744073709551615],"name":1,"type":123456789012345}}
)");
    EXPECT_EQ(table->name_text(3), "x.y.z");
    EXPECT_EQ(table->levels()[2].a, 1U);
    const TermNode& app = table->terms()[2];
    EXPECT_EQ(app.a, 0U);
    EXPECT_EQ(app.b, 1U);
    const ExportConstant& axiom = table->declarations()[0].constants[0];
    EXPECT_EQ(axiom.name, 3U);
    EXPECT_EQ(axiom.type, 2U);
    EXPECT_THAT(axiom.universe_params, ElementsAre(1U));
    EXPECT_EQ(table->greatest_name_id(), std::numeric_limits<Id>::max());
    EXPECT_EQ(table->greatest_term_id(), std::numeric_limits<Id>::max());
}

TEST(ExportTable, TheThreeSpacesOfIdsAreApart) {
    EXPECT_FALSE(test::read_table_of(R"({"i":1,"str":{"pre":0,"str":"x"}}
{"i":1,"param":1}
{"i":1,"sort":{"u":1}}
)")
                     .error);
}

// Each place of a line where an id stands, with an id that no line gave out.
struct Reference {
    const char* line; ///< with {} for the id
    const char* what;
};
class ReferenceThatLeadsNowhere : public testing::TestWithParam<Reference> {};

std::string with_id(const char* line, const char* id) {
    std::string text = line;
    return text.replace(text.find("{}"), 2, id);
}

TEST_P(ReferenceThatLeadsNowhere, IsRefused) {
    const std::string what = GetParam().what;
    // 8 is what the line itself defines where it defines something: a forward reference.
    for (const char* const id : {"3", "8", "4097", "1000000000000", "18446744073709551615"}) {
        EXPECT_THAT(
            refusal(with_id(GetParam().line, id)),
            HasSubstr(fmt::format("{} {} is used before a line defines it", GetParam().what, id)))
            << GetParam().line;
    }
    // The anonymous name and level zero are always there; a term 0 has to be given.
    const std::string of_0 = refusal(with_id(GetParam().line, "0"));
    if (what != "term")
        EXPECT_EQ(of_0, "accepted") << GetParam().line;
    else
        EXPECT_THAT(of_0, HasSubstr("term 0 is used before a line defines it"));
    EXPECT_EQ(refusal(with_id(GetParam().line, "1")), "accepted") << GetParam().line;
}

INSTANTIATE_TEST_SUITE_P(
    Items,
    ReferenceThatLeadsNowhere,
    testing::Values(
        Reference{R"({"in":8,"str":{"pre":{},"str":"x"}})", "name"},
        Reference{R"({"in":8,"num":{"i":3,"pre":{}}})", "name"},
        Reference{R"({"il":8,"succ":{}})", "level"},
        Reference{R"({"il":8,"max":[{},1]})", "level"},
        Reference{R"({"il":8,"max":[1,{}]})", "level"},
        Reference{R"({"il":8,"imax":[{},1]})", "level"},
        Reference{R"({"il":8,"imax":[1,{}]})", "level"},
        Reference{R"({"il":8,"param":{}})", "name"},
        Reference{R"({"ie":8,"sort":{}})", "level"},
        Reference{R"({"const":{"name":{},"us":[1]},"ie":8})", "name"},
        Reference{R"({"const":{"name":1,"us":[{}]},"ie":8})", "level"},
        Reference{R"({"const":{"name":1,"us":[1,2,{}]},"ie":8})", "level"},
        Reference{R"({"app":{"arg":{},"fn":1},"ie":8})", "term"},
        Reference{R"({"app":{"arg":1,"fn":{}},"ie":8})", "term"},
        Reference{R"({"ie":8,"lam":{"binderInfo":"default","body":{},"name":1,"type":1}})", "term"},
        Reference{R"({"ie":8,"lam":{"binderInfo":"default","body":1,"name":{},"type":1}})", "name"},
        Reference{R"({"ie":8,"lam":{"binderInfo":"default","body":1,"name":1,"type":{}}})", "term"},
        Reference{R"({"forallE":{"binderInfo":"default","body":{},"name":1,"type":1},"ie":8})",
                  "term"},
        Reference{R"({"forallE":{"binderInfo":"default","body":1,"name":{},"type":1},"ie":8})",
                  "name"},
        Reference{R"({"forallE":{"binderInfo":"default","body":1,"name":1,"type":{}},"ie":8})",
                  "term"},
        Reference{R"({"ie":8,"letE":{"body":{},"name":1,"nondep":false,"type":1,"value":1}})",
                  "term"},
        Reference{R"({"ie":8,"letE":{"body":1,"name":{},"nondep":false,"type":1,"value":1}})",
                  "name"},
        Reference{R"({"ie":8,"letE":{"body":1,"name":1,"nondep":false,"type":{},"value":1}})",
                  "term"},
        Reference{R"({"ie":8,"letE":{"body":1,"name":1,"nondep":false,"type":1,"value":{}}})",
                  "term"},
        Reference{R"({"ie":8,"proj":{"idx":0,"struct":{},"typeName":1}})", "term"},
        Reference{R"({"ie":8,"proj":{"idx":0,"struct":1,"typeName":{}}})", "name"},
        Reference{R"({"ie":8,"mdata":{"expr":{}}})", "term"}));

INSTANTIATE_TEST_SUITE_P(
    Declarations,
    ReferenceThatLeadsNowhere,
    testing::Values(
        Reference{R"({"axiom":{"isUnsafe":false,"levelParams":[],"name":{},"type":1}})", "name"},
        Reference{R"({"axiom":{"isUnsafe":false,"levelParams":[1,{}],"name":1,"type":1}})", "name"},
        Reference{R"({"axiom":{"isUnsafe":false,"levelParams":[],"name":1,"type":{}}})", "term"},
        Reference{
            R"({"def":{"all":[1],"hints":"abbrev","levelParams":[],"name":1,"safety":"safe","type":1,"value":{}}})",
            "term"},
        Reference{
            R"({"def":{"all":[1,{}],"hints":"abbrev","levelParams":[],"name":1,"safety":"safe","type":1,"value":1}})",
            "name"},
        Reference{
            R"({"def":[{"all":[1],"hints":"abbrev","levelParams":[],"name":1,"safety":"safe","type":1,"value":1},{"all":[1],"hints":"abbrev","levelParams":[],"name":2,"safety":"safe","type":{},"value":1}]})",
            "term"},
        Reference{R"({"thm":{"all":[1],"levelParams":[],"name":1,"type":1,"value":{}}})", "term"},
        Reference{R"({"thm":{"all":[{}],"levelParams":[],"name":1,"type":1,"value":1}})", "name"},
        Reference{
            R"({"opaque":{"all":[1],"isUnsafe":false,"levelParams":[],"name":1,"type":1,"value":{}}})",
            "term"},
        Reference{R"({"quot":{"kind":"ind","levelParams":[{}],"name":1,"type":1}})", "name"},
        Reference{
            R"({"inductInfo":{"all":[{}],"ctors":[],"isRec":false,"isReflexive":false,"isUnsafe":false,"levelParams":[],"name":1,"numIndices":0,"numNested":0,"numParams":0,"type":1}})",
            "name"},
        Reference{
            R"({"inductInfo":{"all":[1],"ctors":[{}],"isRec":false,"isReflexive":false,"isUnsafe":false,"levelParams":[],"name":1,"numIndices":0,"numNested":0,"numParams":0,"type":1}})",
            "name"},
        Reference{
            R"({"ctorInfo":{"cidx":0,"induct":{},"isUnsafe":false,"levelParams":[],"name":1,"numFields":0,"numParams":0,"type":1}})",
            "name"},
        Reference{
            R"({"recInfo":{"all":[1],"isUnsafe":false,"k":false,"levelParams":[],"name":1,"numIndices":0,"numMinors":0,"numMotives":1,"numParams":0,"rules":[{"ctor":{},"nfields":0,"rhs":1}],"type":1}})",
            "name"},
        Reference{
            R"({"recInfo":{"all":[1],"isUnsafe":false,"k":false,"levelParams":[],"name":1,"numIndices":0,"numMinors":0,"numMotives":1,"numParams":0,"rules":[{"ctor":1,"nfields":0,"rhs":{}}],"type":1}})",
            "term"}));

TEST(ExportTable, RefusesAnIdThatIsGivenOutTwice) {
    EXPECT_THAT(refusal(R"({"in":1,"str":{"pre":0,"str":"other"}})"),
                HasSubstr("name 1 is defined twice"));
    EXPECT_THAT(refusal(R"({"in":2,"num":{"i":7,"pre":1}})"), HasSubstr("name 2 is defined twice"));
    EXPECT_THAT(refusal(R"({"il":1,"succ":0})"), HasSubstr("level 1 is defined twice"));
    EXPECT_THAT(refusal(R"({"il":2,"max":[1,1]})"), HasSubstr("level 2 is defined twice"));
    EXPECT_THAT(refusal(R"({"ie":1,"sort":0})"), HasSubstr("term 1 is defined twice"));
    EXPECT_THAT(refusal(R"({"app":{"arg":1,"fn":1},"ie":2})"),
                HasSubstr("term 2 is defined twice"));
    EXPECT_THAT(refusal(R"({"ie":2,"natVal":"1"})"), HasSubstr("term 2 is defined twice"));
}

TEST(ExportTable, RefusesASparseIdThatIsGivenOutTwice) {
    const test::TableReading reading =
        test::read_table_of("{\"ie\":99999999999,\"sort\":0}\n{\"ie\":99999999999,\"sort\":0}\n");
    ASSERT_TRUE(reading.error);
    EXPECT_THAT(reading.error->message(), HasSubstr("export.ndjson:2:7: term 99999999999 is"));
}

TEST(ExportTable, RefusesToDefineTheAnonymousNameAndLevelZeroAgain) {
    EXPECT_THAT(refusal(R"({"in":0,"str":{"pre":0,"str":"x"}})"),
                HasSubstr("name 0 is defined twice"));
    EXPECT_THAT(refusal(R"({"in":0,"num":{"i":1,"pre":0}})"), HasSubstr("name 0 is defined twice"));
    EXPECT_THAT(refusal(R"({"il":0,"succ":0})"), HasSubstr("level 0 is defined twice"));
    EXPECT_EQ(refusal(R"({"ie":0,"sort":0})"), "accepted") << "terms have no such term";
}

TEST(ExportTable, RefusesNumbersThatANodeCannotHold) {
    EXPECT_EQ(refusal(R"({"bvar":4294967294,"ie":3})"), "accepted");
    EXPECT_THAT(refusal(R"({"bvar":4294967295,"ie":3})"), HasSubstr("is beyond 2^32 - 2"));
    EXPECT_THAT(refusal(R"({"bvar":18446744073709551615,"ie":3})"), HasSubstr("is beyond 2^32"));
    EXPECT_THAT(refusal(R"({"ie":3,"proj":{"idx":4294967295,"struct":1,"typeName":1}})"),
                HasSubstr("field 4294967295 is beyond 2^32 - 2"));
}

TEST(ExportTable, RefusesWhatIsNoNaturalNumber) {
    const std::string why = "a natural number is written in decimal digits without leading zeros";
    for (const char* const text : {"", "00", "01", "-1", "+1", "1.0", "1e3", "0x1", "12a", " 1",
                                   "1 ", "１", "1\\u0000", "∞"}) {
        EXPECT_THAT(refusal(fmt::format(R"({{"ie":3,"natVal":"{}"}})", text)), HasSubstr(why))
            << text;
    }
    for (const char* const text : {"0", "9", "10", "18446744073709551616"})
        EXPECT_EQ(refusal(fmt::format(R"({{"ie":3,"natVal":"{}"}})", text)), "accepted") << text;
}

TEST(ExportTable, GreatestIdsAreUnknownWithoutLines) {
    const ExportTable table;
    EXPECT_EQ(table.greatest_name_id(), std::nullopt);
    EXPECT_EQ(table.greatest_level_id(), std::nullopt);
    EXPECT_EQ(table.greatest_term_id(), std::nullopt);
}

} // namespace
} // namespace leanhost::module::lean4export
