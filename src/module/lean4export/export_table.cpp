#include "module/lean4export/export_table.hpp"

#include "object/name_ref.hpp"

#include <leanhost/name.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace leanhost::module::lean4export {
namespace {

constexpr std::size_t block_bytes = std::size_t{1} << 20;
constexpr std::uint32_t max_items = IdMap::none - 1;
constexpr std::size_t max_literal_bytes = std::size_t{16} << 20;
// A byte has 2.408 decimal digits: rounded down, so that no value is beyond the bytes.
constexpr std::size_t max_literal_digits = max_literal_bytes / 5 * 12;

[[noreturn]] void bad(std::string text, std::optional<Id> culprit = std::nullopt) {
    throw BadLine{std::move(text), std::nullopt, culprit};
}

std::uint32_t position_of(const IdMap& ids, Id id, const char* what) {
    const std::uint32_t position = ids.find(id);
    if (position == IdMap::none)
        bad(fmt::format("{} {} is used before a line defines it", what, id), id);
    return position;
}

// Parts of terms that are numbers, not ids.
std::uint32_t small_number(std::uint64_t number, const char* what) {
    if (number > max_items)
        bad(fmt::format("{} {} is beyond 2^32 - 2", what, number), number);
    return static_cast<std::uint32_t>(number);
}

template <class Node>
void add_item(std::vector<Node>& nodes, IdMap& ids, Id id, const Node& node, const char* what) {
    if (nodes.size() >= max_items)
        bad(fmt::format("more than {} {}s", max_items, what));
    if (!ids.add(id, static_cast<std::uint32_t>(nodes.size())))
        bad(fmt::format("{} {} is defined twice", what, id), id);
    nodes.push_back(node);
}

} // namespace

ExportTable::ExportTable() {
    name_ids_.add(0, 0);
    names_.push_back({0, false, 0, 0, {}, 0});
    level_ids_.add(0, 0);
    levels_.push_back({LevelKind::zero, 0, 0});
}

NameIndex ExportTable::name_at(Id id) const {
    return position_of(name_ids_, id, "name");
}
LevelIndex ExportTable::level_at(Id id) const {
    return position_of(level_ids_, id, "level");
}
TermIndex ExportTable::term_at(Id id) const {
    return position_of(term_ids_, id, "term");
}
void ExportTable::to_names(std::vector<Id>& ids) const {
    for (Id& id : ids)
        id = name_at(id);
}

void ExportTable::add_name(Id id, NameNode node) {
    const NameNode& prefix = names_[node.prefix];
    constexpr std::uint32_t number_bytes = 20;
    const std::size_t bytes =
        prefix.text_bytes + 1 + (node.is_number ? number_bytes : node.component.size());
    if (prefix.num_components >= object::NameRef::max_components ||
        bytes > object::NameRef::max_bytes) {
        bad(fmt::format("a name of more than {} components or {} bytes",
                        object::NameRef::max_components, object::NameRef::max_bytes));
    }
    node.num_components = static_cast<std::uint16_t>(prefix.num_components + 1);
    node.text_bytes = static_cast<std::uint32_t>(bytes);
    if (!node.is_number)
        node.component = keep(node.component);
    add_item(names_, name_ids_, id, node, "name");
}

void ExportTable::add_level(Id id, LevelNode node) {
    add_item(levels_, level_ids_, id, node, "level");
}
void ExportTable::add_term(Id id, TermNode node) {
    add_item(terms_, term_ids_, id, node, "term");
}

std::string_view ExportTable::keep(std::string_view text) {
    if (text.empty())
        return {};
    if (blocks_.empty() || blocks_.back().size - blocks_.back().used < text.size()) {
        const std::size_t size = std::max(block_bytes, text.size());
        blocks_.push_back({std::make_unique_for_overwrite<char[]>(size), size, 0});
    }
    Block& block = blocks_.back();
    char* const at = block.bytes.get() + block.used;
    std::copy(text.begin(), text.end(), at);
    block.used += text.size();
    return {at, text.size()};
}

std::uint32_t ExportTable::keep_text(std::string_view text) {
    if (texts_.size() >= max_items)
        bad(fmt::format("more than {} literals", max_items));
    texts_.push_back(keep(text));
    return static_cast<std::uint32_t>(texts_.size() - 1);
}

void ExportTable::meta(const ExportMeta& meta) {
    meta_ = meta;
}

void ExportTable::name_str(Id id, Id prefix, std::string_view component) {
    add_name(id, {name_at(prefix), false, 0, 0, component, 0});
}
void ExportTable::name_num(Id id, Id prefix, std::uint64_t component) {
    add_name(id, {name_at(prefix), true, 0, 0, {}, component});
}

void ExportTable::level_succ(Id id, Id of) {
    add_level(id, {LevelKind::succ, level_at(of), 0});
}
void ExportTable::level_max(Id id, Id lhs, Id rhs) {
    add_level(id, {LevelKind::max, level_at(lhs), level_at(rhs)});
}
void ExportTable::level_imax(Id id, Id lhs, Id rhs) {
    add_level(id, {LevelKind::imax, level_at(lhs), level_at(rhs)});
}
void ExportTable::level_param(Id id, Id name) {
    add_level(id, {LevelKind::param, name_at(name), 0});
}

void ExportTable::bvar(Id id, std::uint64_t index) {
    add_term(id, {.kind = TermKind::bvar, .a = small_number(index, "bound variable")});
}
void ExportTable::sort(Id id, Id level) {
    add_term(id, {.kind = TermKind::sort, .a = level_at(level)});
}

void ExportTable::constant_term(Id id, Id name, const std::vector<Id>& levels) {
    if (level_lists_.size() + levels.size() > max_items)
        bad(fmt::format("more than {} levels of constants", max_items));
    const TermNode node{.kind = TermKind::constant,
                        .a = name_at(name),
                        .b = static_cast<std::uint32_t>(level_lists_.size()),
                        .c = static_cast<std::uint32_t>(levels.size())};
    for (const Id level : levels)
        level_lists_.push_back(level_at(level));
    add_term(id, node);
}

void ExportTable::app(Id id, Id function, Id argument) {
    add_term(id, {.kind = TermKind::app, .a = term_at(function), .b = term_at(argument)});
}
void ExportTable::lam(Id id, object::BinderInfo info, Id name, Id type, Id body) {
    add_term(id, {.kind = TermKind::lam,
                  .info = info,
                  .a = name_at(name),
                  .b = term_at(type),
                  .c = term_at(body)});
}
void ExportTable::forall_e(Id id, object::BinderInfo info, Id name, Id type, Id body) {
    add_term(id, {.kind = TermKind::forall_e,
                  .info = info,
                  .a = name_at(name),
                  .b = term_at(type),
                  .c = term_at(body)});
}

void ExportTable::let_e(Id id, Id name, Id type, Id value, Id body, bool non_dep) {
    const LetTail tail{term_at(value), term_at(body)};
    const TermNode node{.kind = TermKind::let_e,
                        .non_dep = non_dep,
                        .a = name_at(name),
                        .b = term_at(type),
                        .c = static_cast<std::uint32_t>(let_tails_.size())};
    let_tails_.push_back(tail);
    add_term(id, node);
}

void ExportTable::proj(Id id, Id type_name, std::uint64_t index, Id structure) {
    add_term(id, {.kind = TermKind::proj,
                  .a = name_at(type_name),
                  .b = small_number(index, "field"),
                  .c = term_at(structure)});
}

void ExportTable::nat_literal(Id id, std::string_view digits) {
    const bool is_number = !digits.empty() && (digits.size() == 1 || digits[0] != '0') &&
                           std::all_of(digits.begin(), digits.end(),
                                       [](unsigned char c) { return std::isdigit(c) != 0; });
    if (!is_number)
        bad("a natural number is written in decimal digits without leading zeros");
    if (digits.size() > max_literal_digits) {
        bad(fmt::format("a number of {} digits; at most {} MiB are read", digits.size(),
                        max_literal_bytes >> 20));
    }
    add_term(id, {.kind = TermKind::nat_literal, .a = keep_text(digits)});
}
void ExportTable::string_literal(Id id, std::string_view text) {
    add_term(id, {.kind = TermKind::string_literal, .a = keep_text(text)});
}
void ExportTable::mdata(Id id, Id term) {
    add_term(id, {.kind = TermKind::mdata, .a = term_at(term)});
}

void ExportTable::declaration(const ExportDeclaration& declaration) {
    ExportDeclaration resolved = declaration;
    for (ExportConstant& constant : resolved.constants) {
        constant.name = name_at(constant.name);
        to_names(constant.universe_params);
        constant.type = term_at(constant.type);
        if (constant.kind == object::ConstantKind::definition ||
            constant.kind == object::ConstantKind::theorem ||
            constant.kind == object::ConstantKind::opaque)
            constant.value = term_at(constant.value);
        to_names(constant.all);
        to_names(constant.constructors);
        constant.inductive = name_at(constant.inductive);
        for (ExportRule& rule : constant.rules) {
            rule.constructor = name_at(rule.constructor);
            rule.rhs = term_at(rule.rhs);
        }
    }
    declarations_.push_back(std::move(resolved));
}

std::string ExportTable::name_text(NameIndex name) const {
    std::vector<Name::Component> components;
    for (; name != 0; name = names_[name].prefix) {
        const NameNode& node = names_[name];
        components.push_back({std::string(node.component), node.number, node.is_number});
    }
    std::reverse(components.begin(), components.end());
    return Name(std::move(components)).to_string();
}

std::size_t ExportTable::memory_bytes() const noexcept {
    std::size_t text_bytes = 0;
    for (const Block& block : blocks_)
        text_bytes += block.size;
    return names_.capacity() * sizeof(NameNode) + levels_.capacity() * sizeof(LevelNode) +
           terms_.capacity() * sizeof(TermNode) + name_ids_.memory_bytes() +
           level_ids_.memory_bytes() + term_ids_.memory_bytes() +
           level_lists_.capacity() * sizeof(LevelIndex) + let_tails_.capacity() * sizeof(LetTail) +
           texts_.capacity() * sizeof(std::string_view) + text_bytes;
}

} // namespace leanhost::module::lean4export
