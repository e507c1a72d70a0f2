#include "memory/smaps_parser.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace leanhost::memory {
namespace {

template <class Fields>
struct FieldRow {
    std::string_view key;
    std::optional<std::uint64_t> Fields::*field;
};

constexpr std::array smaps_rows = {
    FieldRow<SmapsFields>{"Rss", &SmapsFields::rss_bytes},
    FieldRow<SmapsFields>{"Pss", &SmapsFields::pss_bytes},
    FieldRow<SmapsFields>{"Private_Clean", &SmapsFields::private_clean_bytes},
    FieldRow<SmapsFields>{"Private_Dirty", &SmapsFields::private_dirty_bytes},
    FieldRow<SmapsFields>{"Anonymous", &SmapsFields::anonymous_bytes},
    FieldRow<SmapsFields>{"Swap", &SmapsFields::swap_bytes},
};

constexpr std::array status_rows = {
    FieldRow<StatusFields>{"RssAnon", &StatusFields::anonymous_bytes},
    FieldRow<StatusFields>{"VmSwap", &StatusFields::swap_bytes},
    FieldRow<StatusFields>{"VmRSS", &StatusFields::rss_bytes},
};

void skip_blanks(std::string_view& text) noexcept {
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
}

// Consumes a number at the front of `text`; nullopt when there is none or it does not fit.
template <class Number>
std::optional<Number> take_number(std::string_view& text, int base) noexcept {
    Number value{};
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc{})
        return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
    return value;
}

bool take_char(std::string_view& text, char expected) noexcept {
    if (!text.starts_with(expected))
        return false;
    text.remove_prefix(1);
    return true;
}

// Consumes what stands before the next blank, and the blanks after it. Empty at the end of the
// line.
std::string_view take_word(std::string_view& text) noexcept {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    skip_blanks(text);
    return word;
}

// "  1708 kB" in bytes. The kernel writes nothing but kB; another unit would be a misreading.
std::optional<std::uint64_t> parse_kib(std::string_view text) noexcept {
    skip_blanks(text);
    const auto kib = take_number<std::uint64_t>(text, 10);
    if (!kib || text != " kB")
        return std::nullopt;
    if (*kib > std::numeric_limits<std::uint64_t>::max() / 1024)
        return std::nullopt;
    return *kib * 1024;
}

template <class Fields, class Rows>
void take_field(Fields& fields, const Rows& rows, std::string_view line) noexcept {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos)
        return;
    const std::string_view key = line.substr(0, colon);
    for (const auto& row : rows)
        if (row.key == key)
            fields.*row.field = parse_kib(line.substr(colon + 1));
}

std::optional<std::uint64_t> sum_of(std::optional<std::uint64_t> a,
                                    std::optional<std::uint64_t> b) noexcept {
    std::uint64_t sum = 0;
    if (!a || !b || __builtin_add_overflow(*a, *b, &sum))
        return std::nullopt;
    return sum;
}

template <class Fields>
MemorySample sample_from_text(std::string_view text) noexcept {
    Fields fields;
    for_each_line(text, [&](std::string_view line) { fields.take_line(line); });
    return fields.to_sample();
}

} // namespace

void SmapsFields::take_line(std::string_view line) noexcept {
    take_field(*this, smaps_rows, line);
}

MemorySample SmapsFields::to_sample() const noexcept {
    return {.anonymous_bytes = anonymous_bytes,
            .swap_bytes = swap_bytes,
            .rss_bytes = rss_bytes,
            .pss_bytes = pss_bytes,
            .uss_bytes = sum_of(private_clean_bytes, private_dirty_bytes),
            .private_dirty_bytes = private_dirty_bytes};
}

void StatusFields::take_line(std::string_view line) noexcept {
    take_field(*this, status_rows, line);
}

MemorySample StatusFields::to_sample() const noexcept {
    MemorySample sample;
    sample.anonymous_bytes = anonymous_bytes;
    sample.swap_bytes = swap_bytes;
    sample.rss_bytes = rss_bytes;
    return sample;
}

bool is_mapping_header(std::string_view line) noexcept {
    if (line.empty())
        return false;
    const char c = line.front();
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

std::optional<MappingHeader> parse_mapping_header(std::string_view line) noexcept {
    const auto begin = take_number<std::uintptr_t>(line, 16);
    if (!begin || !take_char(line, '-'))
        return std::nullopt;
    const auto end = take_number<std::uintptr_t>(line, 16);
    if (!end || *end <= *begin || !take_char(line, ' '))
        return std::nullopt;
    const std::string_view permissions = take_word(line);
    take_word(line); // offset
    take_word(line); // device
    const std::string_view inode = take_word(line);
    if (permissions.size() != 4 || inode.empty())
        return std::nullopt;
    return MappingHeader{*begin, *end, permissions, line};
}

MemorySample parse_smaps_rollup(std::string_view text) noexcept {
    return sample_from_text<SmapsFields>(text);
}

MemorySample parse_status(std::string_view text) noexcept {
    return sample_from_text<StatusFields>(text);
}

} // namespace leanhost::memory

namespace leanhost {

std::optional<std::uint64_t> MemorySample::gauge_bytes() const noexcept {
    return memory::sum_of(anonymous_bytes, swap_bytes);
}

} // namespace leanhost
