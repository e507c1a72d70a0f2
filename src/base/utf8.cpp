#include "base/utf8.hpp"

namespace leanhost {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

bool is_continuation(std::string_view text, std::size_t at, unsigned char from, unsigned char to) {
    if (at >= text.size())
        return false;
    const auto byte = static_cast<unsigned char>(text[at]);
    return byte >= from && byte <= to;
}

} // namespace

// Unicode 15, table 3-7.
std::size_t utf8_sequence_bytes(std::string_view text, std::size_t at) {
    const auto lead = static_cast<unsigned char>(text[at]);
    if (lead < 0x80)
        return 1;
    if (lead < 0xC2 || lead > 0xF4)
        return 0;
    const unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    const std::size_t bytes = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (!is_continuation(text, at + 1, low, high))
        return 0;
    for (std::size_t i = 2; i < bytes; ++i) {
        if (!is_continuation(text, at + i, 0x80, 0xBF))
            return 0;
    }
    return bytes;
}

namespace {

std::size_t valid_prefix_bytes(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t bytes = utf8_sequence_bytes(text, at);
        if (bytes == 0)
            break;
        at += bytes;
    }
    return at;
}

} // namespace

bool is_utf8(std::string_view text) {
    return valid_prefix_bytes(text) == text.size();
}

std::string valid_utf8(std::string text) {
    std::size_t at = valid_prefix_bytes(text);
    if (at == text.size())
        return text;
    std::string valid = text.substr(0, at);
    while (at < text.size()) {
        const std::size_t bytes = utf8_sequence_bytes(text, at);
        if (bytes == 0) {
            valid += replacement;
            ++at;
        } else {
            valid.append(text, at, bytes);
            at += bytes;
        }
    }
    return valid;
}

} // namespace leanhost
