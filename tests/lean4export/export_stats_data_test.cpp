#include "lean4export/reading.hpp"
#include "lean4export/real_exports.hpp"
#include "module/lean4export/export_stats.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace leanhost::module::lean4export {
namespace {

using object::ConstantKind;
using Json = nlohmann::json;

// One row of stats.tsv, a value for each column that exports have.
std::map<std::string, std::string> columns_of(const ExportStats& stats) {
    const auto text = [](std::uint64_t number) { return std::to_string(number); };
    const auto constants = [&](ConstantKind kind) {
        return text(stats.constants_by_kind[static_cast<std::size_t>(kind)]);
    };
    const auto terms = [&](TermKind kind) {
        return stats.terms_by_kind[static_cast<std::size_t>(kind)];
    };
    return {{"format", "ndjson"},
            {"lean", stats.meta.lean_version},
            {"githash", stats.meta.lean_githash},
            {"constants", text(stats.constants)},
            {"axiom", constants(ConstantKind::axiom)},
            {"def", constants(ConstantKind::definition)},
            {"thm", constants(ConstantKind::theorem)},
            {"opaque", constants(ConstantKind::opaque)},
            {"quot", constants(ConstantKind::quotient)},
            {"induct", constants(ConstantKind::inductive)},
            {"ctor", constants(ConstantKind::constructor)},
            {"rec", constants(ConstantKind::recursor)},
            {"names", text(stats.names)},
            {"levels", text(stats.levels)},
            {"exprs", text(stats.terms)},
            {"bvar", text(terms(TermKind::bvar))},
            {"sort", text(terms(TermKind::sort))},
            {"const", text(terms(TermKind::constant))},
            {"app", text(terms(TermKind::app))},
            {"lam", text(terms(TermKind::lam))},
            {"forallE", text(terms(TermKind::forall_e))},
            {"letE", text(terms(TermKind::let_e))},
            {"lit", text(terms(TermKind::nat_literal) + terms(TermKind::string_literal))},
            {"mdata", text(terms(TermKind::mdata))},
            {"proj", text(terms(TermKind::proj))}};
}

Json extra_of(const ExportStats& stats) {
    const auto text_or_null = [](const std::string& text) {
        return text.empty() ? Json() : Json(text);
    };
    const auto greatest = [](std::optional<Id> id) { return id ? Json(*id) : Json(-1); };
    const auto levels = [&](LevelKind kind) {
        return stats.levels_by_kind[static_cast<std::size_t>(kind)];
    };
    const auto terms = [&](TermKind kind) {
        return stats.terms_by_kind[static_cast<std::size_t>(kind)];
    };
    return {{"exporter", text_or_null(stats.meta.exporter_version)},
            {"fmtVersion", text_or_null(stats.meta.format_version)},
            {"bytes", stats.read.bytes},
            {"lines", stats.read.lines},
            {"name.str", stats.names - stats.numeric_names},
            {"name.num", stats.numeric_names},
            {"level.succ", levels(LevelKind::succ)},
            {"level.max", levels(LevelKind::max)},
            {"level.imax", levels(LevelKind::imax)},
            {"level.param", levels(LevelKind::param)},
            {"expr.natVal", terms(TermKind::nat_literal)},
            {"expr.strVal", terms(TermKind::string_literal)},
            {"d.inductive", stats.inductive_blocks},
            {"d.rules", stats.recursor_rules},
            {"decls", stats.declarations},
            {"max_in", greatest(stats.greatest_name_id)},
            {"max_il", greatest(stats.greatest_level_id)},
            {"max_ie", greatest(stats.greatest_term_id)}};
}

// The table was made by another program in another language.
TEST(ExportStatsData, AgreeWithTheTableOfTheTestData) {
    LEANHOST_NEEDS_DATA("stats.tsv");
    std::vector<std::string> columns;
    const auto rows = test::export_rows(columns);
    EXPECT_EQ(rows.size(), 112U);
    std::size_t compared = 0;
    for (const auto& row : rows) {
        ASSERT_EQ(row.size(), columns.size()) << row[0];
        const test::TableReading reading = test::read_table(test::test_data(row[0]));
        ASSERT_FALSE(reading.error) << reading.error->message();
        const ExportStats stats = export_stats_of(*reading.table, reading.facts);
        auto found = columns_of(stats);
        for (std::size_t i = 0; i < columns.size(); ++i) {
            if (columns[i] == "extra") {
                EXPECT_EQ(Json::parse(row[i]), extra_of(stats)) << row[0];
                ++compared;
            } else if (found.count(columns[i]) == 1) {
                const std::string expected =
                    row[i] == "-" || row[i] == "null" ? std::string() : row[i];
                EXPECT_EQ(expected, found[columns[i]]) << row[0] << " " << columns[i];
                ++compared;
            }
        }
    }
    EXPECT_EQ(compared, rows.size() * 26) << "the columns have other names";
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
