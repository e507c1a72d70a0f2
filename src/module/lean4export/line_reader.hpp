#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>

namespace leanhost::module::lean4export {

/// Bytes, in order. Throws Failure(io, invalid_input).
class ByteSource {
public:
    virtual ~ByteSource() = default;
    /// At least one byte into [to, to + size), fewer at will; 0 at the end.
    virtual std::size_t read(char* to, std::size_t size) = 0;
};

/// The file at `path`, unpacked when it begins as zstd does; "-" is standard input.
std::unique_ptr<ByteSource> open_byte_source(const std::filesystem::path& path);

/// Lines of a source, one at a time, in a buffer that grows to the longest. Not thread-safe.
class LineReader {
public:
    static constexpr std::size_t max_line_bytes = std::size_t{64} << 20;
    /// Readable bytes behind every line, for readers that look at whole words.
    static constexpr std::size_t padding_bytes = 64;

    LineReader(std::unique_ptr<ByteSource> source, std::filesystem::path path);

    /// The next line without its newline, valid until the next call; nullopt at the end.
    /// Throws Failure(invalid_input) for a line of more than `max_line_bytes`.
    std::optional<std::string_view> next();

    /// Of the last line that was given out, counted from 1.
    std::uint64_t line_number() const noexcept { return line_number_; }
    /// All bytes given out so far, newlines included.
    std::uint64_t bytes_read() const noexcept { return bytes_read_; }
    const std::filesystem::path& path() const noexcept { return path_; }

private:
    bool fill();
    void grow();
    [[noreturn]] void fail_too_long() const;

    std::unique_ptr<ByteSource> source_;
    std::filesystem::path path_;
    // Not filled before it is read into: of a small file, most of it is never touched.
    std::unique_ptr<char[]> buffer_; // NOLINT(modernize-avoid-c-arrays)
    std::size_t buffer_bytes_;
    std::size_t begin_ = 0; // [begin_, end_) is read and not given out
    std::size_t end_ = 0;
    bool is_at_end_ = false;
    std::uint64_t line_number_ = 0;
    std::uint64_t bytes_read_ = 0;
};

} // namespace leanhost::module::lean4export
