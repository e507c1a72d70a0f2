#pragma once

#include <leanhost/name.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
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

/// How a definition may be used. Only definitions are `partial`.
enum class DeclarationSafety : std::uint8_t { safe, unsafe, partial };
std::string_view declaration_safety_name(DeclarationSafety safety) noexcept;

/// How eagerly a definition is unfolded.
struct ReducibilityHint {
    enum class Kind : std::uint8_t { opaque, abbreviation, regular };
    Kind kind = Kind::opaque;
    std::uint32_t height = 0; ///< definitional height, of regular ones

    bool operator==(const ReducibilityHint&) const = default;
};

/// Of an inductive type.
struct InductiveFacts {
    std::uint64_t num_params = 0;
    std::uint64_t num_indices = 0;
    std::vector<std::string> constructors;
    bool is_recursive = false;
    bool is_reflexive = false;
};

/// Of a constructor.
struct ConstructorFacts {
    std::string inductive;
    std::uint64_t index = 0; ///< among the type's constructors
    std::uint64_t num_params = 0;
    std::uint64_t num_fields = 0; ///< without the parameters
};

/// Of a recursor.
struct RecursorFacts {
    std::uint64_t num_params = 0;
    std::uint64_t num_indices = 0;
    std::uint64_t num_motives = 0;
    std::uint64_t num_minors = 0;
    bool has_k = false;
    std::vector<std::string> rules; ///< the constructors that it has one for
};

/// Which parts of an answer are wanted; the others stay empty and cost nothing.
struct DeclarationFields {
    bool universe_params = true;
    bool type = false;       ///< printing a term costs far more than finding it
    bool facts = false;      ///< safety, hints, and those of its kind
    bool value_size = false; ///< costs a walk over the value
    /// Where a printed type is cut; `type_is_cut` says so.
    std::size_t max_type_bytes = std::size_t{64} * 1024;
};

/// What is known of one declaration. `module` is valid as long as the rows that hold it.
struct Declaration {
    DeclarationKind kind;
    std::string_view module;
    std::vector<std::string> universe_params;
    std::string type; ///< fully explicit, UTF-8
    bool type_is_cut = false;

    // With `facts`.
    DeclarationSafety safety = DeclarationSafety::safe;
    std::optional<ReducibilityHint> hint; ///< definitions only
    std::variant<std::monostate, InductiveFacts, ConstructorFacts, RecursorFacts> facts;

    /// With `value_size`: distinct terms below the value, itself included, as the module shares
    /// them; nullopt for what has no value.
    std::optional<std::uint64_t> value_terms;
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
