// Input that is meant to hurt: much of one thing.
#include "lean4export/reading.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leanhost::module::lean4export {
namespace {

using testing::HasSubstr;

std::string refusal(const std::string& text) {
    const test::TableReading reading = test::read_table_of(text);
    if (!reading.error)
        return "accepted";
    EXPECT_EQ(reading.error->code(), ErrorCode::invalid_input);
    EXPECT_LE(reading.error->message().size(), Error::max_message_bytes);
    return reading.error->message();
}

std::string number_line(std::size_t digits) {
    return "{\"ie\":1,\"natVal\":\"" + std::string(digits, '7') + "\"}\n";
}

TEST(HostileInput, ANumberOfAMillionDigitsIsTaken) {
    const auto table = test::table_of(number_line(1'000'000));
    EXPECT_EQ(table->text(table->terms()[0]).size(), 1'000'000U);
}

TEST(HostileInput, ANumberOf50MillionDigitsIsRefused) {
    EXPECT_THAT(
        refusal(number_line(50'000'000)),
        HasSubstr("export.ndjson:1:18: a number of 50000000 digits; at most 16 MiB are read"));
}

std::string name_line(std::size_t bytes) {
    return "{\"in\":1,\"str\":{\"pre\":0,\"str\":\"" + std::string(bytes, 'n') + "\"}}\n";
}

TEST(HostileInput, ANameOfAMegabyteIsRefused) {
    EXPECT_EQ(refusal(name_line(16'000)), "accepted");
    EXPECT_THAT(refusal(name_line(std::size_t{1} << 20)),
                HasSubstr("a name of more than 1024 components or 16384 bytes"));
    // By the JSON path, too.
    EXPECT_THAT(refusal("{ " + name_line(std::size_t{1} << 20).substr(1)),
                HasSubstr("a name of more than 1024 components or 16384 bytes"));
}

TEST(HostileInput, ANameOfManyLongComponentsIsRefused) {
    std::string text;
    for (int i = 1; i <= 17; ++i)
        text += fmt::format("{{\"in\":{},\"str\":{{\"pre\":{},\"str\":\"{}\"}}}}\n", i, i - 1,
                            std::string(1000, 'x'));
    EXPECT_THAT(refusal(text), HasSubstr("export.ndjson:17:"));
}

std::string name_of_components(int count, bool are_numbers) {
    std::string text;
    for (int i = 1; i <= count; ++i) {
        text += are_numbers
                    ? fmt::format("{{\"in\":{},\"num\":{{\"i\":1,\"pre\":{}}}}}\n", i, i - 1)
                    : fmt::format("{{\"in\":{},\"str\":{{\"pre\":{},\"str\":\"a\"}}}}\n", i, i - 1);
    }
    return text;
}

TEST(HostileInput, ANameOf1025ComponentsIsRefused) {
    EXPECT_EQ(refusal(name_of_components(1024, false)), "accepted");
    EXPECT_THAT(refusal(name_of_components(1025, false)),
                HasSubstr("export.ndjson:1025:1: a name of more than 1024 components"));
    EXPECT_THAT(refusal(name_of_components(1025, true)), HasSubstr("a name of more than 1024"));
}

TEST(HostileInput, NestingOfAMillionIsRefused) {
    constexpr std::size_t depth = 1'000'000;
    std::string objects;
    for (std::size_t i = 0; i < depth; ++i)
        objects += "{\"a\":";
    const std::string arrays(depth, '[');
    for (const std::string& deep : {arrays, objects, arrays + std::string(depth, ']'),
                                    objects + "1" + std::string(depth, '}')}) {
        for (const std::string before :
             {"", "{\"meta\":", "{\"ie\":1,\"natVal\":", "{\"ie\":1,\"sort\":",
              "{\"const\":{\"name\":0,\"us\":", "{\"axiom\":{\"isUnsafe\":", "{\"def\":"}) {
            EXPECT_THAT(refusal(before + deep + "\n"), testing::Not("accepted"));
            EXPECT_THAT(refusal(before + deep + "}\n"), testing::Not("accepted"))
                << before << deep.substr(0, 10);
        }
    }
}

// What an annotation says is passed over, but it is JSON of at most 1,024 levels.
TEST(HostileInput, AnAnnotationOfAnyDepthIsRefused) {
    const auto annotated = [](std::size_t depth) {
        return refusal("{\"ie\":0,\"sort\":0}\n{\"ie\":1,\"mdata\":{\"data\":" +
                       std::string(depth, '[') + std::string(depth, ']') + ",\"expr\":0}}\n");
    };
    EXPECT_EQ(annotated(1000), "accepted");
    EXPECT_THAT(annotated(1'000'000), HasSubstr("export.ndjson:2:"));
}

TEST(HostileInput, AKeyOfAMegabyteMakesABoundedMessage) {
    const std::string key(std::size_t{1} << 20, 'k');
    EXPECT_THAT(refusal("{\"" + key + "\":1}\n"), HasSubstr("no line of an export has the key"));
    EXPECT_THAT(refusal("{\"ie\":1,\"lam\":{\"binderInfo\":\"" + key + "\"}}\n"),
                HasSubstr("no binder info is called"));
}

TEST(HostileInput, ManyLevelsAndMembersAreTaken) {
    std::string levels = "0";
    for (int i = 0; i < 200'000; ++i)
        levels += ",0";
    EXPECT_EQ(refusal("{\"const\":{\"name\":0,\"us\":[" + levels + "]},\"ie\":0}\n" +
                      "{\"axiom\":{\"isUnsafe\":false,\"levelParams\":[" + levels +
                      "],\"name\":0,\"type\":0}}\n"),
              "accepted");
}

} // namespace
} // namespace leanhost::module::lean4export
