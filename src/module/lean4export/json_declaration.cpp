#include "module/lean4export/json_declaration.hpp"

#include <array>
#include <limits>

namespace leanhost::module::lean4export::json {
namespace {

using object::ConstantKind;
using object::DefinitionSafety;
using object::ReducibilityHints;

DefinitionSafety safety(std::string_view name) {
    if (name == "safe")
        return DefinitionSafety::safe;
    if (name == "unsafe")
        return DefinitionSafety::unsafe;
    if (name == "partial")
        return DefinitionSafety::partial;
    bad("no safety is called \"" + std::string(name) + "\"");
}

std::uint8_t quotient_kind(std::string_view name) {
    constexpr std::array<std::string_view, 4> names = {"type", "ctor", "lift", "ind"};
    for (std::uint8_t i = 0; i < names.size(); ++i) {
        if (names[i] == name)
            return i;
    }
    bad("no part of the quotient is called \"" + std::string(name) + "\"");
}

ReducibilityHints hints(Value value) {
    if (value.type() == Type::object) {
        const std::uint64_t height = number(value, "regular");
        if (height > std::numeric_limits<std::uint32_t>::max())
            bad("a definitional height of 2^32 and more");
        return {ReducibilityHints::Kind::regular, static_cast<std::uint32_t>(height)};
    }
    const std::string_view name = value.text();
    if (name == "opaque")
        return {ReducibilityHints::Kind::opaque, 0};
    if (name == "abbrev")
        return {ReducibilityHints::Kind::abbreviation, 0};
    bad("no hints are called \"" + std::string(name) + "\"");
}

ExportConstant head(ConstantKind kind, Value object) {
    ExportConstant constant;
    constant.kind = kind;
    constant.name = number(object, "name");
    constant.universe_params = ids(object, "levelParams");
    constant.type = number(object, "type");
    return constant;
}

// `all` came with 3.0 for those with a value; before, a constant stood for itself.
std::vector<Id> all_of(Value object, Id own) {
    if (has(object, "all"))
        return ids(object, "all");
    return {own};
}

ExportConstant axiom(Value object) {
    ExportConstant constant = head(ConstantKind::axiom, object);
    constant.is_unsafe = flag(object, "isUnsafe");
    return constant;
}

ExportConstant definition(Value object) {
    ExportConstant constant = head(ConstantKind::definition, object);
    constant.value = number(object, "value");
    constant.hints = hints(field(object, "hints"));
    constant.safety = safety(text(object, "safety"));
    constant.all = all_of(object, constant.name);
    return constant;
}

ExportConstant theorem(Value object) {
    ExportConstant constant = head(ConstantKind::theorem, object);
    constant.value = number(object, "value");
    constant.all = all_of(object, constant.name);
    return constant;
}

ExportConstant opaque(Value object) {
    ExportConstant constant = head(ConstantKind::opaque, object);
    constant.value = number(object, "value");
    constant.is_unsafe = flag(object, "isUnsafe");
    constant.all = all_of(object, constant.name);
    return constant;
}

ExportConstant quotient(Value object) {
    ExportConstant constant = head(ConstantKind::quotient, object);
    constant.quotient_kind = quotient_kind(text(object, "kind"));
    return constant;
}

ExportConstant inductive(Value object) {
    ExportConstant constant = head(ConstantKind::inductive, object);
    constant.num_params = number(object, "numParams");
    constant.num_indices = number(object, "numIndices");
    constant.num_nested = number(object, "numNested");
    constant.all = ids(object, "all");
    constant.constructors = ids(object, "ctors");
    constant.is_recursive = flag(object, "isRec");
    constant.is_reflexive = flag(object, "isReflexive");
    constant.is_unsafe = flag(object, "isUnsafe");
    return constant;
}

ExportConstant constructor(Value object) {
    ExportConstant constant = head(ConstantKind::constructor, object);
    constant.inductive = number(object, "induct");
    constant.index = number(object, "cidx");
    constant.num_params = number(object, "numParams");
    constant.num_fields = number(object, "numFields");
    constant.is_unsafe = flag(object, "isUnsafe");
    return constant;
}

ExportConstant recursor(Value object) {
    ExportConstant constant = head(ConstantKind::recursor, object);
    constant.all = ids(object, "all");
    constant.num_params = number(object, "numParams");
    constant.num_indices = number(object, "numIndices");
    constant.num_motives = number(object, "numMotives");
    constant.num_minors = number(object, "numMinors");
    constant.has_k = flag(object, "k");
    constant.is_unsafe = flag(object, "isUnsafe");
    field(object, "rules").for_each_element([&](Value rule) {
        constant.rules.push_back(
            {number(rule, "ctor"), number(rule, "nfields"), number(rule, "rhs")});
    });
    return constant;
}

using ReadConstant = ExportConstant (*)(Value);

void read_all(std::vector<ExportConstant>& constants, Value array, ReadConstant read) {
    array.for_each_element([&](Value element) { constants.push_back(read(element)); });
}

// One constant, or (format 3.0) an array of those of a mutual block.
ExportDeclaration one_or_several(Value value, ReadConstant read) {
    ExportDeclaration declaration;
    if (value.type() == Type::array) {
        read_all(declaration.constants, value, read);
    } else {
        declaration.constants.push_back(read(value));
    }
    if (declaration.constants.empty())
        bad("a declaration of nothing");
    return declaration;
}

ExportDeclaration inductive_block(Value value) {
    ExportDeclaration declaration;
    declaration.is_inductive_block = true;
    read_all(declaration.constants, field(value, "types", "inductiveVals"), inductive);
    read_all(declaration.constants, field(value, "ctors", "constructorVals"), constructor);
    read_all(declaration.constants, field(value, "recs", "recursorVals"), recursor);
    if (declaration.constants.empty())
        bad("a declaration of nothing");
    return declaration;
}

struct DeclarationKey {
    std::string_view key;
    ReadConstant read; // null: an inductive block
};
constexpr DeclarationKey declaration_keys[] = {
    {"def", definition},       {"thm", theorem},       {"inductive", nullptr},
    {"axiom", axiom},          {"opaque", opaque},     {"quot", quotient},
    {"defnInfo", definition},  {"thmInfo", theorem},   {"inductInfo", inductive},
    {"ctorInfo", constructor}, {"recInfo", recursor},  {"axiomInfo", axiom},
    {"opaqueInfo", opaque},    {"quotInfo", quotient},
};

} // namespace

std::optional<ExportDeclaration> read_declaration(std::string_view key, Value value) {
    for (const DeclarationKey& known : declaration_keys) {
        if (known.key == key)
            return known.read == nullptr ? inductive_block(value)
                                         : one_or_several(value, known.read);
    }
    return std::nullopt;
}

} // namespace leanhost::module::lean4export::json
