#include "module/lean4export/export_reader.hpp"

#include "base/failure.hpp"
#include "module/lean4export/fast_line.hpp"
#include "module/lean4export/json_line.hpp"
#include "module/lean4export/line_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace leanhost::module::lean4export {
namespace {

// Where `number` stands in the line as a whole token: what a reference that leads nowhere is known
// by.
std::optional<std::size_t> find_number(std::string_view line, Id number) {
    const std::string digits = std::to_string(number);
    const auto is_digit = [&](std::size_t at) {
        return at < line.size() && std::isdigit(static_cast<unsigned char>(line[at])) != 0;
    };
    for (std::size_t at = 0; (at = line.find(digits, at)) != std::string_view::npos; ++at) {
        const bool is_value = at > 0 && (line[at - 1] == ':' || line[at - 1] == '[' ||
                                         line[at - 1] == ',' || line[at - 1] == ' ');
        if (is_value && !is_digit(at + digits.size()))
            return at;
    }
    return std::nullopt;
}

[[noreturn]] void fail_line(const LineReader& reader, std::string_view line, const BadLine& bad) {
    std::optional<std::size_t> column = bad.column;
    if (!column && bad.culprit)
        column = find_number(line, *bad.culprit);
    const std::uint64_t shown = column.value_or(0) + 1;
    fail(ErrorCode::invalid_input,
         fmt::format("{}:{}:{}: {}", reader.path().string(), reader.line_number(), shown, bad.text),
         {{"file", reader.path().string()}, {"line", reader.line_number()}, {"column", shown}});
}

bool is_blank(std::string_view line) {
    return std::all_of(line.begin(), line.end(),
                       [](unsigned char c) { return c == ' ' || c == '\t' || c == '\r'; });
}

// The text formats begin with a version, or with a number and a "#" command.
void refuse_text_format(const LineReader& reader, std::string_view first_line) {
    if (first_line.empty() || std::isdigit(static_cast<unsigned char>(first_line[0])) == 0)
        return;
    const bool is_version = first_line.find('#') == std::string_view::npos &&
                            first_line.find('.') != std::string_view::npos;
    const std::string version(
        is_version
            ? first_line.substr(0, std::min<std::size_t>(first_line.find_first_of(" \t\r"), 16))
            : "without a version line");
    fail(ErrorCode::unsupported_version,
         fmt::format("{}: lean4export's old text format ({}) is not read; export it again with "
                     "lean4export 3.0 or later, which writes NDJSON",
                     reader.path().string(), version),
         {{"file", reader.path().string()}, {"found", version}});
}

} // namespace

ReadFacts read_export(const std::filesystem::path& path, ExportSink& sink, Monitor& monitor) {
    constexpr std::uint64_t lines_between_reports = 16384;
    LineReader reader(open_byte_source(path), path);
    JsonLineParser parser;
    std::vector<Id> scratch;
    ReadFacts facts;
    bool is_first = true;
    while (const auto line = reader.next()) {
        if (is_blank(*line))
            continue;
        if (std::exchange(is_first, false))
            refuse_text_format(reader, *line);
        try {
            if (take_fast_line(*line, sink, scratch))
                ++facts.fast_lines;
            else
                facts.lines_with_plain_id += parser.take(*line, sink) ? 1 : 0;
        } catch (const BadLine& bad) {
            fail_line(reader, *line, bad);
        }
        if (++facts.lines % lines_between_reports == 0)
            monitor.report("read", reader.bytes_read(), 0);
    }
    if (facts.lines == 0) {
        fail(ErrorCode::invalid_input, fmt::format("{}: an empty export", path.string()),
             {{"file", path.string()}});
    }
    facts.bytes = reader.bytes_read();
    monitor.report("read", facts.bytes, facts.bytes);
    return facts;
}

} // namespace leanhost::module::lean4export
