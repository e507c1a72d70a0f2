// Most lines are taken by a path of their own. It must say what the JSON path says.
#include "lean4export/reading.hpp"
#include "lean4export/sample_lines.hpp"
#include "lean4export/two_paths.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

namespace leanhost::module::lean4export {
namespace {

TEST(TwoPaths, AgreeOnEachKindOfLine) {
    std::size_t fast = 0;
    for (const test::SampleLine& sample : test::all_sample_lines()) {
        test::expect_paths_agree(sample.line);
        fast += test::take_fast(sample.line).is_taken ? 1 : 0;
    }
    EXPECT_GE(fast, 20U);
}

TEST(TwoPaths, ABlankBehindTheBraceSendsALineToTheOther) {
    for (const test::SampleLine& sample : test::lines_of_3_1()) {
        const std::string spaced = "{ " + sample.line.substr(1);
        EXPECT_FALSE(test::take_fast(spaced).is_taken) << spaced;
        EXPECT_EQ(test::take_as_json(spaced).calls, std::vector{sample.call});
    }
}

// Numbers at the limits of 64 bits and texts of all bytes, in every place of every kind.
TEST(TwoPaths, AgreeOnGeneratedLines) {
    std::mt19937_64 random(7); // NOLINT(cert-msc51-cpp): the same lines in every run
    const auto number = [&]() -> std::string {
        switch (random() % 12) {
        case 0:
            return "18446744073709551615";
        case 1:
            return "18446744073709551616";
        case 2:
            return "9999999999999999999";
        case 3:
            return "99999999999999999999";
        case 4:
            return "00";
        case 5:
            return "01";
        case 6:
            return "-1";
        case 7:
            return "1.0";
        case 8:
            return "0";
        case 9:
            return std::to_string(random());
        default:
            return std::to_string(random() % 1000);
        }
    };
    const auto text = [&] {
        std::string result;
        for (std::size_t n = random() % 6; n > 0; --n)
            result += static_cast<char>(random() % 4 == 0 ? random() % 256 : 'a' + random() % 26);
        return result;
    };
    constexpr const char* infos[] = {"default", "implicit", "strictImplicit",  "instImplicit",
                                     "defaul",  "defaultt", "implicitDefault", ""};
    std::size_t taken = 0;
    constexpr int rounds = 20000;
    for (int i = 0; i < rounds; ++i) {
        const std::string a = number();
        const std::string b = number();
        const std::string c = number();
        const std::string d = number();
        const char* const info = infos[random() % std::size(infos)];
        std::string line;
        switch (random() % 10) {
        case 0:
            line = fmt::format(R"({{"app":{{"arg":{},"fn":{}}},"ie":{}}})", a, b, c);
            break;
        case 1:
            line = fmt::format(R"({{"bvar":{},"ie":{}}})", a, b);
            break;
        case 2:
            line = fmt::format(R"({{"const":{{"name":{},"us":[{},{}]}},"ie":{}}})", a, b, c, d);
            break;
        case 3:
            line = fmt::format(R"({{"const":{{"name":{},"us":[{}]}},"ie":{}}})", a,
                               random() % 2 == 0 ? "" : b, c);
            break;
        case 4:
            line = fmt::format(
                R"({{"forallE":{{"binderInfo":"{}","body":{},"name":{},"type":{}}},"ie":{}}})",
                info, a, b, c, d);
            break;
        case 5:
            line = fmt::format(
                R"({{"ie":{},"lam":{{"binderInfo":"{}","body":{},"name":{},"type":{}}}}})", a, info,
                b, c, d);
            break;
        case 6:
            line = fmt::format(R"({{"ie":{},"sort":{}}})", a, b);
            break;
        case 7:
            line = fmt::format(R"({{"ie":{},"proj":{{"idx":{},"struct":{},"typeName":{}}}}})", a, b,
                               c, d);
            break;
        case 8:
            line = fmt::format(R"({{"in":{},"num":{{"i":{},"pre":{}}}}})", a, b, c);
            break;
        default:
            line = fmt::format(R"({{"in":{},"str":{{"pre":{},"str":"{}"}}}})", a, b, text());
        }
        test::expect_paths_agree(line);
        taken += test::take_as_json(line).is_taken ? 1 : 0;
        if (testing::Test::HasFailure())
            return;
    }
    EXPECT_GT(taken, rounds / 10U);
    EXPECT_LT(taken, rounds * 9U / 10U);
}

// Whatever the fast path takes, the JSON path takes too and tells the same.
TEST(TwoPaths, AgreeOnLinesWithOneByteChanged) {
    for (const test::SampleLine& sample : test::lines_of_3_1()) {
        if (!test::take_fast(sample.line).is_taken)
            continue;
        for (std::size_t at = 0; at < sample.line.size(); ++at) {
            for (const char byte :
                 std::string_view("\0 \"{}[]:,0129-+.eE\\/axu\x7f\x80\xff\r", 27)) {
                std::string line = sample.line;
                line[at] = byte;
                test::expect_paths_agree(line);
            }
        }
    }
}

} // namespace
} // namespace leanhost::module::lean4export
