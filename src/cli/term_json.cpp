#include "cli/term_json.hpp"

#include "base/failure.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <charconv>
#include <limits>

namespace leanhost::cli {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

[[noreturn]] void bad(const std::string& what) {
    fail(ErrorCode::invalid_input, "the term: " + what);
}

// Little-endian bytes as a number, or beyond 64 bits as hexadecimal digits.
ordered_json nat_to_json(const std::string& bytes) {
    if (bytes.size() <= sizeof(std::uint64_t)) {
        std::uint64_t value = 0;
        for (std::size_t i = bytes.size(); i-- > 0;)
            value = (value << 8U) | static_cast<unsigned char>(bytes[i]);
        return value;
    }
    std::string text = "0x";
    for (std::size_t i = bytes.size(); i-- > 0;)
        text += fmt::format("{:02x}", static_cast<unsigned char>(bytes[i]));
    return text;
}

std::string nat_from_json(const json& value, std::size_t i) {
    std::string bytes;
    if (value.is_number_unsigned()) {
        for (auto rest = value.get<std::uint64_t>(); rest != 0; rest >>= 8U)
            bytes.push_back(static_cast<char>(rest & 0xFFU));
        return bytes;
    }
    const std::string text = value.is_string() ? value.get<std::string>() : std::string();
    if (!text.starts_with("0x"))
        bad(fmt::format("term {}: a number literal is a number or \"0x…\"", i));
    constexpr int base = 16;
    for (std::size_t end = text.size(); end > 2;) {
        const std::size_t begin = end >= 4 ? end - 2 : 2;
        unsigned byte = 0;
        const auto [stop, error] =
            std::from_chars(text.data() + begin, text.data() + end, byte, base);
        if (error != std::errc() || stop != text.data() + end)
            bad(fmt::format("term {}: a digit that is not hexadecimal", i));
        bytes.push_back(static_cast<char>(byte));
        end = begin;
    }
    bytes.resize(bytes.find_last_not_of('\0') + 1);
    return bytes;
}

std::uint32_t index_from(const json& value, std::string_view where) {
    if (!value.is_number_unsigned() ||
        value.get<std::uint64_t>() > std::numeric_limits<std::uint32_t>::max())
        bad(fmt::format("{}: a field is a number below 2^32", where));
    return value.get<std::uint32_t>();
}

const json& array_in(const json& object, const char* key) {
    static const json none = json::array();
    const auto found = object.find(key);
    if (found == object.end())
        return none;
    if (!found->is_array())
        bad(fmt::format("'{}' is not an array", key));
    return *found;
}

template <class Kind>
Kind kind_from(const json& node,
               std::uint32_t num_kinds,
               std::string_view (*name_of)(Kind) noexcept,
               std::string_view where) {
    if (!node.is_array() || node.empty() || !node[0].is_string())
        bad(fmt::format("{}: a node is an array that begins with its kind", where));
    for (std::uint32_t kind = 0; kind < num_kinds; ++kind) {
        if (node[0] == name_of(static_cast<Kind>(kind)))
            return static_cast<Kind>(kind);
    }
    bad(fmt::format("{}: no kind is named '{:.40}'", where, node[0].get<std::string>()));
}

template <class Node>
void read_fields(const json& node, Node& out, std::string_view where) {
    const unsigned count = num_fields(out.kind);
    if (node.size() != count + 1)
        bad(fmt::format("{}: {} fields, its kind has {}", where, node.size() - 1, count));
    for (unsigned field = 0; field < count; ++field)
        out.fields[field] = index_from(node[field + 1], where);
}

TermNode term_node_from(const json& node, std::size_t i, TermParts& parts) {
    const std::string where = fmt::format("term {}", i);
    TermNode out;
    out.kind = kind_from<TermKind>(node, num_term_kinds, term_kind_name, where);
    if (out.kind != TermKind::nat && out.kind != TermKind::string) {
        read_fields(node, out, where);
        return out;
    }
    if (node.size() != 2 || (out.kind == TermKind::string && !node[1].is_string()))
        bad(fmt::format("{}: a literal has its value and nothing else", where));
    out.fields[0] = static_cast<std::uint32_t>(parts.texts.size());
    parts.texts.push_back(out.kind == TermKind::nat ? nat_from_json(node[1], i)
                                                    : node[1].get<std::string>());
    return out;
}

template <class Node, class NameOf>
ordered_json node_to_json(const Node& node, NameOf&& name_of) {
    ordered_json out = ordered_json::array({std::string(name_of(node.kind))});
    for (unsigned field = 0; field < num_fields(node.kind); ++field)
        out.push_back(node.fields[field]);
    return out;
}

ordered_json term_node_to_json(const TermNode& node, const TermTable& table) {
    if (node.kind == TermKind::nat)
        return {"nat", nat_to_json(table.texts()[node.fields[0]])};
    if (node.kind == TermKind::string)
        return {"string", table.texts()[node.fields[0]]};
    return node_to_json(node, [](TermKind kind) { return term_kind_name(kind); });
}

} // namespace

ordered_json to_json(const Term& term) {
    ordered_json names = ordered_json::array();
    for (const Name& name : term.table.names())
        names.push_back(name.to_string());
    ordered_json levels = ordered_json::array();
    for (const LevelNode& node : term.table.levels())
        levels.push_back(node_to_json(node, [](LevelKind kind) { return level_kind_name(kind); }));
    ordered_json terms = ordered_json::array();
    for (const TermNode& node : term.table.terms())
        terms.push_back(term_node_to_json(node, term.table));
    return {{"names", std::move(names)},
            {"levels", std::move(levels)},
            {"level_lists", term.table.level_lists()},
            {"terms", std::move(terms)},
            {"root", term.root}};
}

Term term_from_json(std::string_view text) {
    const json object = json::parse(text, nullptr, false);
    if (!object.is_object())
        bad("no JSON object");
    TermParts parts;
    for (const json& name : array_in(object, "names")) {
        if (!name.is_string())
            bad("a name is a text");
        parts.names.emplace_back(name.get<std::string>());
    }
    for (const json& node : array_in(object, "levels")) {
        const std::string where = fmt::format("level {}", parts.levels.size());
        LevelNode& out = parts.levels.emplace_back();
        out.kind = kind_from<LevelKind>(node, num_level_kinds, level_kind_name, where);
        read_fields(node, out, where);
    }
    for (const json& level : array_in(object, "level_lists"))
        parts.level_lists.push_back(index_from(level, "level_lists"));
    for (const json& node : array_in(object, "terms"))
        parts.terms.push_back(term_node_from(node, parts.terms.size(), parts));
    if (!object.contains("root"))
        bad("no 'root'");
    const std::uint32_t root = index_from(object["root"], "root");
    Expected<TermTable> table = TermTable::make(std::move(parts));
    if (!table)
        bad(table.error().message());
    if (root >= table->terms().size())
        bad(fmt::format("there is no term {} among {}", root, table->terms().size()));
    return {*std::move(table), root};
}

ordered_json to_json(const Verdict& verdict) {
    ordered_json out{{"verdict", std::string(verdict_kind_name(verdict.kind))}};
    if (verdict.kind != VerdictKind::accepted) {
        out["reason"] = verdict.reason;
        out["message"] = verdict.message;
        out["where"] = verdict.where;
    }
    out["heartbeats"] = verdict.heartbeats;
    if (verdict.axioms) {
        out["axioms"] = ordered_json::array();
        for (const Name& name : verdict.axioms->axioms)
            out["axioms"].push_back(name.to_string());
        out["axioms_complete"] = verdict.axioms->is_complete;
    }
    return out;
}

} // namespace leanhost::cli
