#include "memory/proc_lines.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace leanhost::memory {
namespace {

int open_for_reading(const char* path) noexcept {
    int fd = -1;
    do
        fd = ::open(path, O_RDONLY | O_CLOEXEC);
    while (fd < 0 && errno == EINTR);
    return fd;
}

::ssize_t read_some(int fd, char* into, std::size_t bytes) noexcept {
    ::ssize_t count = -1;
    do
        count = ::read(fd, into, bytes);
    while (count < 0 && errno == EINTR);
    return count;
}

} // namespace

ProcLines::ProcLines(const char* path) noexcept : fd_(open_for_reading(path)), failed_(!fd_) {}

std::optional<std::string_view> ProcLines::next() noexcept {
    for (;;) {
        if (skipping_)
            skip_to_line_end();
        const std::string_view unread(buffer_.data() + begin_, end_ - begin_);
        if (const auto newline = unread.find('\n'); newline != std::string_view::npos)
            return take(newline, 1);
        if (unread.size() == max_line_bytes)
            return take_overlong();
        if (!fill())
            return take_rest();
    }
}

// Whether at least one more byte stands in the buffer.
bool ProcLines::fill() noexcept {
    if (failed_)
        return false;
    compact();
    const ::ssize_t count = read_some(fd_.get(), buffer_.data() + end_, max_line_bytes - end_);
    if (count < 0)
        failed_ = true;
    if (count <= 0)
        return false;
    end_ += static_cast<std::size_t>(count);
    return true;
}

std::string_view ProcLines::take(std::size_t line_bytes, std::size_t end_bytes) noexcept {
    const std::string_view line(buffer_.data() + begin_, line_bytes);
    begin_ += line_bytes + end_bytes;
    return line;
}

// What stands after the last newline; nothing after an error, since it may be half a line.
std::optional<std::string_view> ProcLines::take_rest() noexcept {
    if (failed_ || begin_ == end_)
        return std::nullopt;
    return take(end_ - begin_, 0);
}

std::string_view ProcLines::take_overlong() noexcept {
    skipping_ = true;
    return take(max_line_bytes, 0);
}

// Leaves `skipping_` set while no newline has been read yet.
void ProcLines::skip_to_line_end() noexcept {
    const std::string_view unread(buffer_.data() + begin_, end_ - begin_);
    const auto newline = unread.find('\n');
    skipping_ = newline == std::string_view::npos;
    begin_ = skipping_ ? end_ : begin_ + newline + 1;
}

void ProcLines::compact() noexcept {
    if (begin_ == 0)
        return;
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
}

} // namespace leanhost::memory
