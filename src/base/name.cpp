#include "base/lean_hash.hpp"

#include <leanhost/name.hpp>

#include <algorithm>
#include <charconv>
#include <compare>

namespace leanhost {
namespace {

constexpr std::string_view opening = "«";
constexpr std::string_view closing = "»";

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Digits alone, no leading zero (so that text and number do not collide), and 64 bits wide at most.
bool read_number(std::string_view text, std::uint64_t& number) {
    if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit))
        return false;
    if (text.size() > 1 && text[0] == '0')
        return false;
    return std::from_chars(text.data(), text.data() + text.size(), number).ec == std::errc();
}

Name::Component mk_component(std::string_view text) {
    std::uint64_t number = 0;
    if (read_number(text, number))
        return {{}, number, true};
    return {std::string(text), 0, false};
}

// The component in guillemets at the start of `text`, if there is a whole one: up to the first »
// that ends the text or stands before a dot.
std::size_t guillemet_end(std::string_view text) {
    if (!text.starts_with(opening))
        return std::string_view::npos;
    for (std::size_t at = text.find(closing, opening.size()); at != std::string_view::npos;
         at = text.find(closing, at + 1)) {
        const std::size_t end = at + closing.size();
        if (end == text.size() || text[end] == '.')
            return end;
    }
    return std::string_view::npos;
}

std::vector<Name::Component> split(std::string_view text) {
    std::vector<Name::Component> components;
    while (!text.empty()) {
        std::size_t end = guillemet_end(text);
        if (end != std::string_view::npos) {
            const auto inside = text.substr(opening.size(), end - opening.size() - closing.size());
            components.push_back({std::string(inside), 0, false});
        } else {
            end = std::min(text.find('.'), text.size());
            components.push_back(mk_component(text.substr(0, end)));
        }
        const bool trailing_dot = end + 1 == text.size();
        text.remove_prefix(std::min(end + 1, text.size()));
        if (trailing_dot)
            components.push_back({{}, 0, false});
    }
    return components;
}

std::uint64_t hash_of(const std::vector<Name::Component>& components) {
    std::uint64_t hash = anonymous_name_hash;
    for (const auto& c : components) {
        hash = c.is_number ? name_hash_num(hash, c.number) : name_hash_str(hash, c.text);
    }
    return hash;
}

bool needs_guillemets(std::string_view component) {
    std::uint64_t number;
    return component.empty() || component.find('.') != std::string_view::npos ||
           component.find(opening) != std::string_view::npos ||
           component.find(closing) != std::string_view::npos || read_number(component, number);
}

} // namespace

Name::Name(std::string_view text) : Name(split(text)) {}

Name::Name(std::vector<Component> components)
    : components_(std::move(components)), hash_(hash_of(components_)) {}

void append_name_component(std::string& out, std::string_view component) {
    const bool quote = needs_guillemets(component);
    if (quote)
        out += opening;
    out += component;
    if (quote)
        out += closing;
}

std::string Name::to_string() const {
    std::string out;
    for (const auto& c : components_) {
        if (!out.empty())
            out += '.';
        if (c.is_number) {
            out += std::to_string(c.number);
        } else {
            append_name_component(out, c.text);
        }
    }
    return out;
}

std::strong_ordering Name::operator<=>(const Name& other) const {
    return std::lexicographical_compare_three_way(
        components_.begin(), components_.end(), other.components_.begin(), other.components_.end(),
        [](const Component& a, const Component& b) -> std::strong_ordering {
            if (a.is_number != b.is_number)
                return b.is_number <=> a.is_number;
            return a.is_number ? a.number <=> b.number : a.text <=> b.text;
        });
}

} // namespace leanhost
