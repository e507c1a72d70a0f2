#pragma once

#include "module/term_builder.hpp"
#include "object/constant_info.hpp"

namespace leanhost::module {

/// What every constant has. Lean: `ConstantVal`.
struct BuiltConstantHead {
    BuiltRef name;
    BuiltRef universe_params; ///< List Name
    BuiltRef type;
};

/// A constant that stands in the object graph, and its name.
struct BuiltConstant {
    BuiltRef name;
    BuiltRef info;
};

struct DefinitionParts {
    BuiltRef value;
    object::ReducibilityHints hints;
    object::DefinitionSafety safety;
    BuiltRef all; ///< List Name: the mutual block
};

struct InductiveParts {
    std::uint64_t num_params;
    std::uint64_t num_indices;
    BuiltRef all;          ///< List Name
    BuiltRef constructors; ///< List Name
    std::uint64_t num_nested;
    bool is_recursive;
    bool is_unsafe;
    bool is_reflexive;
};

struct ConstructorParts {
    BuiltRef inductive;
    std::uint64_t index;
    std::uint64_t num_params;
    std::uint64_t num_fields;
    bool is_unsafe;
};

struct RecursorParts {
    BuiltRef all; ///< List Name
    std::uint64_t num_params;
    std::uint64_t num_indices;
    std::uint64_t num_motives;
    std::uint64_t num_minors;
    BuiltRef rules; ///< List of what `mk_recursor_rule` made
    bool has_k;
    bool is_unsafe;
};

/// One `import` line.
struct BuiltImport {
    BuiltRef module; ///< its Name
    bool import_all = false;
    bool is_exported = true;
    bool is_meta = false;
};

/// What an environment extension keeps in the module.
struct BuiltEntries {
    BuiltRef extension; ///< its Name
    BuiltRef entries;   ///< Array
};

/// What a part's root holds.
struct ModuleDataParts {
    std::span<const BuiltImport> imports;
    std::span<const BuiltConstant> constants;
    std::span<const BuiltRef> extra_constant_names; ///< Names
    std::span<const BuiltEntries> entries;
    bool is_module; ///< compiled by the module system
};

/// Builds constants and module data in today's layout (docs/olean-format.md). As with TermBuilder,
/// which it borrows, refs must be of the kind that is asked for.
class ConstantBuilder {
public:
    explicit ConstantBuilder(TermBuilder& terms) : terms_(terms) {}

    BuiltConstant mk_axiom(const BuiltConstantHead& head, bool is_unsafe = false);
    BuiltConstant mk_definition(const BuiltConstantHead& head, const DefinitionParts& parts);
    BuiltConstant mk_theorem(const BuiltConstantHead& head, BuiltRef value, BuiltRef all);
    BuiltConstant
    mk_opaque(const BuiltConstantHead& head, BuiltRef value, BuiltRef all, bool is_unsafe = false);
    /// `kind`: 0 the type, 1 its constructor, 2 lift, 3 ind.
    BuiltConstant mk_quotient(const BuiltConstantHead& head, std::uint8_t kind);
    BuiltConstant mk_inductive(const BuiltConstantHead& head, const InductiveParts& parts);
    BuiltConstant mk_constructor(const BuiltConstantHead& head, const ConstructorParts& parts);
    BuiltConstant mk_recursor(const BuiltConstantHead& head, const RecursorParts& parts);
    BuiltRef mk_recursor_rule(BuiltRef constructor, std::uint64_t num_fields, BuiltRef rhs);

    BuiltRef mk_import(const BuiltImport& import);
    BuiltRef mk_module_data(const ModuleDataParts& parts);

private:
    BuiltRef mk_head(const BuiltConstantHead& head);
    BuiltConstant mk_constant(object::ConstantKind kind,
                              BuiltRef name,
                              std::span<const BuiltRef> fields,
                              std::span<const std::uint8_t> flags);
    BuiltRef mk_hints(object::ReducibilityHints hints);
    BuiltRef mk_flagged(std::span<const BuiltRef> fields, std::span<const std::uint8_t> flags);

    TermBuilder& terms_;
};

} // namespace leanhost::module
