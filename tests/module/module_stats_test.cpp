// What `leanhost stats` says of every real module file, against the table that another decoder
// made.
#include "module/module_stats.hpp"
#include "module/object_walk.hpp"
#include "module/real_modules.hpp"
#include "support/test_data.hpp"

#include <nlohmann/json.hpp>

#include <fstream>
#include <map>
#include <sstream>

namespace leanhost::module {
namespace {

using Row = std::map<std::string, std::string>;

std::vector<std::string> split(const std::string& line) {
    std::vector<std::string> fields;
    std::istringstream in(line);
    for (std::string field; std::getline(in, field, '\t');)
        fields.push_back(field);
    return fields;
}

// The rows of module files in the table, by file.
std::map<std::string, Row> read_table(const std::filesystem::path& path) {
    std::ifstream in(path);
    std::string line;
    std::getline(in, line);
    const std::vector<std::string> columns = split(line);
    std::map<std::string, Row> rows;
    while (std::getline(in, line)) {
        const std::vector<std::string> fields = split(line);
        if (!fields.at(0).starts_with("olean/"))
            continue;
        for (std::size_t i = 0; i < columns.size(); ++i)
            rows[fields[0]][columns[i]] = fields.at(i);
    }
    return rows;
}

std::string as_table_text(const StatsValue& value) {
    if (const auto* number = std::get_if<std::uint64_t>(&value))
        return std::to_string(*number);
    if (const auto* text = std::get_if<std::string>(&value))
        return *text;
    return "-";
}

nlohmann::json as_json(const StatsValue& value) {
    return std::visit(
        [](const auto& v) -> nlohmann::json {
            if constexpr (std::is_same_v<std::decay_t<decltype(v)>, std::monostate>) {
                return nullptr;
            } else {
                return v;
            }
        },
        value);
}

// The table's decoder did not know that an object header of 2020 states its object's size: it
// counted the bytes of arrays and strings alone. Ours are checked against the file instead.
void expect_bytes_of_2020(const ModuleStats& stats, const Region::Part& part) {
    const PartImage image{part.bytes, &part.header};
    EXPECT_EQ(stats.objects.size_bytes, image.objects_end() - image.objects_begin());
}

bool is_other_in_table(const ModuleStats& stats, std::string_view column) {
    return column == "objBytes" && stats.format == "olean-v0";
}

// Returns how many values were compared.
std::size_t expect_row(const Row& row, const ModuleStats& stats) {
    std::size_t compared = 0;
    for (const StatsColumn& column : stats_columns()) {
        if (column.name == "file")
            continue; // there relative to the test data
        EXPECT_EQ(as_table_text(column.value(stats)), row.at(std::string(column.name)))
            << column.name << " of " << stats.file;
        ++compared;
    }
    const auto extra = nlohmann::json::parse(row.at("extra"));
    for (const StatsColumn& column : stats_extra_columns()) {
        if (is_other_in_table(stats, column.name))
            continue;
        // What the table leaves out is null here.
        EXPECT_EQ(as_json(column.value(stats)),
                  extra.value(std::string(column.name), nlohmann::json()))
            << column.name << " of " << stats.file;
        ++compared;
    }
    return compared;
}

TEST(ModuleStats, AgreesWithTheTableForEveryRealFile) {
    LEANHOST_NEEDS_DATA("stats.tsv");
    auto rows = read_table(test::test_data("stats.tsv"));
    const std::size_t num_rows = rows.size();
    std::size_t values = 0;
    RegionRegistry registry;
    for (const auto& files : test::find_modules(test::test_data("olean"))) {
        const RegionHandle region = registry.acquire(test::open_module(files), Trust::stable);
        for (std::size_t part = 0; part < files.size(); ++part) {
            const ModuleStats stats = module_stats_of(*region, part);
            const std::string file =
                files[part].lexically_relative(*test::test_data_root()).generic_string();
            ASSERT_TRUE(rows.count(file)) << file << " is not in the table";
            values += expect_row(rows[file], stats);
            rows.erase(file);
            if (stats.format == "olean-v0")
                expect_bytes_of_2020(stats, region->parts()[part]);
        }
    }
    EXPECT_TRUE(rows.empty()) << rows.begin()->first << " was not found";
    std::printf("compared %zu values of %zu files\n", values, num_rows);
}

TEST(ModuleStats, HasAColumnForEachOfTheTable) {
    LEANHOST_NEEDS_DATA("stats.tsv");
    const auto rows = read_table(test::test_data("stats.tsv"));
    std::map<std::string, int> known{{"sha256", 1}, {"extra", 1}};
    for (const StatsColumn& column : stats_columns())
        known[std::string(column.name)] = 1;
    std::map<std::string, int> known_extra;
    for (const StatsColumn& column : stats_extra_columns()) {
        known_extra[std::string(column.name)] = 1;
    }
    for (const auto& [file, row] : rows) {
        for (const auto& [column, value] : row)
            EXPECT_TRUE(known.count(column)) << column;
        const auto extra = nlohmann::json::parse(row.at("extra"));
        for (const auto& [key, value] : extra.items()) {
            EXPECT_TRUE(known_extra.count(key)) << key;
        }
    }
}

} // namespace
} // namespace leanhost::module
