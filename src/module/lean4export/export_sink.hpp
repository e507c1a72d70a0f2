#pragma once

#include "object/constant_info.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace leanhost::module::lean4export {

/// An index that the export gives to a name, level or term. Each of the three has a space of its
/// own; ids need not be dense nor in order. Name 0 is the anonymous name, level 0 is zero.
using Id = std::uint64_t;

/// The first line. Texts are empty when the line does not have them.
struct ExportMeta {
    std::string exporter_version;
    std::string format_version;
    std::string lean_version;
    std::string lean_githash;
};

struct ExportRule {
    Id constructor = 0;
    std::uint64_t num_fields = 0;
    Id rhs = 0;
};

/// One constant as the export states it. Only the fields of its kind mean anything.
struct ExportConstant {
    object::ConstantKind kind = object::ConstantKind::axiom;
    Id name = 0;
    std::vector<Id> universe_params; ///< names
    Id type = 0;
    Id value = 0;        ///< definition, theorem, opaque
    std::vector<Id> all; ///< names of the mutual block: those with a value, inductive, recursor
    object::ReducibilityHints hints{object::ReducibilityHints::Kind::opaque, 0}; ///< definition
    object::DefinitionSafety safety = object::DefinitionSafety::safe;            ///< definition
    bool is_unsafe = false;         ///< every kind but definition, theorem, quotient
    std::uint8_t quotient_kind = 0; ///< 0 the type, 1 its constructor, 2 lift, 3 ind
    std::uint64_t num_params = 0;   ///< inductive, constructor, recursor
    std::uint64_t num_indices = 0;  ///< inductive, recursor
    std::uint64_t num_nested = 0;   ///< inductive
    std::vector<Id> constructors;   ///< inductive
    bool is_recursive = false;      ///< inductive
    bool is_reflexive = false;      ///< inductive
    Id inductive = 0;               ///< constructor
    std::uint64_t index = 0;        ///< constructor
    std::uint64_t num_fields = 0;   ///< constructor
    std::uint64_t num_motives = 0;  ///< recursor
    std::uint64_t num_minors = 0;   ///< recursor
    bool has_k = false;             ///< recursor
    std::vector<ExportRule> rules;  ///< recursor
};

/// What one declaration line submits: a single constant, the definitions of a mutual block (format
/// 3.0), or inductive types with their constructors and recursors.
struct ExportDeclaration {
    std::vector<ExportConstant> constants;
    bool is_inductive_block = false;
};

/// Takes an export line by line, in the file's order. Texts are valid during the call only. A
/// method throws BadLine for what the line must not say; the reader adds where it stands.
class ExportSink {
public:
    virtual ~ExportSink() = default;

    virtual void meta(const ExportMeta& meta) = 0;

    virtual void name_str(Id id, Id prefix, std::string_view component) = 0;
    virtual void name_num(Id id, Id prefix, std::uint64_t component) = 0;

    virtual void level_succ(Id id, Id of) = 0;
    virtual void level_max(Id id, Id lhs, Id rhs) = 0;
    virtual void level_imax(Id id, Id lhs, Id rhs) = 0;
    virtual void level_param(Id id, Id name) = 0;

    virtual void bvar(Id id, std::uint64_t index) = 0;
    virtual void sort(Id id, Id level) = 0;
    virtual void constant_term(Id id, Id name, const std::vector<Id>& levels) = 0;
    virtual void app(Id id, Id function, Id argument) = 0;
    virtual void lam(Id id, object::BinderInfo info, Id name, Id type, Id body) = 0;
    virtual void forall_e(Id id, object::BinderInfo info, Id name, Id type, Id body) = 0;
    virtual void let_e(Id id, Id name, Id type, Id value, Id body, bool non_dep) = 0;
    virtual void proj(Id id, Id type_name, std::uint64_t index, Id structure) = 0;
    /// Decimal digits.
    virtual void nat_literal(Id id, std::string_view digits) = 0;
    virtual void string_literal(Id id, std::string_view text) = 0;
    /// The annotation itself is not passed on: no checker looks at it.
    virtual void mdata(Id id, Id term) = 0;

    virtual void declaration(const ExportDeclaration& declaration) = 0;
};

/// Why a line cannot be taken.
struct BadLine {
    std::string text;
    /// Where in the line, in bytes from its start; or else the number to look for there.
    std::optional<std::size_t> column;
    std::optional<Id> culprit;
};

} // namespace leanhost::module::lean4export
