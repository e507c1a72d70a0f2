#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace leanhost {

/// A hierarchical Lean name such as `Nat.add_comm` or `_private.Init.Prelude.0.foo`, owned.
///
/// Written with dots between components; a component that holds a dot is put in «guillemets»; one
/// made of digits alone is a number. Text that is not well formed (an opening « without its end) is
/// taken literally, so every text denotes a name. The empty text is the anonymous name. The hash is
/// Lean's own. A value type; construction costs one pass over the text.
class Name {
public:
    struct Component {
        std::string text;     ///< empty for a number
        std::uint64_t number; ///< only for a number
        bool is_number;
        bool operator==(const Component&) const = default;
    };

    Name() = default;
    Name(std::string_view text); // NOLINT(google-explicit-constructor)
    Name(const std::string& text)
        : Name(std::string_view(text)) {}                    // NOLINT(google-explicit-constructor)
    Name(const char* text) : Name(std::string_view(text)) {} // NOLINT(google-explicit-constructor)
    explicit Name(std::vector<Component> components);

    bool is_anonymous() const noexcept { return components_.empty(); }
    const std::vector<Component>& components() const& noexcept { return components_; }
    const std::vector<Component>& components() const&& = delete; ///< would dangle
    /// Lean's `Name.hash`.
    std::uint64_t hash() const noexcept { return hash_; }
    /// The dotted text, components in guillemets where they need it. Reading it gives the same
    /// name, unless a component itself holds "».", which Lean cannot write either.
    std::string to_string() const;

    bool operator==(const Name& other) const {
        return hash_ == other.hash_ && components_ == other.components_;
    }
    /// Component by component, numbers before text; the anonymous name first.
    std::strong_ordering operator<=>(const Name& other) const;

private:
    std::vector<Component> components_;
    std::uint64_t hash_ = 1723;
};

/// Appends one component to a dotted text, in guillemets if it needs them.
void append_name_component(std::string& out, std::string_view component);

} // namespace leanhost

template <>
struct std::hash<leanhost::Name> {
    std::size_t operator()(const leanhost::Name& name) const noexcept { return name.hash(); }
};
