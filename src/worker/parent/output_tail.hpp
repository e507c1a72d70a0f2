#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace leanhost::worker {

/// The last bytes of an endless text. Bounded; whole lines where the text has any.
class OutputTail {
public:
    explicit OutputTail(std::size_t max_bytes) : max_bytes_(max_bytes) {}

    void add(std::string_view text) {
        total_bytes_ += text.size();
        if (text.size() >= 2 * max_bytes_)
            text.remove_prefix(text.size() - 2 * max_bytes_);
        text_.append(text);
        // Cut at twice the size, so that a byte moves once.
        if (text_.size() > 2 * max_bytes_)
            text_.erase(0, text_.size() - max_bytes_);
    }

    std::string text() const {
        std::string_view tail(text_);
        const bool is_cut = total_bytes_ > tail.size() || tail.size() > max_bytes_;
        if (tail.size() > max_bytes_)
            tail.remove_prefix(tail.size() - max_bytes_);
        if (is_cut && tail.find('\n') < tail.size() - 1)
            tail.remove_prefix(tail.find('\n') + 1);
        return std::string(tail);
    }

    std::size_t total_bytes() const noexcept { return total_bytes_; }

private:
    const std::size_t max_bytes_;
    std::string text_;
    std::size_t total_bytes_ = 0;
};

} // namespace leanhost::worker
