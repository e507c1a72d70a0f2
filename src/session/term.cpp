#include "base/failure.hpp"
#include "base/guard.hpp"
#include "base/utf8.hpp"

#include <leanhost/term.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace leanhost {
namespace {

// What a field refers to.
enum class Target : std::uint8_t { nothing, number, name, text, level, term };

struct LevelShape {
    std::string_view name;
    std::array<Target, 2> fields;
};
struct TermShape {
    std::string_view name;
    std::array<Target, 3> fields;
};

// clang-format off
constexpr std::array<LevelShape, num_level_kinds> level_shapes{{
    {"zero",  {Target::nothing, Target::nothing}},
    {"succ",  {Target::level,   Target::nothing}},
    {"max",   {Target::level,   Target::level}},
    {"imax",  {Target::level,   Target::level}},
    {"param", {Target::name,    Target::nothing}},
    {"mvar",  {Target::name,    Target::nothing}},
}};
constexpr std::array<TermShape, num_term_kinds> term_shapes{{
    {"bvar",     {Target::number, Target::nothing, Target::nothing}},
    {"fvar",     {Target::name,   Target::nothing, Target::nothing}},
    {"mvar",     {Target::name,   Target::nothing, Target::nothing}},
    {"sort",     {Target::level,  Target::nothing, Target::nothing}},
    {"constant", {Target::name,   Target::number,  Target::number}}, // its levels: looked at apart
    {"app",      {Target::term,   Target::term,    Target::nothing}},
    {"lam",      {Target::term,   Target::term,    Target::nothing}},
    {"pi",       {Target::term,   Target::term,    Target::nothing}},
    {"let",      {Target::term,   Target::term,    Target::term}},
    {"proj",     {Target::name,   Target::number,  Target::term}},
    {"nat",      {Target::text,   Target::nothing, Target::nothing}},
    {"string",   {Target::text,   Target::nothing, Target::nothing}},
}};
// clang-format on

template <std::size_t n>
unsigned count_fields(const std::array<Target, n>& fields) noexcept {
    return static_cast<unsigned>(
        n - static_cast<std::size_t>(std::count(fields.begin(), fields.end(), Target::nothing)));
}

[[noreturn]] void bad(std::string message) {
    fail(ErrorCode::invalid_argument, std::move(message));
}

// One pass over the parts, leaves first.
class PartsCheck {
public:
    explicit PartsCheck(const TermParts& parts) : parts_(parts) {}

    void run() {
        check_bounds();
        for (std::size_t i = 0; i < parts_.levels.size(); ++i)
            check_level(i);
        for (std::size_t i = 0; i < parts_.level_lists.size(); ++i) {
            if (parts_.level_lists[i] >= parts_.levels.size())
                bad(fmt::format("place {} of the level lists: there is no level {}", i,
                                parts_.level_lists[i]));
        }
        for (std::size_t i = 0; i < parts_.terms.size(); ++i)
            check_term(i);
    }

private:
    void check_bounds() const {
        check_bound("terms", parts_.terms.size(), TermTable::max_terms);
        check_bound("levels", parts_.levels.size(), TermTable::max_levels);
        check_bound("places in level lists", parts_.level_lists.size(), TermTable::max_level_lists);
        check_bound("names", parts_.names.size(), TermTable::max_names);
        check_bound("texts", parts_.texts.size(), TermTable::max_terms);
        std::size_t bytes = 0;
        for (const std::string& text : parts_.texts)
            bytes += text.size();
        check_bound("bytes of texts", bytes, TermTable::max_text_bytes);
    }

    static void check_bound(std::string_view what, std::size_t count, std::size_t most) {
        if (count > most)
            bad(fmt::format("a term table with {} {}; at most {} are taken", count, what, most));
    }

    void check_level(std::size_t i) {
        const LevelNode& node = parts_.levels[i];
        const auto kind = static_cast<std::size_t>(node.kind);
        if (kind >= level_shapes.size())
            bad(fmt::format("level {}: no kind has the number {}", i, kind));
        for (std::size_t field = 0; field < node.fields.size(); ++field)
            check_field(level_shapes[kind].fields[field], node.fields[field], i, "level");
    }

    void check_term(std::size_t i) {
        const TermNode& node = parts_.terms[i];
        const auto kind = static_cast<std::size_t>(node.kind);
        if (kind >= term_shapes.size())
            bad(fmt::format("term {}: no kind has the number {}", i, kind));
        for (std::size_t field = 0; field < node.fields.size(); ++field)
            check_field(term_shapes[kind].fields[field], node.fields[field], i, "term");
        if (node.kind == TermKind::constant)
            check_level_list(node, i);
        if (node.kind == TermKind::nat)
            check_nat(parts_.texts[node.fields[0]], i);
        if (node.kind == TermKind::string && !is_utf8(parts_.texts[node.fields[0]]))
            bad(fmt::format("term {}: a string literal that is no UTF-8", i));
    }

    void
    check_field(Target target, std::uint32_t value, std::size_t i, std::string_view what) const {
        const auto refer = [&](std::string_view to, std::size_t count) {
            if (value >= count)
                bad(fmt::format("{} {}: refers to {} {}, there are {} before it", what, i, to,
                                value, count));
        };
        switch (target) {
        case Target::nothing:
            if (value != 0)
                bad(fmt::format("{} {}: a field that its kind does not have", what, i));
            return;
        case Target::number:
            return;
        case Target::name:
            return refer("name", parts_.names.size());
        case Target::text:
            return refer("text", parts_.texts.size());
        case Target::level:
            return refer("level", what == "level" ? i : parts_.levels.size());
        case Target::term:
            return refer("term", i);
        }
    }

    void check_level_list(const TermNode& constant, std::size_t i) const {
        const std::uint64_t end = std::uint64_t{constant.fields[1]} + constant.fields[2];
        if (end > parts_.level_lists.size())
            bad(fmt::format("term {}: its levels end at place {} of {}", i, end,
                            parts_.level_lists.size()));
    }

    static void check_nat(const std::string& text, std::size_t i) {
        if (!text.empty() && text.back() == '\0')
            bad(fmt::format("term {}: a number that is not in its shortest form", i));
    }

    const TermParts& parts_;
};

} // namespace

std::string_view level_kind_name(LevelKind kind) noexcept {
    const auto i = static_cast<std::size_t>(kind);
    return i < level_shapes.size() ? level_shapes[i].name : "unknown";
}

unsigned num_fields(LevelKind kind) noexcept {
    const auto i = static_cast<std::size_t>(kind);
    return i < level_shapes.size() ? count_fields(level_shapes[i].fields) : 0;
}

std::string_view term_kind_name(TermKind kind) noexcept {
    const auto i = static_cast<std::size_t>(kind);
    return i < term_shapes.size() ? term_shapes[i].name : "unknown";
}

unsigned num_fields(TermKind kind) noexcept {
    const auto i = static_cast<std::size_t>(kind);
    return i < term_shapes.size() ? count_fields(term_shapes[i].fields) : 0;
}

Expected<TermTable> TermTable::make(TermParts parts) {
    return guarded("TermTable::make", [&] {
        PartsCheck(parts).run();
        TermTable table;
        table.parts_ = std::move(parts);
        return table;
    });
}

TermIndex TermTableBuilder::constant(const Name& name, std::span<const LevelIndex> levels) {
    const auto first = static_cast<std::uint32_t>(parts_.level_lists.size());
    if (parts_.level_lists.size() <= TermTable::max_level_lists)
        parts_.level_lists.insert(parts_.level_lists.end(), levels.begin(), levels.end());
    return add(TermKind::constant, {add(name), first, static_cast<std::uint32_t>(levels.size())});
}

TermIndex TermTableBuilder::nat(std::uint64_t value) {
    std::string bytes;
    for (; value != 0; value >>= 8U)
        bytes.push_back(static_cast<char>(value & 0xFFU));
    return add(TermKind::nat, {add_text(bytes), 0, 0});
}

TermIndex TermTableBuilder::nat_bytes(std::string_view bytes) {
    const std::size_t last = bytes.find_last_not_of('\0');
    return add(TermKind::nat,
               {add_text(bytes.substr(0, last == std::string_view::npos ? 0 : last + 1)), 0, 0});
}

TermIndex TermTableBuilder::string(std::string_view text) {
    return add(TermKind::string, {add_text(text), 0, 0});
}

Expected<TermTable> TermTableBuilder::take() {
    names_.clear();
    return TermTable::make(std::exchange(parts_, {}));
}

Expected<Term> TermTableBuilder::take(TermIndex root) {
    return take().and_then([&](TermTable&& table) -> Expected<Term> {
        if (root >= table.terms().size()) {
            return Error(ErrorCode::invalid_argument,
                         fmt::format("there is no term {} among {}", root, table.terms().size()));
        }
        return Term{std::move(table), root};
    });
}

// A table that is beyond its bounds does not grow any more: `take` refuses it.
std::uint32_t TermTableBuilder::add(const Name& name) {
    const auto next = static_cast<std::uint32_t>(parts_.names.size());
    const auto [known, is_new] = names_.emplace(name, next);
    if (is_new)
        parts_.names.push_back(name);
    return known->second;
}

LevelIndex TermTableBuilder::add(LevelKind kind, std::array<std::uint32_t, 2> fields) {
    if (parts_.levels.size() <= TermTable::max_levels)
        parts_.levels.push_back({kind, fields});
    return static_cast<LevelIndex>(parts_.levels.size() - 1);
}

TermIndex TermTableBuilder::add(TermKind kind, std::array<std::uint32_t, 3> fields) {
    if (parts_.terms.size() <= TermTable::max_terms)
        parts_.terms.push_back({kind, fields});
    return static_cast<TermIndex>(parts_.terms.size() - 1);
}

std::uint32_t TermTableBuilder::add_text(std::string_view text) {
    parts_.texts.emplace_back(text);
    return static_cast<std::uint32_t>(parts_.texts.size() - 1);
}

} // namespace leanhost
