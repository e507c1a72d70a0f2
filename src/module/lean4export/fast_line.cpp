#include "module/lean4export/fast_line.hpp"

#include "base/utf8.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace leanhost::module::lean4export {
namespace {

using object::BinderInfo;

// Reads a line from the front. Once something did not match it stays failed, so that a line is
// tested once, at its end.
class Cursor {
public:
    explicit Cursor(std::string_view line) noexcept
        : at_(line.data()), end_(line.data() + line.size()) {}

    Cursor& literal(std::string_view text) noexcept {
        if (static_cast<std::size_t>(end_ - at_) < text.size() ||
            std::memcmp(at_, text.data(), text.size()) != 0) {
            ok_ = false;
        } else {
            at_ += text.size();
        }
        return *this;
    }
    // No leading zeros but 0 itself; at most 19 digits, so it cannot overflow. Up to seven digits
    // are seen at once, whatever stands behind the line.
    Cursor& number(std::uint64_t& value) noexcept {
        constexpr int word_bytes = 8;
        constexpr std::uint64_t tops = 0x8080808080808080;
        std::uint64_t word = 0;
        std::memcpy(&word, at_, sizeof word);
        word ^= 0x3030303030303030;
        const std::uint64_t others = (word + 0x7676767676767676) | word;
        // Eight if there are as many, or more.
        const int run = (others & tops) == 0 ? word_bytes : std::countr_zero(others & tops) / 8;
        const std::ptrdiff_t digits = std::min<std::ptrdiff_t>(run, end_ - at_);
        if (digits == 0 || digits == word_bytes)
            return long_number(value);
        ok_ = ok_ && (digits == 1 || *at_ != '0');
        at_ += digits;
        // The last digit goes to the top; pairs, fours and all eight are then put together.
        word <<= static_cast<unsigned>(word_bytes - digits) * 8;
        word = (word * 10 + (word >> 8)) & 0x00FF00FF00FF00FF;
        word = (word * 100 + (word >> 16)) & 0x0000FFFF0000FFFF;
        value = (word * 10000 + (word >> 32)) & 0xFFFFFFFF;
        return *this;
    }
    // Up to the quote; no escapes, no control characters, UTF-8.
    Cursor& text(std::string_view& value) noexcept {
        const char* const first = at_;
        bool is_ascii = true;
        for (; at_ < end_ && *at_ != '"'; ++at_) {
            const auto c = static_cast<unsigned char>(*at_);
            ok_ = ok_ && c >= 0x20 && c != '\\';
            is_ascii = is_ascii && c < 0x80;
        }
        value = std::string_view(first, static_cast<std::size_t>(at_ - first));
        ok_ = ok_ && (is_ascii || is_utf8(value));
        return *this;
    }
    bool accept(std::string_view text) noexcept {
        if (!ok_ || static_cast<std::size_t>(end_ - at_) < text.size() ||
            std::memcmp(at_, text.data(), text.size()) != 0)
            return false;
        at_ += text.size();
        return true;
    }
    void reject() noexcept { ok_ = false; }
    bool done() const noexcept { return ok_ && at_ == end_; }

private:
    Cursor& long_number(std::uint64_t& value) noexcept {
        constexpr int max_digits = 19;
        const char* const first = at_;
        std::uint64_t result = 0;
        while (at_ < end_ && static_cast<unsigned char>(*at_ - '0') < 10)
            result = result * 10 + static_cast<unsigned>(*at_++ - '0');
        const auto digits = at_ - first;
        ok_ = ok_ && digits > 0 && digits <= max_digits && (digits == 1 || *first != '0');
        value = result;
        return *this;
    }

    const char* at_;
    const char* const end_;
    bool ok_ = true;
};

void binder_info(Cursor& line, BinderInfo& info) {
    if (line.accept("default"))
        info = BinderInfo::explicit_;
    else if (line.accept("implicit"))
        info = BinderInfo::implicit;
    else if (line.accept("instImplicit"))
        info = BinderInfo::inst_implicit;
    else if (line.accept("strictImplicit"))
        info = BinderInfo::strict_implicit;
    else
        line.reject();
}

struct Binder {
    BinderInfo info = BinderInfo::explicit_;
    Id body = 0;
    Id name = 0;
    Id type = 0;
};

void binder(Cursor& line, Binder& b) {
    line.literal("{\"binderInfo\":\"");
    binder_info(line, b.info);
    line.literal("\",\"body\":").number(b.body).literal(",\"name\":").number(b.name);
    line.literal(",\"type\":").number(b.type).literal("}");
}

bool app(Cursor line, ExportSink& sink) {
    Id argument = 0;
    Id function = 0;
    Id id = 0;
    line.literal("{\"app\":{\"arg\":").number(argument).literal(",\"fn\":").number(function);
    if (!line.literal("},\"ie\":").number(id).literal("}").done())
        return false;
    sink.app(id, function, argument);
    return true;
}

bool bvar(Cursor line, ExportSink& sink) {
    std::uint64_t index = 0;
    Id id = 0;
    if (!line.literal("{\"bvar\":")
             .number(index)
             .literal(",\"ie\":")
             .number(id)
             .literal("}")
             .done())
        return false;
    sink.bvar(id, index);
    return true;
}

bool constant(Cursor line, ExportSink& sink, std::vector<Id>& levels) {
    Id name = 0;
    Id id = 0;
    levels.clear();
    line.literal("{\"const\":{\"name\":").number(name).literal(",\"us\":[");
    if (!line.accept("]")) {
        do {
            line.number(levels.emplace_back());
        } while (line.accept(","));
        line.literal("]");
    }
    if (!line.literal("},\"ie\":").number(id).literal("}").done())
        return false;
    sink.constant_term(id, name, levels);
    return true;
}

bool forall_e(Cursor line, ExportSink& sink) {
    Binder b;
    Id id = 0;
    binder(line.literal("{\"forallE\":"), b);
    if (!line.literal(",\"ie\":").number(id).literal("}").done())
        return false;
    sink.forall_e(id, b.info, b.name, b.type, b.body);
    return true;
}

bool after_term_id(Cursor line, ExportSink& sink) {
    Id id = 0;
    line.literal("{\"ie\":").number(id).literal(",\"");
    if (line.accept("lam\":")) {
        Binder b;
        binder(line, b);
        if (!line.literal("}").done())
            return false;
        sink.lam(id, b.info, b.name, b.type, b.body);
        return true;
    }
    if (line.accept("sort\":")) {
        Id level = 0;
        if (!line.number(level).literal("}").done())
            return false;
        sink.sort(id, level);
        return true;
    }
    if (line.accept("proj\":")) {
        std::uint64_t index = 0;
        Id structure = 0;
        Id type_name = 0;
        line.literal("{\"idx\":").number(index).literal(",\"struct\":").number(structure);
        if (!line.literal(",\"typeName\":").number(type_name).literal("}}").done())
            return false;
        sink.proj(id, type_name, index, structure);
        return true;
    }
    return false;
}

bool after_name_id(Cursor line, ExportSink& sink) {
    Id id = 0;
    Id prefix = 0;
    line.literal("{\"in\":").number(id).literal(",\"");
    if (line.accept("str\":")) {
        std::string_view text;
        line.literal("{\"pre\":").number(prefix).literal(",\"str\":\"").text(text);
        if (!line.literal("\"}}").done())
            return false;
        sink.name_str(id, prefix, text);
        return true;
    }
    std::uint64_t component = 0;
    line.literal("num\":{\"i\":").number(component).literal(",\"pre\":").number(prefix);
    if (!line.literal("}}").done())
        return false;
    sink.name_num(id, prefix, component);
    return true;
}

} // namespace

bool take_fast_line(std::string_view line, ExportSink& sink, std::vector<Id>& levels) {
    constexpr std::size_t shortest = 10;
    if (line.size() < shortest)
        return false;
    const Cursor cursor(line);
    switch (line[2]) {
    case 'a':
        return app(cursor, sink);
    case 'b':
        return bvar(cursor, sink);
    case 'c':
        return constant(cursor, sink, levels);
    case 'f':
        return forall_e(cursor, sink);
    case 'i':
        return line[3] == 'e' ? after_term_id(cursor, sink) : after_name_id(cursor, sink);
    default:
        return false;
    }
}

} // namespace leanhost::module::lean4export
