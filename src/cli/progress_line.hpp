#pragma once

#include <leanhost/progress.hpp>

#include <string_view>

namespace leanhost::cli {

/// One line on a terminal that is written over and over; silent when standard error is no terminal.
class ProgressLine {
public:
    ProgressLine();
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;
    ~ProgressLine() { clear(); }

    void show(std::string_view text);
    void clear();
    /// A sink that shows "what: phase current/total" here. Must not outlive this.
    ProgressSink sink(std::string_view what);

private:
    bool is_terminal_;
    bool is_shown_ = false;
};

} // namespace leanhost::cli
