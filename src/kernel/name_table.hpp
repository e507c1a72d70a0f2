#pragma once

#include "kernel/handle_table.hpp"
#include "kernel/reserved_array.hpp"

#include <leanhost/name.hpp>

#include <string>
#include <string_view>

namespace leanhost::kernel {

/// An interned name: equal ids are equal texts, component by component, and the other way round.
using NameId = std::uint32_t;
inline constexpr NameId anonymous = 0;

/// The names a check knows. Grows only; one thread adds, others may read what they were given.
class NameTable {
public:
    NameTable();

    NameId str(NameId prefix, std::string_view component);
    NameId num(NameId prefix, std::uint64_t component);
    /// The name if it is there, or `anonymous`.
    NameId find_str(NameId prefix, std::string_view component) const;
    /// Splits at dots: for the names that the kernel itself knows.
    NameId dotted(std::string_view text);

    NameId intern(const Name& name);
    Name to_name(NameId name) const;

    NameId prefix(NameId name) const { return nodes_[name].prefix; }
    /// The last component; empty if that is a number.
    std::string_view last_text(NameId name) const;
    std::uint32_t size() const noexcept { return nodes_.size(); }
    /// With dots and at most `limit_bytes`; never fails.
    std::string text(NameId name, std::size_t limit_bytes = 512) const;
    std::size_t bytes() const noexcept;
    /// What each of its arrays may take at most, if more is asked for.
    void set_max_bytes(std::size_t max_bytes) noexcept {
        nodes_.set_max_bytes(max_bytes);
        texts_.set_max_bytes(max_bytes);
    }

private:
    struct Node {
        NameId prefix;
        std::uint32_t length; ///< of a text; `number` for a numeral
        std::uint64_t start;  ///< in texts_, or the numeral
    };
    static constexpr std::uint32_t number = 0xFFFFFFFF;

    std::uint64_t hash_of(const Node& node) const;
    /// Whether they are one name; of a text, `other` has the length and `text` is what it is.
    bool is_same(const Node& node, const Node& other, std::string_view text) const;
    NameId intern(Node node, std::string_view text);
    std::string_view component(const Node& node) const;

    ReservedArray<Node> nodes_;
    ReservedArray<char> texts_;
    IndexTable table_;
};

} // namespace leanhost::kernel
