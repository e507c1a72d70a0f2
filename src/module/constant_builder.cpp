#include "module/constant_builder.hpp"

#include <array>

namespace leanhost::module {
namespace {

using object::ConstantKind;
using object::ReducibilityHints;

std::uint8_t flag(bool value) {
    return value ? 1 : 0;
}
BuiltRef nat(std::uint64_t value) {
    return ObjectBuilder::mk_scalar(value);
}

} // namespace

// Constructor 0 of its type; the flags are bytes of the scalar area.
BuiltRef ConstantBuilder::mk_flagged(std::span<const BuiltRef> fields,
                                     std::span<const std::uint8_t> flags) {
    return terms_.objects().mk_constructor(0, fields, std::as_bytes(flags));
}

BuiltRef ConstantBuilder::mk_head(const BuiltConstantHead& head) {
    return mk_flagged(std::array{head.name, head.universe_params, head.type}, {});
}

// Lean: a ConstantInfo holds one field, the kind's own structure.
BuiltConstant ConstantBuilder::mk_constant(ConstantKind kind,
                                           BuiltRef name,
                                           std::span<const BuiltRef> fields,
                                           std::span<const std::uint8_t> flags) {
    const BuiltRef val = mk_flagged(fields, flags);
    return {name, terms_.objects().mk_constructor(static_cast<unsigned>(kind), {&val, 1})};
}

BuiltConstant ConstantBuilder::mk_axiom(const BuiltConstantHead& head, bool is_unsafe) {
    return mk_constant(ConstantKind::axiom, head.name, std::array{mk_head(head)},
                       std::array{flag(is_unsafe)});
}

BuiltRef ConstantBuilder::mk_hints(ReducibilityHints hints) {
    if (hints.kind != ReducibilityHints::Kind::regular)
        return nat(static_cast<std::uint64_t>(hints.kind));
    return terms_.objects().mk_constructor(static_cast<unsigned>(hints.kind), {},
                                           std::as_bytes(std::span(&hints.height, 1)));
}

BuiltConstant ConstantBuilder::mk_definition(const BuiltConstantHead& head,
                                             const DefinitionParts& parts) {
    return mk_constant(ConstantKind::definition, head.name,
                       std::array{mk_head(head), parts.value, mk_hints(parts.hints), parts.all},
                       std::array{static_cast<std::uint8_t>(parts.safety)});
}

BuiltConstant
ConstantBuilder::mk_theorem(const BuiltConstantHead& head, BuiltRef value, BuiltRef all) {
    return mk_constant(ConstantKind::theorem, head.name, std::array{mk_head(head), value, all}, {});
}

BuiltConstant ConstantBuilder::mk_opaque(const BuiltConstantHead& head,
                                         BuiltRef value,
                                         BuiltRef all,
                                         bool is_unsafe) {
    return mk_constant(ConstantKind::opaque, head.name, std::array{mk_head(head), value, all},
                       std::array{flag(is_unsafe)});
}

BuiltConstant ConstantBuilder::mk_quotient(const BuiltConstantHead& head, std::uint8_t kind) {
    return mk_constant(ConstantKind::quotient, head.name, std::array{mk_head(head)},
                       std::array{kind});
}

BuiltConstant ConstantBuilder::mk_inductive(const BuiltConstantHead& head,
                                            const InductiveParts& parts) {
    return mk_constant(
        ConstantKind::inductive, head.name,
        std::array{mk_head(head), nat(parts.num_params), nat(parts.num_indices), parts.all,
                   parts.constructors, nat(parts.num_nested)},
        std::array{flag(parts.is_recursive), flag(parts.is_unsafe), flag(parts.is_reflexive)});
}

BuiltConstant ConstantBuilder::mk_constructor(const BuiltConstantHead& head,
                                              const ConstructorParts& parts) {
    return mk_constant(ConstantKind::constructor, head.name,
                       std::array{mk_head(head), parts.inductive, nat(parts.index),
                                  nat(parts.num_params), nat(parts.num_fields)},
                       std::array{flag(parts.is_unsafe)});
}

BuiltConstant ConstantBuilder::mk_recursor(const BuiltConstantHead& head,
                                           const RecursorParts& parts) {
    return mk_constant(ConstantKind::recursor, head.name,
                       std::array{mk_head(head), parts.all, nat(parts.num_params),
                                  nat(parts.num_indices), nat(parts.num_motives),
                                  nat(parts.num_minors), parts.rules},
                       std::array{flag(parts.has_k), flag(parts.is_unsafe)});
}

BuiltRef
ConstantBuilder::mk_recursor_rule(BuiltRef constructor, std::uint64_t num_fields, BuiltRef rhs) {
    return mk_flagged(std::array{constructor, nat(num_fields), rhs}, {});
}

BuiltRef ConstantBuilder::mk_import(const BuiltImport& import) {
    return mk_flagged(
        {&import.module, 1},
        std::array{flag(import.import_all), flag(import.is_exported), flag(import.is_meta)});
}

BuiltRef ConstantBuilder::mk_module_data(const ModuleDataParts& parts) {
    std::vector<BuiltRef> imports;
    std::vector<BuiltRef> names;
    std::vector<BuiltRef> infos;
    std::vector<BuiltRef> entries;
    for (const BuiltImport& import : parts.imports)
        imports.push_back(mk_import(import));
    for (const BuiltConstant& constant : parts.constants) {
        names.push_back(constant.name);
        infos.push_back(constant.info);
    }
    for (const BuiltEntries& e : parts.entries)
        entries.push_back(terms_.mk_pair(e.extension, e.entries));
    ObjectBuilder& objects = terms_.objects();
    return mk_flagged(
        std::array{objects.mk_array(imports), objects.mk_array(names), objects.mk_array(infos),
                   objects.mk_array(parts.extra_constant_names), objects.mk_array(entries)},
        std::array{flag(parts.is_module)});
}

} // namespace leanhost::module
