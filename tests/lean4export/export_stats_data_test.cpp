#include "cli/stats_json.hpp"
#include "lean4export/reading.hpp"
#include "lean4export/real_exports.hpp"
#include "module/lean4export/export_stats.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace leanhost::module::lean4export {
namespace {

using Json = nlohmann::json;

// As the table writes it: "-" for what exports do not have.
std::string table_text(const nlohmann::ordered_json& value) {
    return value.is_null() ? "-" : value.is_string() ? value.get<std::string>() : value.dump();
}

// What `leanhost stats --json` prints, against a table that another program in another language
// made.
TEST(ExportStatsData, AgreeWithTheTableOfTheTestData) {
    LEANHOST_NEEDS_DATA("stats.tsv");
    std::vector<std::string> columns;
    const auto rows = test::export_rows(columns);
    EXPECT_EQ(rows.size(), 112U);
    for (const auto& row : rows) {
        ASSERT_EQ(row.size(), columns.size()) << row[0];
        const test::TableReading reading = test::read_table(test::test_data(row[0]));
        ASSERT_FALSE(reading.error) << reading.error->message();
        const nlohmann::ordered_json found =
            cli::to_json(row[0], export_stats_of(*reading.table, reading.facts));
        for (std::size_t i = 0; i < columns.size(); ++i) {
            const std::string& column = columns[i];
            if (column == "sha256" || column == "note")
                continue;
            ASSERT_TRUE(found.contains(column)) << column;
            if (column == "extra")
                EXPECT_EQ(Json::parse(row[i]), Json(found[column])) << row[0];
            else
                EXPECT_EQ(row[i] == "null" ? "-" : row[i], table_text(found[column]))
                    << row[0] << " " << column;
        }
    }
}

TEST(ExportStatsData, RealTextExportsAreRefusedByVersion) {
    LEANHOST_NEEDS_DATA("exports/text-2.0.0");
    for (const auto& [folder, found] :
         std::map<std::string, std::string>{{"text-0.1.2", "0.1.2"},
                                            {"text-0.4.1", "0.4.1"},
                                            {"text-2.0.0", "2.0.0"},
                                            {"text-none", "without a version line"}}) {
        for (const auto& entry :
             std::filesystem::directory_iterator(test::test_data("exports") / folder)) {
            const test::Reading reading = test::read_calls(entry.path());
            ASSERT_TRUE(reading.error) << entry.path();
            EXPECT_EQ(reading.error->code(), ErrorCode::unsupported_version);
            EXPECT_EQ(std::get<std::string>(*reading.error->find_fact("found")), found)
                << entry.path();
        }
    }
}

} // namespace
} // namespace leanhost::module::lean4export
