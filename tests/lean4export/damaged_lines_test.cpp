// Lines that were good before something happened to them.
#include "lean4export/reading.hpp"
#include "lean4export/sample_lines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace leanhost::module::lean4export {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using Json = nlohmann::json;

// However the line goes on in memory: the buffer behind it holds what was there before.
TEST(DamagedLines, ALineCutAnywhereIsRefused) {
    for (const test::SampleLine& sample : test::all_sample_lines()) {
        const std::string_view line = sample.line;
        for (std::size_t size = 0; size < line.size(); ++size) {
            EXPECT_FALSE(test::take_fast(line.substr(0, size)).is_taken) << line.substr(0, size);
            for (const std::string& behind :
                 {std::string(line.substr(size)), "\n" + std::string(line.substr(size)),
                  std::string(LineReader::padding_bytes, '}'),
                  std::string(LineReader::padding_bytes, ' '),
                  std::string(LineReader::padding_bytes, '\0'),
                  std::string(LineReader::padding_bytes, '"'),
                  std::string(LineReader::padding_bytes, '9')}) {
                const test::LineReading reading = test::take_as_json(line.substr(0, size), behind);
                EXPECT_FALSE(reading.is_taken)
                    << line.substr(0, size) << " with " << behind << " behind";
                EXPECT_THAT(reading.calls, IsEmpty()) << line.substr(0, size);
            }
        }
    }
}

TEST(DamagedLines, AFileCutAnywhereIsRefusedAtItsLastLine) {
    const std::string before = text_of(test::lines_of_3_1());
    const std::size_t lines = test::lines_of_3_1().size();
    for (const test::SampleLine& sample : test::all_sample_lines()) {
        for (std::size_t size = 1; size < sample.line.size(); size += 3) {
            const test::Reading reading = test::read_calls_of(before + sample.line.substr(0, size));
            ASSERT_TRUE(reading.error) << sample.line.substr(0, size);
            EXPECT_EQ(reading.error->code(), ErrorCode::invalid_input);
            EXPECT_THAT(test::place_of(*reading.error),
                        HasSubstr("export.ndjson:" + std::to_string(lines + 1) + ":"));
            EXPECT_EQ(reading.calls.size(), lines);
        }
    }
}

// What another parser does not take for JSON is not taken here either.
TEST(DamagedLines, ALineWithOneByteChangedIsRefusedUnlessItIsStillJson) {
    const std::string bytes("\0 \"{}[]:,019-.eE\\tfnux\x7f\x80\xff\r\n", 26);
    for (const test::SampleLine& sample : test::all_sample_lines()) {
        for (std::size_t at = 0; at < sample.line.size(); ++at) {
            for (const char byte : bytes) {
                std::string line = sample.line;
                line[at] = byte;
                const bool is_json = Json::accept(line);
                const test::LineReading reading = test::take_as_json(line);
                EXPECT_TRUE(is_json || !reading.is_taken) << line;
                EXPECT_TRUE(reading.is_taken || reading.calls.empty()) << line;
            }
        }
    }
}

TEST(DamagedLines, ALineWithAByteLostOrDoubledIsRefusedUnlessItIsStillJson) {
    for (const test::SampleLine& sample : test::all_sample_lines()) {
        for (std::size_t at = 0; at < sample.line.size(); ++at) {
            std::string lost = sample.line;
            lost.erase(at, 1);
            EXPECT_TRUE(Json::accept(lost) || !test::take_as_json(lost).is_taken) << lost;
            std::string doubled = sample.line;
            doubled.insert(at, 1, doubled[at]);
            EXPECT_TRUE(Json::accept(doubled) || !test::take_as_json(doubled).is_taken) << doubled;
        }
    }
}

TEST(DamagedLines, MoreBehindTheObjectIsRefused) {
    for (const test::SampleLine& sample : test::all_sample_lines()) {
        for (const std::string behind : {"}", "{", "]", ",", "x", "1", " {}", "\"", "\\", "\xff"}) {
            const test::LineReading reading = test::take_as_json(sample.line + behind);
            EXPECT_FALSE(reading.is_taken) << sample.line << behind;
            EXPECT_FALSE(test::take_fast(sample.line + behind).is_taken);
        }
    }
}

// The line, whole or with something changed, is refused at a column for a reason.
struct Refusal {
    const char* line;
    const char* reason;
    std::uint64_t column; ///< 0: whatever it is
};

class RefusedLine : public testing::TestWithParam<Refusal> {};

TEST_P(RefusedLine, ForItsReason) {
    const std::string before = "{\"in\":1,\"str\":{\"pre\":0,\"str\":\"a\"}}\n\n";
    const test::Reading reading =
        test::read_calls_of(before + GetParam().line + "\n{\"il\":1,\"succ\":0}\n");
    ASSERT_TRUE(reading.error) << GetParam().line;
    EXPECT_EQ(reading.error->code(), ErrorCode::invalid_input);
    EXPECT_THAT(reading.error->message(), HasSubstr(GetParam().reason)) << GetParam().line;
    const std::string place = test::place_of(*reading.error);
    EXPECT_THAT(place, HasSubstr("export.ndjson:3:"));
    if (GetParam().column > 0) {
        EXPECT_EQ(place, "export.ndjson:3:" + std::to_string(GetParam().column))
            << reading.error->message();
    }
    EXPECT_EQ(reading.calls.size(), 1U) << "nothing is told of the line and of those behind it";
}

constexpr const char* not_json = "not the JSON of an export line: ";

INSTANTIATE_TEST_SUITE_P(
    Shape,
    RefusedLine,
    testing::Values(
        Refusal{"x", not_json, 1},
        Refusal{"[]", not_json, 1},
        Refusal{"\"a\"", not_json, 1},
        Refusal{"null", not_json, 1},
        Refusal{"-", not_json, 1},
        Refusal{"\xef\xbb\xbf{\"il\":1,\"succ\":0}", not_json, 0},
        Refusal{"{}", "an empty line", 0},
        Refusal{R"({"ie":5})", "an id of nothing", 0},
        Refusal{R"({"ie":5,"meta":{}})", "an id of nothing", 0},
        Refusal{R"({"sort":1})", "no id of its kind", 0},
        Refusal{R"({"il":1,"sort":1})", "no id of its kind", 0},
        Refusal{R"({"ie":1,"succ":0})", "no id of its kind", 0},
        Refusal{R"({"ie":1,"str":{"pre":0,"str":"x"}})", "no id of its kind", 0},
        Refusal{R"({"in":1,"natVal":"1"})", "no id of its kind", 0},
        Refusal{R"({"ie":1,"ie":1,"sort":1})", "two ids", 0},
        Refusal{R"({"ie":1,"i":1,"sort":1})", "two ids", 0},
        Refusal{R"({"ie":1,"in":1,"sort":1})", "two ids", 0},
        Refusal{R"({"bvar":0,"ie":1,"sort":1})", R"(a second "sort" in one line)", 0},
        Refusal{R"({"ie":1,"sort":1,"sort":1})", R"(a second "sort" in one line)", 0},
        Refusal{R"({"meta":{},"meta":{}})", R"(a second "meta" in one line)", 0},
        Refusal{R"({"ie":1,"meta":{},"sort":1})", R"(a second "sort" in one line)", 0},
        Refusal{R"({"def":[],"thm":[]})", "a declaration of nothing", 0},
        Refusal{R"({"inductive":{"types":[],"ctors":[],"recs":[]}})", "a declaration of nothing",
                0},
        Refusal{R"({"ie":1,"fvar":1})", R"(no line of an export has the key "fvar")", 0},
        Refusal{R"({"ie":1,"sort":1,"extra":1})", R"(a second "extra" in one line)", 0},
        Refusal{R"({"extra":1,"ie":1,"sort":1})", R"(no line of an export has the key "extra")", 0},
        Refusal{R"({"":1})", R"(no line of an export has the key "")", 0}));

INSTANTIATE_TEST_SUITE_P(
    Numbers,
    RefusedLine,
    testing::Values(Refusal{R"({"ie":-1,"sort":1})", not_json, 0},
                    Refusal{R"({"ie":1.0,"sort":1})", not_json, 0},
                    Refusal{R"({"ie":1e3,"sort":1})", not_json, 0},
                    Refusal{R"({"ie":01,"sort":1})", not_json, 0},
                    Refusal{R"({"ie":+1,"sort":1})", not_json, 0},
                    Refusal{R"({"ie":0x1,"sort":1})", not_json, 0},
                    Refusal{R"({"ie":1x,"sort":1})", not_json, 0},
                    Refusal{R"({"ie":18446744073709551616,"sort":1})", not_json, 0},
                    Refusal{R"({"ie":99999999999999999999,"sort":1})", not_json, 0},
                    Refusal{R"({"ie":"1","sort":1})", not_json, 0},
                    Refusal{R"({"ie":null,"sort":1})", not_json, 0},
                    Refusal{R"({"ie":true,"sort":1})", not_json, 0},
                    Refusal{R"({"ie":[1],"sort":1})", not_json, 0},
                    Refusal{R"({"ie":,"sort":1})", not_json, 0},
                    Refusal{R"({"ie":1,"sort":-1})", not_json, 0},
                    Refusal{R"({"bvar":-1,"ie":1})", not_json, 0},
                    Refusal{R"({"app":{"arg":1,"fn":18446744073709551616},"ie":1})", not_json, 0},
                    Refusal{R"({"const":{"name":1,"us":[1,-1]},"ie":1})", not_json, 0},
                    Refusal{R"({"const":{"name":1,"us":[1,]},"ie":1})", not_json, 0},
                    Refusal{R"({"const":{"name":1,"us":[,1]},"ie":1})", not_json, 0},
                    Refusal{R"({"const":{"name":1,"us":[1 1]},"ie":1})", not_json, 0},
                    Refusal{R"({"il":1,"max":[1]})", R"("max" of 1 levels)", 0},
                    Refusal{R"({"il":1,"imax":[1,1,1]})", R"("imax" of 3 levels)", 0},
                    Refusal{R"({"il":1,"max":[]})", R"("max" of 0 levels)", 0},
                    Refusal{R"({"il":1,"max":1})", not_json, 0}));

INSTANTIATE_TEST_SUITE_P(
    Fields,
    RefusedLine,
    testing::Values(
        Refusal{R"({"app":{"arg":1},"ie":1})", R"(no "fn" in it)", 0},
        Refusal{R"({"app":{"fn":1},"ie":1})", R"(no "arg" in it)", 0},
        Refusal{R"({"app":1,"ie":1})", not_json, 0},
        Refusal{R"({"const":{"us":[]},"ie":1})", R"(no "name" in it)", 0},
        Refusal{R"({"const":{"name":1},"ie":1})", R"(no "us" in it)", 0},
        Refusal{R"({"ie":1,"lam":{"binderInfo":"dflt","body":1,"name":1,"type":1}})",
                R"(no binder info is called "dflt")", 0},
        Refusal{R"({"ie":1,"lam":{"body":1,"name":1,"type":1}})", R"(no "binderInfo" in it)", 0},
        Refusal{R"({"ie":1,"lam":{"binderInfo":"default","body":1,"name":1}})",
                R"(no "type" in it)", 0},
        Refusal{R"({"ie":1,"letE":{"body":1,"name":1,"nondep":0,"type":1,"value":1}})", not_json,
                0},
        Refusal{R"({"ie":1,"letE":{"body":1,"name":1,"nondep":true,"type":1}})",
                R"(no "value" in it)", 0},
        Refusal{R"({"ie":1,"proj":{"idx":0,"struct":1}})", R"(no "typeName" in it)", 0},
        Refusal{R"({"ie":1,"mdata":{"data":{}}})", R"(no "expr" in it)", 0},
        Refusal{R"({"ie":1,"natVal":1})", not_json, 0},
        Refusal{R"({"ie":1,"strVal":1})", not_json, 0},
        Refusal{"{\"ie\":1,\"strVal\":\"a\tb\"}", not_json, 0},
        Refusal{"{\"ie\":1,\"strVal\":\"\x80\"}", not_json, 0},
        Refusal{"{\"ie\":1,\"strVal\":\"\xc0\x80\"}", not_json, 0},
        Refusal{"{\"ie\":1,\"strVal\":\"\xed\xa0\x80\"}", not_json, 0},
        Refusal{"{\"ie\":1,\"strVal\":\"\xf4\x90\x80\x80\"}", not_json, 0},
        Refusal{"{\"in\":1,\"str\":{\"pre\":0,\"str\":\"\xff\"}}", not_json, 0},
        Refusal{"{\"in\":1,\"str\":{\"pre\":0,\"str\":\"\xe4\xb8\"}}", not_json, 0},
        Refusal{R"({"in":1,"str":{"str":"x"}})", R"(no "pre" in it)", 0},
        Refusal{R"({"in":1,"str":{"pre":0}})", R"(no "str" in it)", 0},
        Refusal{R"({"in":1,"num":{"pre":0}})", R"(no "i" in it)", 0},
        Refusal{R"({"axiom":{"levelParams":[],"name":1,"type":1}})", R"(no "isUnsafe" in it)", 0},
        Refusal{R"({"axiom":{"isUnsafe":1,"levelParams":[],"name":1,"type":1}})", not_json, 0},
        Refusal{R"({"axiom":{"isUnsafe":false,"name":1,"type":1}})", R"(no "levelParams" in it)",
                0},
        Refusal{
            R"({"def":{"all":[1],"levelParams":[],"name":1,"safety":"safe","type":1,"value":1}})",
            R"(no "hints" in it)", 0},
        Refusal{
            R"({"def":{"all":[1],"hints":"regular","levelParams":[],"name":1,"safety":"safe","type":1,"value":1}})",
            R"(no hints are called "regular")", 0},
        Refusal{
            R"({"def":{"all":[1],"hints":{"regular":4294967296},"levelParams":[],"name":1,"safety":"safe","type":1,"value":1}})",
            "a definitional height of 2^32 and more", 0},
        Refusal{
            R"({"def":{"all":[1],"hints":{"irregular":1},"levelParams":[],"name":1,"safety":"safe","type":1,"value":1}})",
            R"(no "regular" in it)", 0},
        Refusal{
            R"({"def":{"all":[1],"hints":"abbrev","levelParams":[],"name":1,"safety":"Safe","type":1,"value":1}})",
            R"(no safety is called "Safe")", 0},
        Refusal{R"({"def":[1]})", not_json, 0},
        Refusal{R"({"thm":{"all":1,"levelParams":[],"name":1,"type":1,"value":1}})", not_json, 0},
        Refusal{R"({"quot":{"kind":"mk","levelParams":[],"name":1,"type":1}})",
                R"(no part of the quotient is called "mk")", 0},
        Refusal{R"({"inductive":{"types":[],"recs":[]}})", R"(no "ctors" in it)", 0},
        Refusal{R"({"inductive":[]})", not_json, 0},
        Refusal{R"({"meta":{"lean":{"version":4}}})", not_json, 0},
        Refusal{R"({"meta":{"lean":[]}})", not_json, 0},
        Refusal{R"({"meta":1})", not_json, 0}));

// The sink's word on where it is, the reader's column.
TEST(DamagedLines, AColumnPointsToWhatIsWrong) {
    const auto place = [](const std::string& line) {
        const test::TableReading reading = test::read_table_of(line + "\n");
        return reading.error ? test::place_of(*reading.error) : "accepted";
    };
    EXPECT_EQ(place(R"({"app":{"arg":77,"fn":88},"ie":9})"), "export.ndjson:1:23")
        << "the function is looked at first";
    EXPECT_EQ(place(R"({"in":5,"str":{"pre":5,"str":"5"}})"), "export.ndjson:1:7")
        << "the first place where the number stands";
    EXPECT_EQ(place(R"({"const":{"name":0,"us":[0,12]},"ie":1})"), "export.ndjson:1:28");
    EXPECT_EQ(place(R"({ "ie" : 1 , "sort" : 3 })"), "export.ndjson:1:23");
}

} // namespace
} // namespace leanhost::module::lean4export
