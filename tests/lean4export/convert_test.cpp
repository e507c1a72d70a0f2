#include "base/failure.hpp"
#include "lean4export/converted.hpp"
#include "lean4export/reading.hpp"
#include "lean4export/sample_lines.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

namespace leanhost::module::lean4export {
namespace {

using testing::HasSubstr;

void expect_converts(const std::string& text) {
    const auto table = test::table_of(text);
    for (const std::uint64_t constants_per_module : {1ULL, 3ULL, 1'000'000'000ULL}) {
        const test::Converted converted(*table, constants_per_module);
        test::expect_round_trip(*table, converted);
    }
}

TEST(Convert, ModulesHoldEveryKindOfConstantAndTerm) {
    expect_converts(text_of(test::lines_of_3_1()));
}

TEST(Convert, TheDefinitionsOfABlockStayInOneModule) {
    std::string text = text_of(test::lines_of_3_1());
    text = text.substr(0, text.find("{\"axiom\""));
    for (int name = 6; name <= 10; ++name)
        text += fmt::format("{{\"in\":{},\"num\":{{\"i\":{},\"pre\":1}}}}\n", name, name);
    for (const test::SampleLine& sample : test::lines_of_3_0()) {
        if (sample.line.find("\"name\":8") == std::string::npos &&
            sample.line.find("inductive") == std::string::npos)
            text += sample.line + "\n";
    }
    expect_converts(text);
    const auto table = test::table_of(text);
    const test::Converted converted(*table, 1);
    EXPECT_EQ(converted.report().constants, 4U);
    EXPECT_EQ(converted.report().modules, 4U) << "the block of two, two alone, the root module";
}

// A constant c1, c2, … each; `types` gives its type's id.
std::string axioms(int count, int first_name, const std::function<int(int)>& type) {
    std::string text;
    for (int i = 0; i < count; ++i) {
        text +=
            fmt::format("{{\"in\":{},\"str\":{{\"pre\":0,\"str\":\"c{}\"}}}}\n", first_name + i, i);
        text += fmt::format(
            "{{\"axiom\":{{\"isUnsafe\":false,\"levelParams\":[],\"name\":{},\"type\":{}}}}}\n",
            first_name + i, type(i));
    }
    return text;
}

TEST(Convert, AModuleImportsThoseWhoseConstantsItMentions) {
    // c0 : Sort 0; c1 : c0; c2 : Sort 0; c3 : c1 c2.
    const std::string text = R"({"in":1,"str":{"pre":0,"str":"c0"}}
{"ie":0,"sort":0}
{"axiom":{"isUnsafe":false,"levelParams":[],"name":1,"type":0}}
{"in":2,"str":{"pre":0,"str":"c1"}}
{"const":{"name":1,"us":[]},"ie":1}
{"axiom":{"isUnsafe":false,"levelParams":[],"name":2,"type":1}}
{"in":3,"str":{"pre":0,"str":"c2"}}
{"axiom":{"isUnsafe":false,"levelParams":[],"name":3,"type":0}}
{"in":4,"str":{"pre":0,"str":"c3"}}
{"const":{"name":2,"us":[]},"ie":2}
{"const":{"name":3,"us":[]},"ie":3}
{"app":{"arg":3,"fn":2},"ie":4}
{"axiom":{"isUnsafe":false,"levelParams":[],"name":4,"type":4}}
)";
    const auto table = test::table_of(text);
    const test::Converted converted(*table, 1);
    test::expect_round_trip(*table, converted);
    test::expect_imports_cover_mentions(converted);
    std::map<std::string, std::vector<std::string>> imports;
    for (const ClosureModule& m : converted.closure().modules()) {
        for (const std::uint32_t import : m.imports)
            imports[m.text].push_back(converted.closure().modules()[import].text);
    }
    using Modules = std::vector<std::string>;
    const std::string part = "Converted.All.Part000";
    EXPECT_EQ(imports[part + "1"], Modules{});
    EXPECT_EQ(imports[part + "2"], Modules{part + "1"});
    EXPECT_EQ(imports[part + "3"], Modules{});
    EXPECT_EQ(imports[part + "4"], (Modules{part + "2", part + "3"}));
    EXPECT_EQ(imports["Converted.All"].size(), 4U);
    EXPECT_EQ(converted.report().unknown_constants, 0U);
}

TEST(Convert, AConstantIsKnownByItsTextNotByItsId) {
    const std::string text = R"({"in":1,"str":{"pre":0,"str":"c0"}}
{"in":2,"str":{"pre":0,"str":"c1"}}
{"in":7,"str":{"pre":0,"str":"c0"}}
{"ie":0,"sort":0}
{"const":{"name":7,"us":[]},"ie":1}
{"axiom":{"isUnsafe":false,"levelParams":[],"name":1,"type":0}}
{"axiom":{"isUnsafe":false,"levelParams":[],"name":2,"type":1}}
)";
    const auto table = test::table_of(text);
    const test::Converted converted(*table, 1);
    EXPECT_EQ(converted.report().unknown_constants, 0U);
    test::expect_round_trip(*table, converted);
    test::expect_imports_cover_mentions(converted);

    const auto twice = test::table_of(
        text + "{\"axiom\":{\"isUnsafe\":false,\"levelParams\":[],\"name\":7,\"type\":0}}\n");
    for (const std::uint64_t constants_per_module : {1ULL, 500ULL}) {
        const auto error = test::conversion_error(*twice, constants_per_module);
        ASSERT_TRUE(error);
        EXPECT_EQ(error->code(), ErrorCode::invalid_input);
        EXPECT_EQ(error->message(), "the export declares c0 twice");
        EXPECT_EQ(std::get<std::string>(*error->find_fact("constant")), "c0");
    }
}

TEST(Convert, AConstantDeclaredTwiceIsRefusedByName) {
    const std::string text = text_of(test::lines_of_3_1());
    for (const test::SampleLine& sample : test::lines_of_3_1()) {
        const bool is_declaration =
            sample.call.rfind("declaration", 0) == 0 || sample.call.rfind("block", 0) == 0;
        if (!is_declaration)
            continue;
        const auto error = test::conversion_error(*test::table_of(text + sample.line + "\n"));
        ASSERT_TRUE(error) << sample.line;
        EXPECT_EQ(error->code(), ErrorCode::invalid_input);
        EXPECT_THAT(error->message(), HasSubstr("twice"));
    }
}

TEST(Convert, NamesThatLookAlikeStayApart) {
    expect_converts(R"({"in":1,"str":{"pre":0,"str":"a.b"}}
{"in":2,"str":{"pre":0,"str":"a"}}
{"in":3,"str":{"pre":2,"str":"b"}}
{"in":4,"str":{"pre":2,"str":"1"}}
{"in":5,"num":{"i":1,"pre":2}}
{"in":6,"str":{"pre":2,"str":""}}
{"in":7,"str":{"pre":2,"str":"b\u0000"}}
{"in":8,"num":{"i":18446744073709551615,"pre":0}}
{"in":9,"str":{"pre":0,"str":"😀\n"}}
{"ie":0,"sort":0}
{"axiom":{"isUnsafe":false,"levelParams":[],"name":1,"type":0}}
{"axiom":{"isUnsafe":false,"levelParams":[],"name":2,"type":0}}
{"axiom":{"isUnsafe":false,"levelParams":[],"name":3,"type":0}}
{"axiom":{"isUnsafe":false,"levelParams":[],"name":4,"type":0}}
{"axiom":{"isUnsafe":false,"levelParams":[],"name":5,"type":0}}
{"axiom":{"isUnsafe":false,"levelParams":[],"name":6,"type":0}}
{"axiom":{"isUnsafe":false,"levelParams":[],"name":7,"type":0}}
{"axiom":{"isUnsafe":false,"levelParams":[],"name":8,"type":0}}
{"axiom":{"isUnsafe":false,"levelParams":[],"name":9,"type":0}}
)");
}

TEST(Convert, CountsConstantsThatNothingDeclares) {
    const auto table = test::table_of(R"({"in":1,"str":{"pre":0,"str":"c0"}}
{"in":2,"str":{"pre":0,"str":"later"}}
{"in":3,"str":{"pre":0,"str":"S"}}
{"const":{"name":2,"us":[]},"ie":0}
{"ie":1,"proj":{"idx":0,"struct":0,"typeName":3}}
{"axiom":{"isUnsafe":false,"levelParams":[],"name":1,"type":1}}
{"ie":2,"sort":0}
{"axiom":{"isUnsafe":false,"levelParams":[],"name":2,"type":2}}
)");
    const test::Converted apart(*table, 1);
    EXPECT_EQ(apart.report().unknown_constants, 2U);
    EXPECT_EQ(apart.report().first_unknown_constant, "S");
    test::expect_round_trip(*table, apart);
    const test::Converted together(*table, 500);
    EXPECT_EQ(together.report().unknown_constants, 1U) << "its own module has it";
}

TEST(Convert, LiteralsOfAllSizesKeepTheirValue) {
    std::string text;
    int id = 0;
    for (const char* digits : {"0", "1", "4294967295", "999999999999999999", "1000000000000000000",
                               "9223372036854775807", "9223372036854775808", "18446744073709551615",
                               "18446744073709551616", "340282366920938463463374607431768211455",
                               "340282366920938463463374607431768211456"})
        text += fmt::format("{{\"ie\":{},\"natVal\":\"{}\"}}\n", id++, digits);
    text += fmt::format("{{\"ie\":{},\"natVal\":\"{}\"}}\n", id++, std::string(1'000'000, '7'));
    for (const char* string : {"", "a", R"(\u0000)", R"(a\u0000b)", "αβγ", R"(\ud83d\ude00)"})
        text += fmt::format("{{\"ie\":{},\"strVal\":\"{}\"}}\n", id++, string);
    text += fmt::format("{{\"ie\":{},\"strVal\":\"{}\"}}\n", id++, std::string(1'000'000, 's'));
    expect_converts(text + axioms(id, 1, [](int i) { return i; }));
}

TEST(Convert, ANumberOfTheMostDigitsThatAreReadCanBeMade) {
    constexpr std::size_t most_digits = (std::size_t{16} << 20) / 5 * 12;
    const auto table = test::table_of("{\"ie\":0,\"natVal\":\"" + std::string(most_digits, '9') +
                                      "\"}\n" + axioms(1, 1, [](int) { return 0; }));
    const auto error = test::conversion_error(*table);
    EXPECT_FALSE(error) << error->message();
}

// A count is a number in the word itself, which has 63 bits.
TEST(Convert, CountsOf63BitsAreKeptAndGreaterOnesRefused) {
    const auto with_count = [](const std::string& count) {
        std::string text = R"({"in":1,"str":{"pre":0,"str":"T"}}
{"in":2,"str":{"pre":1,"str":"mk"}}
{"in":3,"str":{"pre":1,"str":"rec"}}
{"ie":0,"sort":0}
{"inductInfo":{"all":[1,0],"ctors":[2,2,2],"isRec":false,"isReflexive":true,"isUnsafe":true,"levelParams":[],"name":1,"numIndices":COUNT,"numNested":4,"numParams":3,"type":0}}
{"ctorInfo":{"cidx":COUNT,"induct":1,"isUnsafe":true,"levelParams":[],"name":2,"numFields":2,"numParams":1,"type":0}}
{"recInfo":{"all":[],"isUnsafe":true,"k":false,"levelParams":[],"name":3,"numIndices":1,"numMinors":2,"numMotives":3,"numParams":COUNT,"rules":[{"ctor":2,"nfields":COUNT,"rhs":0},{"ctor":2,"nfields":0,"rhs":0}],"type":0}}
)";
        for (std::size_t at = 0; (at = text.find("COUNT")) != std::string::npos;)
            text.replace(at, 5, count);
        return text;
    };
    expect_converts(with_count("9223372036854775807"));
    const auto error = test::conversion_error(*test::table_of(with_count("9223372036854775808")));
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), ErrorCode::invalid_input);
    EXPECT_THAT(error->message(), HasSubstr("9223372036854775808: expected less than 2^63"));
}

// Term 0 is a sort, 1 a bound variable; each later one holds the one before.
std::string deep_text(const std::function<std::string(int)>& line, int depth) {
    std::string text = "{\"in\":900000000,\"str\":{\"pre\":0,\"str\":\"x\"}}\n"
                       "{\"ie\":0,\"sort\":0}\n{\"bvar\":0,\"ie\":1}\n";
    for (int id = 2; id < depth + 2; ++id)
        text += line(id);
    return text + axioms(1, 1, [&](int) { return depth + 1; });
}

TEST(Convert, ATermOfDepthAMillionNeedsNoDeepStack) {
    const std::function<std::string(int)> shapes[] = {
        [](int id) {
            return fmt::format("{{\"app\":{{\"arg\":0,\"fn\":{}}},\"ie\":{}}}\n", id - 1, id);
        },
        [](int id) {
            return fmt::format("{{\"ie\":{},\"lam\":{{\"binderInfo\":\"default\",\"body\":{},"
                               "\"name\":900000000,\"type\":0}}}}\n",
                               id, id - 1);
        },
        [](int id) {
            return fmt::format("{{\"forallE\":{{\"binderInfo\":\"default\",\"body\":0,"
                               "\"name\":900000000,\"type\":{}}},\"ie\":{}}}\n",
                               id - 1, id);
        },
        [](int id) {
            return fmt::format("{{\"ie\":{},\"letE\":{{\"body\":{},\"name\":900000000,"
                               "\"nondep\":false,\"type\":0,\"value\":0}}}}\n",
                               id, id - 1);
        },
        [](int id) {
            return fmt::format("{{\"ie\":{},\"proj\":{{\"idx\":0,\"struct\":{},"
                               "\"typeName\":900000000}}}}\n",
                               id, id - 1);
        },
    };
    // The first a million deep; 200,000 would overflow a stack as well, and take less time.
    int depth = 1'000'000;
    for (const auto& shape : shapes) {
        const auto table = test::table_of(deep_text(shape, std::exchange(depth, 200'000)));
        const test::Converted converted(*table);
        test::expect_round_trip(*table, converted);
    }
}

TEST(Convert, ALevelOfDepthAHundredThousandNeedsNoDeepStack) {
    std::string text;
    for (int id = 1; id <= 100'000; ++id)
        text += fmt::format("{{\"il\":{},\"succ\":{}}}\n", id, id - 1);
    text += "{\"ie\":0,\"sort\":100000}\n";
    const auto table = test::table_of(text + axioms(1, 1, [](int) { return 0; }));
    const test::Converted converted(*table);
    test::expect_round_trip(*table, converted);
}

TEST(Convert, ABoundVariableThatATermCannotHoldIsRefused) {
    const auto error = test::conversion_error(
        *test::table_of("{\"bvar\":1048575,\"ie\":0}\n" + axioms(1, 1, [](int) { return 0; })));
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), ErrorCode::invalid_input);
    EXPECT_THAT(error->message(), HasSubstr("bound variable 1048575"));
    EXPECT_FALSE(test::conversion_error(
        *test::table_of("{\"bvar\":1048574,\"ie\":0}\n" + axioms(1, 1, [](int) { return 0; }))));
}

TEST(Convert, TheSameExportGivesTheSameBytes) {
    const auto table = test::table_of(text_of(test::lines_of_3_1()));
    const auto again = test::table_of(text_of(test::lines_of_3_1()));
    const test::Converted first(*table, 2);
    const test::Converted second(*again, 2);
    EXPECT_GT(first.files().size(), 4U);
    EXPECT_TRUE(first.files() == second.files());
}

TEST(Convert, AnExportWithoutConstantsIsAnEmptyModule) {
    const auto table = test::table_of("{\"meta\":{}}\n");
    const test::Converted converted(*table);
    EXPECT_EQ(converted.report().modules, 1U);
    EXPECT_EQ(converted.closure().num_constants(), 0U);
}

TEST(Convert, LongVersionsAreCutToTheHeader) {
    const std::string version(100, 'v');
    const auto table = test::table_of("{\"meta\":{\"lean\":{\"version\":\"" + version +
                                      "\",\"githash\":\"" + version + "\"}}}\n");
    EXPECT_NO_THROW(test::Converted{*table});
}

TEST(Convert, NeedsARootModuleAndAConstantAModule) {
    const auto table = test::table_of(text_of(test::lines_of_3_1()));
    const test::TempDir folder;
    Monitor monitor;
    for (const ConvertOptions& options : {ConvertOptions{folder.path(), Name(), 500},
                                          ConvertOptions{folder.path(), Name("A"), 0}}) {
        try {
            convert_export(*table, options, monitor);
            ADD_FAILURE() << "converted";
        } catch (const Failure& failure) {
            EXPECT_EQ(failure.error().code(), ErrorCode::invalid_argument);
        }
    }
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Convert, SaysWhereItCannotWrite) {
    const auto table = test::table_of(text_of(test::lines_of_3_1()));
    const test::TempDir folder;
    const auto file = folder.write("file", "");
    Monitor monitor;
    try {
        convert_export(*table, {file, Name("A.B"), 500}, monitor);
        FAIL() << "converted";
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.error().code(), ErrorCode::io);
        EXPECT_THAT(failure.error().message(), HasSubstr(file.string()));
    }
}

TEST(Convert, EndsWhenItIsCancelled) {
    const auto table = test::table_of(text_of(test::lines_of_3_1()));
    const test::TempDir folder;
    CancellationSource source;
    source.cancel();
    Monitor monitor({}, source.token());
    try {
        convert_export(*table, {folder.path(), Name("A"), 500}, monitor);
        FAIL() << "not cancelled";
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.error().code(), ErrorCode::cancelled);
    }
}

} // namespace
} // namespace leanhost::module::lean4export
