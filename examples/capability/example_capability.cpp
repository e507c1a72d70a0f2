// A capability library. Build it as a shared library with leanhost's headers in reach; nothing to
// link.
#include <leanhost/capability_guard.hpp>

#include <stdexcept>
#include <string>
#include <string_view>

namespace {

bool is_space(char c) {
    return c == ' ' || c == '\n' || c == '\t';
}

std::size_t count_words(std::string_view text) {
    std::size_t words = 0;
    bool in_word = false;
    for (const char c : text) {
        if (!is_space(c) && !in_word)
            ++words;
        in_word = !is_space(c);
    }
    return words;
}

// Bytes to bytes: what is emitted, in one piece or several, is the result.
void word_count(std::string_view text, leanhost::CapabilitySink sink) {
    sink.emit("{\"words\": " + std::to_string(count_words(text)) +
              ", \"bytes\": " + std::to_string(text.size()) + "}");
}

// Bytes to rows: each `emit` is one row. What is thrown becomes the call's failure.
void lines(std::string_view text, leanhost::CapabilitySink sink) {
    if (text.find('\0') != std::string_view::npos)
        throw std::invalid_argument("the input is no text");
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        if (!sink.emit(text.substr(0, end)))
            return; // the host has had enough
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
}

constexpr leanhost_capability_function functions[] = {
    {"word_count", LEANHOST_CAPABILITY_GIVES_BYTES, leanhost::capability_guard<word_count>},
    {"lines", LEANHOST_CAPABILITY_GIVES_ROWS, leanhost::capability_guard<lines>},
};

constexpr leanhost_capability_table table = {LEANHOST_CAPABILITY_ABI_VERSION,
                                             sizeof(leanhost_capability_table),
                                             "example",
                                             "1.0.0",
                                             std::size(functions),
                                             functions};

} // namespace

const leanhost_capability_table* leanhost_capability_table_v1() {
    return &table;
}
