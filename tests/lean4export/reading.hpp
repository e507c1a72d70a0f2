#pragma once

#include "lean4export/recording_sink.hpp"
#include "module/lean4export/export_reader.hpp"
#include "module/lean4export/export_table.hpp"
#include "module/lean4export/line_reader.hpp"

#include <leanhost/error.hpp>

#include <memory>

namespace leanhost::test {

/// How reading ended, and what the sink was told until then.
struct Reading {
    std::vector<std::string> calls;
    module::lean4export::ReadFacts facts;
    std::optional<Error> error;
};
/// Any exception but Failure fails the test.
Reading read_calls(const std::filesystem::path& path);
/// The same for a file of these bytes, "export.ndjson" in its messages.
Reading read_calls_of(std::string_view bytes);

/// The table of a file of these bytes.
struct TableReading {
    std::unique_ptr<module::lean4export::ExportTable> table;
    module::lean4export::ReadFacts facts;
    std::optional<Error> error;
};
TableReading read_table(const std::filesystem::path& path);
TableReading read_table_of(std::string_view bytes);
/// Throws when the bytes are refused.
std::unique_ptr<module::lean4export::ExportTable> table_of(std::string_view bytes);

/// One line through one of the two ways to take it, from a block of exactly the size that the
/// reader promises.
struct LineReading {
    std::vector<std::string> calls;
    std::optional<module::lean4export::BadLine> bad;
    bool is_taken = false; ///< else it was bad, or the fast path declined it
    bool has_plain_id = false;
};
LineReading take_as_json(std::string_view line, std::string_view behind = {});
LineReading take_fast(std::string_view line);

/// "file:line:column: ", without the folder, from the error's facts; also checks that the message
/// begins with them. Empty when the error has no place.
std::string place_of(const Error& error);

/// Text as a source; `piece_bytes` at most in each read.
class TextSource final : public module::lean4export::ByteSource {
public:
    explicit TextSource(std::string text, std::size_t piece_bytes = SIZE_MAX)
        : text_(std::move(text)), piece_bytes_(piece_bytes) {}
    std::size_t read(char* to, std::size_t size) override;

private:
    std::string text_;
    std::size_t piece_bytes_;
    std::size_t at_ = 0;
};

} // namespace leanhost::test
