#include "kernel/name_table.hpp"

#include <algorithm>
#include <functional>
#include <vector>

namespace leanhost::kernel {
namespace {

constexpr std::size_t max_names = std::size_t{1} << 28;
constexpr std::size_t max_component_bytes = std::size_t{1} << 32;

std::uint64_t hash_parts(NameId prefix, std::string_view text, std::uint64_t value) {
    return mix(mix(prefix, value), std::hash<std::string_view>{}(text));
}

} // namespace

NameTable::NameTable() : nodes_(max_names), texts_(max_component_bytes), table_(2048) {
    nodes_.push(Node{anonymous, 0, 0});
}

std::string_view NameTable::component(const Node& node) const {
    if (node.length == number)
        return {};
    return {texts_.data() + node.start, node.length};
}

std::uint64_t NameTable::hash_of(const Node& node) const {
    const bool is_number = node.length == number;
    return hash_parts(node.prefix, component(node), is_number ? node.start + 1 : 0);
}

bool NameTable::is_same(const Node& node, const Node& other, std::string_view text) const {
    if (node.prefix != other.prefix || node.length != other.length)
        return false;
    return node.length == number ? node.start == other.start : component(node) == text;
}

NameId NameTable::find_str(NameId prefix, std::string_view text) const {
    const Node wanted{prefix, static_cast<std::uint32_t>(text.size()), 0};
    return table_.find(hash_parts(prefix, text, 0),
                       [&](NameId id) { return is_same(nodes_[id], wanted, text); });
}

NameId NameTable::intern(Node node, std::string_view text) {
    const bool is_number = node.length == number;
    return table_.find_or_insert(
        hash_parts(node.prefix, text, is_number ? node.start + 1 : 0),
        [&](NameId id) { return is_same(nodes_[id], node, text); },
        [&](NameId id) { return hash_of(nodes_[id]); },
        [&] {
            if (!is_number) {
                node.start = texts_.extend(text.size());
                if (!text.empty())
                    std::memcpy(texts_.data() + node.start, text.data(), text.size());
            }
            return nodes_.push(node);
        });
}

NameId NameTable::str(NameId prefix, std::string_view component) {
    return intern({prefix, static_cast<std::uint32_t>(component.size()), 0}, component);
}

NameId NameTable::num(NameId prefix, std::uint64_t component) {
    return intern({prefix, number, component}, {});
}

NameId NameTable::dotted(std::string_view text) {
    NameId name = anonymous;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t dot = std::min(text.find('.', at), text.size());
        name = str(name, text.substr(at, dot - at));
        at = dot + 1;
    }
    return name;
}

NameId NameTable::intern(const Name& name) {
    NameId id = anonymous;
    for (const Name::Component& part : name.components())
        id = part.is_number ? num(id, part.number) : str(id, part.text);
    return id;
}

std::string_view NameTable::last_text(NameId name) const {
    return component(nodes_[name]);
}

Name NameTable::to_name(NameId name) const {
    std::vector<Name::Component> components;
    for (; name != anonymous; name = nodes_[name].prefix) {
        const Node& node = nodes_[name];
        if (node.length == number)
            components.push_back({{}, node.start, true});
        else
            components.push_back({std::string(component(node)), 0, false});
    }
    std::reverse(components.begin(), components.end());
    return Name(std::move(components));
}

std::string NameTable::text(NameId name, std::size_t limit_bytes) const {
    constexpr NameId first_fresh = 0x80000000U; // see TypeChecker::fresh_name
    if (name >= first_fresh)
        return "_auxiliary." + std::to_string(name & 0x7FFFFFFF);
    if (name == anonymous)
        return "[anonymous]";
    std::vector<NameId> parts;
    for (NameId at = name; at != anonymous; at = nodes_[at].prefix) {
        parts.push_back(at);
        if (parts.size() > limit_bytes)
            break; // every component shows at least its dot
    }
    std::string result;
    for (std::size_t i = parts.size(); i-- > 0 && result.size() < limit_bytes;) {
        const Node& node = nodes_[parts[i]];
        if (!result.empty())
            result += '.';
        if (node.length == number)
            result += std::to_string(node.start);
        else
            result += component(node).substr(0, limit_bytes);
    }
    return result;
}

std::size_t NameTable::bytes() const noexcept {
    return nodes_.bytes() + texts_.bytes() + table_.bytes();
}

} // namespace leanhost::kernel
