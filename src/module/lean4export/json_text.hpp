#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace leanhost::module::lean4export::json {

/// A text is no JSON, or a value is not of the type that is asked for.
struct JsonError {
    const char* what;
    std::size_t column; ///< bytes from the text's start
};

enum class Type : std::uint8_t { null, boolean, natural, other_number, string, array, object };

/// One value; those inside an array or object follow it. In an object each field is its key, a
/// string, and its value.
struct Node {
    Type type;
    bool flag;
    std::uint32_t column;
    std::uint32_t next; ///< how many nodes from this one to the one behind it
    std::uint32_t text_bytes;
    union {
        std::uint64_t natural;
        const char* text;
    };
};
static_assert(sizeof(Node) == 24);

/// A value of a document, valid as long as the document holds its text. Asking for what it is not
/// throws JsonError.
class Value {
public:
    explicit Value(const Node* node) noexcept : node_(node) {}

    Type type() const noexcept { return node_->type; }
    std::size_t column() const noexcept { return node_->column; }
    /// A number from 0 to 2^64 - 1, written without sign, fraction and exponent.
    std::uint64_t natural() const { return as(Type::natural, "a natural number").natural; }
    bool flag() const { return as(Type::boolean, "true or false").flag; }
    /// Without escapes.
    std::string_view text() const {
        const Node& node = as(Type::string, "a string");
        return {node.text, node.text_bytes};
    }
    /// Of an object: the first value that stands under `key`.
    std::optional<Value> find(std::string_view key) const;

    /// Calls `body(element)` for each element of an array.
    template <class F>
    void for_each_element(F&& body) const {
        as(Type::array, "an array");
        for (const Node* at = node_ + 1; at != node_ + node_->next; at += at->next)
            body(Value(at));
    }
    /// Calls `body(key, value)` for each field of an object.
    template <class F>
    void for_each_field(F&& body) const {
        as(Type::object, "an object");
        for (const Node* at = node_ + 1; at != node_ + node_->next; at += 1 + at[1].next)
            body(Value(at).text(), Value(at + 1));
    }

private:
    const Node& as(Type type, const char* what) const {
        if (node_->type != type)
            fail(what);
        return *node_;
    }
    [[noreturn]] void fail(const char* what) const;

    const Node* node_;
};

/// The values of one JSON text (RFC 8259). Keeps its memory from one text to the next. Not
/// thread-safe.
class Document {
public:
    static constexpr unsigned max_depth = 1024;

    /// Checks `text` as a whole, UTF-8 included, and returns its value, which is valid until the
    /// next call and as long as `text`. Throws JsonError. Cost: one pass, 24 bytes a value.
    Value parse(std::string_view text);

    std::size_t memory_bytes() const noexcept {
        return nodes_.capacity() * sizeof(Node) + unescaped_.capacity();
    }

private:
    void value(unsigned depth);
    void object(unsigned depth);
    void array(unsigned depth);
    void literal(std::string_view word, Type type, bool flag);
    void number();
    void string();
    void digits();
    void escaped_string(std::size_t begin);
    void escape();
    unsigned hex4();
    void put_utf8(unsigned code);
    void utf8_sequence();
    std::size_t open(Type type);
    void close(std::size_t node) {
        nodes_[node].next = static_cast<std::uint32_t>(nodes_.size() - node);
    }
    void skip_blanks() noexcept;
    bool accept(char c) noexcept;
    /// 0 behind the end, where no value may have a byte of that kind.
    unsigned char peek(std::size_t ahead = 0) const noexcept {
        return at_ + ahead < text_.size() ? static_cast<unsigned char>(text_[at_ + ahead]) : 0;
    }
    [[noreturn]] void fail(const char* what) const { throw JsonError{what, at_}; }

    std::string_view text_;
    std::size_t at_ = 0;
    std::vector<Node> nodes_;
    std::vector<char> unescaped_; ///< texts that had escapes; does not move while a text is parsed
    std::size_t num_unescaped_ = 0;
};

} // namespace leanhost::module::lean4export::json
