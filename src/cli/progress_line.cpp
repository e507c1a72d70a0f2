#include "cli/progress_line.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <string>

namespace leanhost::cli {

ProgressLine::ProgressLine() : is_terminal_(::isatty(STDERR_FILENO) != 0) {}

void ProgressLine::show(std::string_view text) {
    if (!is_terminal_)
        return;
    fmt::print(stderr, "\r\033[K{}", text);
    std::fflush(stderr);
    is_shown_ = true;
}

void ProgressLine::clear() {
    if (!is_shown_)
        return;
    fmt::print(stderr, "\r\033[K");
    std::fflush(stderr);
    is_shown_ = false;
}

ProgressSink ProgressLine::sink(std::string_view what) {
    return [this, name = std::string(what)](const Progress& progress) {
        show(fmt::format("{}: {} {}/{}", name, progress.phase, progress.current, progress.total));
        return SinkAnswer::proceed;
    };
}

} // namespace leanhost::cli
