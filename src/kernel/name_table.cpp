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

NameId
NameTable::find(NameId prefix, std::string_view text, bool is_number, std::uint64_t value) const {
    const auto equal = [&](NameId id) {
        const Node& node = nodes_[id];
        return node.prefix == prefix && (node.length == number) == is_number &&
               (is_number ? node.start == value : component(node) == text);
    };
    return table_.find(hash_parts(prefix, text, is_number ? value + 1 : 0), equal);
}

NameId NameTable::find_str(NameId prefix, std::string_view component) const {
    return find(prefix, component, false, 0);
}

NameId
NameTable::intern(NameId prefix, std::string_view text, bool is_number, std::uint64_t value) {
    if (const NameId found = find(prefix, text, is_number, value))
        return found;
    Node node{prefix, number, value};
    if (!is_number) {
        node.length = static_cast<std::uint32_t>(text.size());
        node.start = texts_.extend(text.size());
        if (!text.empty())
            std::memcpy(texts_.data() + node.start, text.data(), text.size());
    }
    const NameId id = nodes_.push(node);
    table_.insert(hash_of(nodes_[id]), id, [&](NameId other) { return hash_of(nodes_[other]); });
    return id;
}

NameId NameTable::str(NameId prefix, std::string_view component) {
    return intern(prefix, component, false, 0);
}

NameId NameTable::num(NameId prefix, std::uint64_t component) {
    return intern(prefix, {}, true, component);
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
