#include "base/failure.hpp"
#include "lean4export/converted.hpp"
#include "lean4export/reading.hpp"
#include "lean4export/real_exports.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leanhost::module::lean4export {
namespace {

std::unique_ptr<ExportTable> table_at(const std::filesystem::path& path) {
    test::TableReading reading = test::read_table(path);
    if (reading.error)
        throw Failure(*reading.error);
    return std::move(reading.table);
}

class BigExport : public testing::TestWithParam<const char*> {};

TEST_P(BigExport, ConvertsWithoutLoss) {
    LEANHOST_NEEDS_DATA(GetParam());
    const auto table = table_at(test::test_data(GetParam()));
    const test::Converted converted(*table);
    test::expect_round_trip(*table, converted);
    test::expect_imports_cover_mentions(converted);
    EXPECT_EQ(converted.report().unknown_constants, 0U)
        << converted.report().first_unknown_constant;
    EXPECT_GT(converted.report().modules, 1U);
}

INSTANTIATE_TEST_SUITE_P(Real,
                         BigExport,
                         testing::Values("init-prelude.ndjson",
                                         "init-medium.ndjson",
                                         "large/init-2021.ndjson.zst"));

TEST(ConvertData, SmallExportsConvertWithoutLoss) {
    LEANHOST_NEEDS_DATA("arena/good");
    LEANHOST_NEEDS_DATA("exports/3.0.0");
    LEANHOST_NEEDS_DATA("exports/3.1.0");
    std::size_t files = 0;
    for (const char* folder : {"arena/good", "exports/3.0.0", "exports/3.1.0"}) {
        for (const auto& entry :
             std::filesystem::recursive_directory_iterator(test::test_data(folder))) {
            if (entry.path().extension() != ".ndjson")
                continue;
            SCOPED_TRACE(entry.path().string());
            const auto table = table_at(entry.path());
            const test::Converted converted(*table, 3);
            test::expect_round_trip(*table, converted);
            test::expect_imports_cover_mentions(converted);
            ++files;
        }
    }
    EXPECT_GE(files, 80U);
}

// They hold constants twice, and definitions that mention themselves: what is refused is refused
// by name, the rest converts without loss.
TEST(ConvertData, BadExportsConvertOrAreRefusedByName) {
    LEANHOST_NEEDS_DATA("arena/bad");
    std::vector<std::string> refused;
    for (const auto& entry : std::filesystem::directory_iterator(test::test_data("arena/bad"))) {
        if (entry.path().extension() != ".ndjson")
            continue;
        SCOPED_TRACE(entry.path().string());
        const auto table = table_at(entry.path());
        if (const auto error = test::conversion_error(*table, 1)) {
            EXPECT_EQ(error->code(), ErrorCode::invalid_input);
            EXPECT_THAT(error->message(), testing::HasSubstr("twice"));
            EXPECT_NE(error->find_fact("constant"), nullptr);
            refused.push_back(entry.path().stem().string());
            continue;
        }
        const test::Converted converted(*table, 1);
        test::expect_round_trip(*table, converted);
    }
    EXPECT_THAT(refused, testing::UnorderedElementsAre("120_dup_defs", "122_dup_ctor_def",
                                                       "125_dup_ctor_rec"));
}

TEST(ConvertData, AnyNumberOfConstantsAModuleGivesTheSameConstants) {
    LEANHOST_NEEDS_DATA("init-prelude.ndjson");
    const auto table = table_at(test::test_data("init-prelude.ndjson"));
    std::uint64_t modules_before = std::numeric_limits<std::uint64_t>::max();
    for (const std::uint64_t constants_per_module : {1ULL, 7ULL, 500ULL, 1'000'000'000ULL}) {
        const test::Converted converted(*table, constants_per_module);
        test::expect_round_trip(*table, converted);
        test::expect_imports_cover_mentions(converted);
        EXPECT_LT(converted.report().modules, modules_before);
        modules_before = converted.report().modules;
    }
    EXPECT_EQ(modules_before, 2U);
}

TEST(ConvertData, TheSameExportGivesTheSameBytes) {
    LEANHOST_NEEDS_DATA("init-medium.ndjson");
    const auto path = test::test_data("init-medium.ndjson");
    const test::Converted first(*table_at(path));
    const test::Converted second(*table_at(path));
    EXPECT_TRUE(first.files() == second.files());
}

} // namespace
} // namespace leanhost::module::lean4export
