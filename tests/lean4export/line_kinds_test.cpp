#include "lean4export/reading.hpp"
#include "lean4export/sample_lines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <random>

namespace leanhost::module::lean4export {
namespace {

using test::SampleLine;
using testing::ElementsAre;
using testing::HasSubstr;
using Json = nlohmann::ordered_json;

std::vector<std::string> calls_of(const std::vector<SampleLine>& lines) {
    std::vector<std::string> calls;
    for (const SampleLine& line : lines)
        calls.push_back(line.call);
    return calls;
}

void expect_read(const std::vector<SampleLine>& lines, const test::Reading& reading) {
    ASSERT_FALSE(reading.error) << reading.error->message();
    EXPECT_EQ(reading.calls, calls_of(lines));
    EXPECT_EQ(reading.facts.lines, lines.size());
}

TEST(LineKinds, Format31SaysWhatItsLinesSay) {
    const test::Reading reading = test::read_calls_of(text_of(test::lines_of_3_1()));
    expect_read(test::lines_of_3_1(), reading);
    EXPECT_EQ(reading.facts.lines_with_plain_id, 0U);
    EXPECT_EQ(reading.facts.bytes, text_of(test::lines_of_3_1()).size());
    EXPECT_GT(reading.facts.fast_lines, 20U);
}

TEST(LineKinds, Format30SaysWhatItsLinesSay) {
    expect_read(test::lines_of_3_0(), test::read_calls_of(text_of(test::lines_of_3_0())));
}

TEST(LineKinds, FormatsBefore30SayWhatTheirLinesSay) {
    const test::Reading reading = test::read_calls_of(text_of(test::lines_before_3_0()));
    expect_read(test::lines_before_3_0(), reading);
    EXPECT_EQ(reading.facts.lines_with_plain_id, 16U);
    EXPECT_EQ(reading.facts.fast_lines, 0U);
}

// The same value with the members of every object in another order.
Json shuffled(const Json& value, std::mt19937& random) {
    if (value.is_array()) {
        Json result = Json::array();
        for (const Json& element : value)
            result.push_back(shuffled(element, random));
        return result;
    }
    if (!value.is_object())
        return value;
    std::vector<std::string> keys;
    for (const auto& [key, member] : value.items())
        keys.push_back(key);
    std::shuffle(keys.begin(), keys.end(), random);
    Json result = Json::object();
    for (const std::string& key : keys)
        result[key] = shuffled(value[key], random);
    return result;
}

TEST(LineKinds, TheOrderOfKeysMeansNothing) {
    std::mt19937 random(1); // NOLINT(cert-msc51-cpp): the same orders in every run
    for (const SampleLine& sample : test::all_sample_lines()) {
        const Json value = Json::parse(sample.line);
        for (int i = 0; i < 20; ++i) {
            const std::string line = shuffled(value, random).dump();
            const test::Reading reading = test::read_calls_of(line + "\n");
            ASSERT_FALSE(reading.error) << line << "\n" << reading.error->message();
            EXPECT_THAT(reading.calls, ElementsAre(sample.call)) << line;
        }
    }
}

// Blanks of all kinds wherever JSON allows them.
std::string spread(const Json& value, const std::string& blank) {
    if (value.is_array() || value.is_object()) {
        std::string text = value.is_array() ? "[" : "{";
        bool is_first = true;
        for (const auto& [key, member] : value.items()) {
            text += (is_first ? "" : ",") + blank;
            if (value.is_object())
                text += Json(key).dump() + blank + ":" + blank;
            text += spread(member, blank) + blank;
            is_first = false;
        }
        return text + blank + (value.is_array() ? "]" : "}");
    }
    return value.dump();
}

TEST(LineKinds, BlanksBetweenTokensMeanNothing) {
    for (const SampleLine& sample : test::all_sample_lines()) {
        for (const std::string blank : {" ", "\t", "\r", "  \t\r"}) {
            const std::string line = blank + spread(Json::parse(sample.line), blank) + blank;
            const test::Reading reading = test::read_calls_of(line + "\n");
            ASSERT_FALSE(reading.error) << line << "\n" << reading.error->message();
            EXPECT_THAT(reading.calls, ElementsAre(sample.call)) << line;
        }
    }
}

TEST(LineKinds, EscapesInNamesAndStringsAreUndone) {
    const auto string_of = [](const std::string& text) {
        const test::Reading reading =
            test::read_calls_of("{\"ie\":1,\"strVal\":\"" + text + "\"}\n");
        if (reading.error)
            return "refused: " + reading.error->message();
        return reading.calls.at(0);
    };
    using namespace std::string_literals;
    EXPECT_EQ(string_of(R"(\u0041\u00e9\u4e2d)"), "string 1: \"Aé中\"");
    EXPECT_EQ(string_of(R"(\ud83d\ude00)"), "string 1: \"😀\"");
    EXPECT_EQ(string_of(R"(\uD83D\uDE00!)"), "string 1: \"😀!\"");
    EXPECT_EQ(string_of(R"(\n\r\t\b\f\/\\\")"), "string 1: \"\n\r\t\b\f/\\\"\"");
    EXPECT_EQ(string_of(R"(a\u0000b)"), "string 1: \"a\0b\""s);
    EXPECT_EQ(string_of(R"(\\u0041)"), "string 1: \"\\u0041\"");
    EXPECT_THAT(string_of(R"(\ud83d)"), HasSubstr("refused: "));
    EXPECT_THAT(string_of(R"(\ud83dx)"), HasSubstr("refused: "));
    EXPECT_THAT(string_of(R"(\ude00)"), HasSubstr("refused: "));
    EXPECT_THAT(string_of(R"(\u00g0)"), HasSubstr("refused: "));
    EXPECT_THAT(string_of(R"(\x)"), HasSubstr("refused: "));

    const test::Reading name =
        test::read_calls_of(R"({"in":1,"str":{"pre":0,"str":"\u0041\u0000\n\ud83d\ude00"}})"
                            "\n");
    EXPECT_THAT(name.calls, ElementsAre("str 1: 0 \"A\0\n😀\""s));
    EXPECT_EQ(name.facts.fast_lines, 0U);
}

TEST(LineKinds, LineEndsOfWindowsAndBlankLinesMeanNothing) {
    std::string text = "\r\n\n  \t\r\n";
    for (const SampleLine& sample : test::lines_of_3_1())
        text += sample.line + "\r\n\r\n\n \n";
    expect_read(test::lines_of_3_1(), test::read_calls_of(text));
}

TEST(LineKinds, TheLastLineNeedsNoNewline) {
    for (const SampleLine& sample : test::all_sample_lines()) {
        const test::Reading reading = test::read_calls_of(sample.line);
        ASSERT_FALSE(reading.error) << sample.line << "\n" << reading.error->message();
        EXPECT_THAT(reading.calls, ElementsAre(sample.call));
        EXPECT_EQ(reading.facts.bytes, sample.line.size());
    }
}

TEST(LineKinds, MetadataMayBeAbsentOrPartial) {
    EXPECT_THAT(test::read_calls_of(R"({"meta":{}})").calls,
                ElementsAre("meta exporter= format= lean= githash="));
    EXPECT_THAT(test::read_calls_of(R"({"meta":{"lean":{"version":"4"},"other":[{}]}})").calls,
                ElementsAre("meta exporter= format= lean=4 githash="));
    EXPECT_FALSE(test::read_calls_of(R"({"il":1,"succ":0})").error);
}

TEST(LineKinds, NumbersMayBeAsGreatAs64Bits) {
    const test::Reading reading = test::read_calls_of(
        R"({"app":{"arg":18446744073709551615,"fn":9999999999999999999},"ie":18446744073709551614})"
        "\n"
        R"({"in":9223372036854775808,"num":{"i":18446744073709551615,"pre":0}})"
        "\n");
    EXPECT_THAT(reading.calls,
                ElementsAre("app 18446744073709551614: 9999999999999999999 18446744073709551615",
                            "num 9223372036854775808: 0 18446744073709551615"));
}

} // namespace
} // namespace leanhost::module::lean4export
