#pragma once

#include "base/unique_fd.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace leanhost::memory {

/// Reads a file of /proc line by line through a fixed buffer inside the object, so that reading
/// memory does not change it: nothing is allocated, however long the file is. Survives EINTR. A
/// line that does not fit loses its end; the kernel's paths fit (PATH_MAX, a newline taking four
/// bytes). Not thread-safe.
class ProcLines {
public:
    static constexpr std::size_t max_line_bytes = 20 * 1024;

    explicit ProcLines(const char* path) noexcept;

    /// The next line without its end, valid until the next call; nullopt at the end or after an
    /// error.
    std::optional<std::string_view> next() noexcept;

    /// Whether the file could not be opened, or not be read to its end. Ask after the last line.
    bool has_failed() const noexcept { return failed_; }

private:
    bool fill() noexcept;
    std::string_view take(std::size_t line_bytes, std::size_t end_bytes) noexcept;
    std::optional<std::string_view> take_rest() noexcept;
    std::string_view take_overlong() noexcept;
    void skip_to_line_end() noexcept;
    void compact() noexcept;

    UniqueFd fd_;
    bool failed_ = false;
    bool skipping_ = false; // inside the lost end of an overlong line
    std::size_t begin_ = 0; // buffer_[begin_, end_) is read and not yet handed out
    std::size_t end_ = 0;
    std::array<char, max_line_bytes>
        buffer_; // left uninitialised on purpose: untouched pages stay untouched
};

} // namespace leanhost::memory
