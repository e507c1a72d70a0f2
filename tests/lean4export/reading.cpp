#include "lean4export/reading.hpp"

#include "base/failure.hpp"
#include "module/lean4export/fast_line.hpp"
#include "module/lean4export/json_line.hpp"
#include "support/temp_dir.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

namespace leanhost::test {

using namespace module::lean4export;

Reading read_calls(const std::filesystem::path& path) {
    Reading reading;
    RecordingSink sink;
    Monitor monitor;
    try {
        reading.facts = read_export(path, sink, monitor);
    } catch (const Failure& failure) {
        reading.error = failure.error();
    }
    reading.calls = std::move(sink.calls);
    return reading;
}

Reading read_calls_of(std::string_view bytes) {
    const TempDir folder;
    return read_calls(folder.write("export.ndjson", bytes));
}

TableReading read_table(const std::filesystem::path& path) {
    TableReading reading;
    reading.table = std::make_unique<ExportTable>();
    Monitor monitor;
    try {
        reading.facts = read_export(path, *reading.table, monitor);
    } catch (const Failure& failure) {
        reading.error = failure.error();
    }
    return reading;
}

TableReading read_table_of(std::string_view bytes) {
    const TempDir folder;
    return read_table(folder.write("export.ndjson", bytes));
}

std::unique_ptr<ExportTable> table_of(std::string_view bytes) {
    TableReading reading = read_table_of(bytes);
    if (reading.error)
        throw Failure(*reading.error);
    return std::move(reading.table);
}

LineReading take_as_json(std::string_view line, std::string_view behind) {
    std::vector<char> block(line.size() + LineReader::padding_bytes);
    std::copy(line.begin(), line.end(), block.begin());
    std::copy_n(behind.begin(), std::min(behind.size(), LineReader::padding_bytes),
                block.begin() + static_cast<std::ptrdiff_t>(line.size()));
    LineReading reading;
    RecordingSink sink;
    JsonLineParser parser;
    try {
        reading.has_plain_id = parser.take({block.data(), line.size()}, sink);
        reading.is_taken = true;
    } catch (const BadLine& bad) {
        reading.bad = bad;
    }
    reading.calls = std::move(sink.calls);
    return reading;
}

LineReading take_fast(std::string_view line) {
    // Eight bytes behind the line can be read, and no more; what they are must not matter.
    constexpr std::size_t readable_bytes = 8;
    std::vector<char> block(line.size() + readable_bytes, '9');
    std::copy(line.begin(), line.end(), block.begin());
    LineReading reading;
    RecordingSink sink;
    std::vector<Id> levels;
    reading.is_taken = take_fast_line({block.data(), line.size()}, sink, levels);
    reading.calls = std::move(sink.calls);
    return reading;
}

std::string place_of(const Error& error) {
    const auto* const file = error.find_fact("file");
    const auto* const line = error.find_fact("line");
    const auto* const column = error.find_fact("column");
    if (file == nullptr || line == nullptr || column == nullptr)
        return {};
    const std::string name = std::get<std::string>(*file);
    const std::string place =
        fmt::format("{}:{}", std::get<std::uint64_t>(*line), std::get<std::uint64_t>(*column));
    EXPECT_EQ(error.message().rfind(name + ":" + place + ": ", 0), 0U) << error.message();
    return std::filesystem::path(name).filename().string() + ":" + place;
}

std::size_t TextSource::read(char* to, std::size_t size) {
    const std::size_t n = std::min({size, piece_bytes_, text_.size() - at_});
    std::memcpy(to, text_.data() + at_, n);
    at_ += n;
    return n;
}

} // namespace leanhost::test
