#pragma once

#include <leanhost/name.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace leanhost {

/// What an environment holds under a name.
enum class DeclarationKind : std::uint8_t {
    axiom,
    definition,
    theorem,
    opaque,
    quotient,
    inductive,
    constructor,
    recursor
};
/// "axiom", "definition", … Valid for the process's life.
std::string_view declaration_kind_name(DeclarationKind kind) noexcept;

/// Which parts of an answer are wanted; the others stay empty and cost nothing.
struct DeclarationFields {
    bool universe_params = true;
    bool type = false; ///< printing a term costs far more than finding it
    /// Where a printed type is cut; `type_is_cut` says so.
    std::size_t max_type_bytes = 64 * 1024;
};

/// What is known of one declaration. `module` is valid as long as the rows that hold it.
struct Declaration {
    DeclarationKind kind;
    std::string_view module;
    std::vector<std::string> universe_params;
    std::string type; ///< fully explicit, UTF-8
    bool type_is_cut = false;
};

/// The answer for one name: nothing when the environment does not hold it.
using DeclarationRow = std::optional<Declaration>;

/// One row for each name asked for, in that order. Keeps what its rows refer to alive.
class DeclarationRows {
public:
    DeclarationRows(std::vector<DeclarationRow> rows, std::shared_ptr<const void> environment)
        : rows_(std::move(rows)), environment_(std::move(environment)) {}

    std::size_t size() const noexcept { return rows_.size(); }
    const DeclarationRow& operator[](std::size_t i) const noexcept { return rows_[i]; }
    auto begin() const noexcept { return rows_.begin(); }
    auto end() const noexcept { return rows_.end(); }

private:
    std::vector<DeclarationRow> rows_;
    std::shared_ptr<const void> environment_;
};

} // namespace leanhost
