#include "module/lean4export/json_text.hpp"

#include "base/utf8.hpp"

#include <limits>

namespace leanhost::module::lean4export::json {
namespace {

bool is_digit(unsigned char c) {
    return static_cast<unsigned char>(c - '0') < 10;
}

} // namespace

void Value::fail(const char* what) const {
    throw JsonError{what, node_->column};
}

std::optional<Value> Value::find(std::string_view key) const {
    as(Type::object, "an object");
    for (const Node* at = node_ + 1; at != node_ + node_->next; at += 1 + at[1].next) {
        if (Value(at).text() == key)
            return Value(at + 1);
    }
    return std::nullopt;
}

Value Document::parse(std::string_view text) {
    text_ = text;
    at_ = 0;
    nodes_.clear();
    num_unescaped_ = 0;
    if (text.size() > std::numeric_limits<std::uint32_t>::max())
        fail("more than 4 GiB");
    value(0);
    skip_blanks();
    if (at_ != text_.size())
        fail("more than one value");
    return Value(nodes_.data());
}

void Document::value(unsigned depth) {
    skip_blanks();
    if (depth > max_depth)
        fail("values nested too deeply");
    switch (peek()) {
    case '{':
        return object(depth);
    case '[':
        return array(depth);
    case '"':
        return string();
    case 't':
        return literal("true", Type::boolean, true);
    case 'f':
        return literal("false", Type::boolean, false);
    case 'n':
        return literal("null", Type::null, false);
    default:
        return number();
    }
}

std::size_t Document::open(Type type) {
    nodes_.push_back({type, false, static_cast<std::uint32_t>(at_), 1, 0, {0}});
    return nodes_.size() - 1;
}

void Document::object(unsigned depth) {
    const std::size_t node = open(Type::object);
    ++at_;
    skip_blanks();
    if (!accept('}')) {
        do {
            skip_blanks();
            if (peek() != '"')
                fail("a key is expected");
            string();
            skip_blanks();
            if (!accept(':'))
                fail("a colon is expected");
            value(depth + 1);
            skip_blanks();
        } while (accept(','));
        if (!accept('}'))
            fail("a comma or the end of an object is expected");
    }
    close(node);
}

void Document::array(unsigned depth) {
    const std::size_t node = open(Type::array);
    ++at_;
    skip_blanks();
    if (!accept(']')) {
        do {
            value(depth + 1);
            skip_blanks();
        } while (accept(','));
        if (!accept(']'))
            fail("a comma or the end of an array is expected");
    }
    close(node);
}

void Document::literal(std::string_view word, Type type, bool flag) {
    if (text_.substr(at_, word.size()) != word)
        fail("a value is expected");
    nodes_[open(type)].flag = flag;
    at_ += word.size();
}

void Document::digits() {
    if (!is_digit(peek()))
        fail("a digit is expected");
    while (is_digit(peek()))
        ++at_;
}

void Document::number() {
    const std::size_t begin = at_;
    const std::size_t node = open(Type::natural);
    const auto refuse = [&](const char* what) {
        at_ = begin;
        fail(what);
    };
    const bool is_negative = accept('-');
    if (!is_digit(peek()))
        refuse("a value is expected");
    if (peek() == '0' && is_digit(peek(1)))
        refuse("a number that begins with 0");
    std::uint64_t natural = 0;
    bool is_natural = !is_negative;
    for (; is_digit(peek()); ++at_) {
        const auto digit = static_cast<std::uint64_t>(peek() - '0');
        is_natural = is_natural && !__builtin_mul_overflow(natural, 10, &natural) &&
                     !__builtin_add_overflow(natural, digit, &natural);
    }
    if (accept('.')) {
        is_natural = false;
        digits();
    }
    if (accept('e') || accept('E')) {
        is_natural = false;
        static_cast<void>(accept('+') || accept('-'));
        digits();
    }
    nodes_[node].natural = natural;
    if (!is_natural)
        nodes_[node].type = Type::other_number;
}

void Document::string() {
    const std::size_t node = open(Type::string);
    const std::size_t begin = ++at_;
    for (;;) {
        const unsigned char c = peek();
        if (c == '"')
            break;
        if (c == '\\') {
            escaped_string(begin);
            nodes_[node].text = unescaped_.data() + nodes_[node].natural;
            return;
        }
        if (c < 0x20)
            fail(at_ < text_.size() ? "a control character in a string" : "a string without end");
        if (c < 0x80)
            ++at_;
        else
            utf8_sequence();
    }
    nodes_[node].text = text_.data() + begin;
    nodes_[node].text_bytes = static_cast<std::uint32_t>(at_ - begin);
    ++at_;
}

// From the first escape on; what stands before it has been looked at. No text is longer without its
// escapes than with them.
void Document::escaped_string(std::size_t begin) {
    Node& node = nodes_.back();
    const std::size_t first = num_unescaped_;
    if (first == 0 && unescaped_.size() < text_.size())
        unescaped_.resize(text_.size());
    const auto copy = [this](std::size_t from) {
        for (; from < at_; ++from)
            unescaped_[num_unescaped_++] = text_[from];
    };
    copy(begin);
    while (peek() != '"') {
        const std::size_t from = at_;
        if (peek() == '\\') {
            escape();
            continue;
        }
        if (peek() < 0x20)
            fail(at_ < text_.size() ? "a control character in a string" : "a string without end");
        if (peek() < 0x80)
            ++at_;
        else
            utf8_sequence();
        copy(from);
    }
    ++at_;
    node.natural = first;
    node.text_bytes = static_cast<std::uint32_t>(num_unescaped_ - first);
}

void Document::escape() {
    constexpr std::string_view letters = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    ++at_;
    const char letter = static_cast<char>(peek());
    const std::size_t known = letters.find(letter);
    if (known != std::string_view::npos) {
        unescaped_[num_unescaped_++] = meanings[known];
        ++at_;
        return;
    }
    if (letter != 'u')
        fail("an unknown escape");
    constexpr unsigned high = 0xD800;
    constexpr unsigned low = 0xDC00;
    constexpr unsigned behind = 0xE000;
    unsigned code = hex4();
    if (code >= high && code < low) {
        if (peek() != '\\' || peek(1) != 'u')
            fail("half of a surrogate pair");
        ++at_;
        const unsigned second = hex4();
        if (second < low || second >= behind)
            fail("half of a surrogate pair");
        code = 0x10000 + ((code - high) << 10U) + (second - low);
    } else if (code >= low && code < behind) {
        fail("half of a surrogate pair");
    }
    put_utf8(code);
}

// The four digits behind a `u`.
unsigned Document::hex4() {
    ++at_;
    unsigned code = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
        const unsigned char c = peek();
        const auto lower = static_cast<unsigned char>(c | 0x20);
        if (is_digit(c))
            code = code * 16 + (c - '0');
        else if (lower >= 'a' && lower <= 'f')
            code = code * 16 + (lower - 'a' + 10);
        else
            fail("a hexadecimal digit is expected");
    }
    return code;
}

// At most as many bytes as its escape.
void Document::put_utf8(unsigned code) {
    const auto put = [this](unsigned byte) {
        unescaped_[num_unescaped_++] = static_cast<char>(byte);
    };
    if (code < 0x80) {
        put(code);
        return;
    }
    if (code < 0x800) {
        put(0xC0 | (code >> 6U));
    } else {
        if (code < 0x10000) {
            put(0xE0 | (code >> 12U));
        } else {
            put(0xF0 | (code >> 18U));
            put(0x80 | ((code >> 12U) & 0x3F));
        }
        put(0x80 | ((code >> 6U) & 0x3F));
    }
    put(0x80 | (code & 0x3F));
}

void Document::utf8_sequence() {
    const std::size_t bytes = utf8_sequence_bytes(text_, at_);
    if (bytes == 0)
        fail("bytes that are no UTF-8");
    at_ += bytes;
}

void Document::skip_blanks() noexcept {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
        ++at_;
}

bool Document::accept(char c) noexcept {
    if (at_ >= text_.size() || text_[at_] != c)
        return false;
    ++at_;
    return true;
}

} // namespace leanhost::module::lean4export::json
