#pragma once

#include "support/temp_dir.hpp"
#include "support/test_data.hpp"

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

namespace leanhost::test {

/// The rows of stats.tsv by column, those of NDJSON exports only. Fields are text.
inline std::vector<std::vector<std::string>> export_rows(std::vector<std::string>& columns) {
    const auto fields_of = [](const std::string& line) {
        std::vector<std::string> fields;
        std::size_t begin = 0;
        for (std::size_t end = 0; end != std::string::npos; begin = end + 1) {
            end = line.find('\t', begin);
            fields.push_back(line.substr(begin, end == std::string::npos ? end : end - begin));
        }
        return fields;
    };
    std::ifstream in(test_data("stats.tsv"));
    std::string line;
    std::getline(in, line);
    columns = fields_of(line);
    std::vector<std::vector<std::string>> rows;
    while (std::getline(in, line)) {
        auto fields = fields_of(line);
        if (fields.size() > 2 && fields[2] == "ndjson")
            rows.push_back(std::move(fields));
    }
    return rows;
}

/// The exports that stats.tsv lists, and the packed one.
inline std::vector<std::filesystem::path> real_exports() {
    std::vector<std::string> columns;
    std::vector<std::filesystem::path> paths{test_data("large/init-2021.ndjson.zst")};
    for (const auto& row : export_rows(columns))
        paths.push_back(test_data(row[0]));
    return paths;
}

} // namespace leanhost::test
