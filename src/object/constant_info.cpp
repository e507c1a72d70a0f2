#include "object/constant_info.hpp"

#include <fmt/format.h>

namespace leanhost::object {
namespace {

// Behind field 0, the ConstantVal. docs/olean-format.md has the table.
constexpr unsigned value_field = 1;    // definition, theorem, opaque
constexpr unsigned hints_field = 2;    // definition
constexpr unsigned definition_all = 3; // since February 2023
constexpr unsigned theorem_all = 2;    // theorem and opaque, since February 2023
constexpr unsigned inductive_params = 1;
constexpr unsigned inductive_indices = 2;
constexpr unsigned inductive_all = 3;
constexpr unsigned inductive_constructors = 4;
constexpr unsigned inductive_nested = 5; // since 4.12
constexpr unsigned constructor_inductive = 1;
constexpr unsigned constructor_cidx = 2;
constexpr unsigned constructor_params = 3;
constexpr unsigned constructor_fields = 4;
constexpr unsigned recursor_all = 1;
constexpr unsigned recursor_params = 2;
constexpr unsigned recursor_indices = 3;
constexpr unsigned recursor_motives = 4;
constexpr unsigned recursor_minors = 5;
constexpr unsigned recursor_rules = 6;

// clang-format off
constexpr std::string_view kind_names[num_constant_kinds] = {
    "axiom", "definition", "theorem", "opaque", "quotient", "inductive", "constructor", "recursor"};
// clang-format on

} // namespace

std::string_view constant_kind_name(ConstantKind kind) noexcept {
    return kind_names[static_cast<std::size_t>(kind)];
}

ConstantKind ConstantInfoRef::kind() const {
    const std::uint64_t index = object_.constructor_index();
    if (object_.is_scalar() || index >= num_constant_kinds || object_.num_fields() != 1) {
        throw MalformedObject(object_.word(), "constant", object_.describe());
    }
    return static_cast<ConstantKind>(index);
}

ObjectRef ConstantInfoRef::val_of(ConstantKind wanted) const {
    if (kind() != wanted) {
        throw MalformedObject(object_.word(),
                              fmt::format("constant of kind {}", static_cast<unsigned>(wanted)),
                              object_.describe());
    }
    return val();
}

bool ConstantInfoRef::has_value() const {
    const ConstantKind k = kind();
    return k == ConstantKind::definition || k == ConstantKind::theorem || k == ConstantKind::opaque;
}

ExprRef ConstantInfoRef::value() const {
    if (!has_value())
        throw MalformedObject(object_.word(), "constant with a value", object_.describe());
    return ExprRef(val().field(value_field));
}

ReducibilityHints ConstantInfoRef::hints() const {
    const ObjectRef hints = val_of(ConstantKind::definition).field(hints_field);
    switch (hints.constructor_index()) {
    case 0:
        return {ReducibilityHints::Kind::opaque, 0};
    case 1:
        return {ReducibilityHints::Kind::abbreviation, 0};
    case 2:
        return {ReducibilityHints::Kind::regular, hints.scalar_field<std::uint32_t>(0)};
    default:
        throw MalformedObject(hints.word(), "reducibility hints", hints.describe());
    }
}

DefinitionSafety ConstantInfoRef::safety() const {
    const auto byte = val_of(ConstantKind::definition).scalar_field<std::uint8_t>(0);
    if (byte > 2)
        throw MalformedObject(val().word(), "definition safety of 0 to 2", std::to_string(byte));
    return static_cast<DefinitionSafety>(byte);
}

bool ConstantInfoRef::is_unsafe() const {
    switch (kind()) {
    case ConstantKind::axiom:
    case ConstantKind::opaque:
    case ConstantKind::constructor:
        return flag(0) != 0;
    case ConstantKind::inductive:
    case ConstantKind::recursor:
        return flag(1) != 0;
    case ConstantKind::definition:
        return safety() == DefinitionSafety::unsafe;
    default:
        return false;
    }
}

std::uint8_t ConstantInfoRef::quotient_kind() const {
    const auto byte = val_of(ConstantKind::quotient).scalar_field<std::uint8_t>(0);
    if (byte > 3)
        throw MalformedObject(val().word(), "quotient kind of 0 to 3", std::to_string(byte));
    return byte;
}

NatRef ConstantInfoRef::num_params() const {
    switch (kind()) {
    case ConstantKind::constructor:
        return NatRef(val().field(constructor_params));
    case ConstantKind::recursor:
        return NatRef(val().field(recursor_params));
    default:
        return NatRef(val_of(ConstantKind::inductive).field(inductive_params));
    }
}

NatRef ConstantInfoRef::num_indices() const {
    if (kind() == ConstantKind::recursor)
        return NatRef(val().field(recursor_indices));
    return NatRef(val_of(ConstantKind::inductive).field(inductive_indices));
}

bool ConstantInfoRef::has_all() const {
    switch (kind()) {
    case ConstantKind::definition:
        return val().num_fields() > definition_all;
    case ConstantKind::theorem:
    case ConstantKind::opaque:
        return val().num_fields() > theorem_all;
    case ConstantKind::inductive:
    case ConstantKind::recursor:
        return true;
    default:
        return false;
    }
}

ListRef<NameRef> ConstantInfoRef::all() const {
    switch (kind()) {
    case ConstantKind::definition:
        return ListRef<NameRef>(val().field(definition_all));
    case ConstantKind::theorem:
    case ConstantKind::opaque:
        return ListRef<NameRef>(val().field(theorem_all));
    case ConstantKind::recursor:
        return ListRef<NameRef>(val().field(recursor_all));
    default:
        return ListRef<NameRef>(val_of(ConstantKind::inductive).field(inductive_all));
    }
}

ListRef<NameRef> ConstantInfoRef::constructors() const {
    return ListRef<NameRef>(val_of(ConstantKind::inductive).field(inductive_constructors));
}

bool ConstantInfoRef::is_recursive() const {
    return val_of(ConstantKind::inductive).scalar_field<std::uint8_t>(0) != 0;
}

bool ConstantInfoRef::is_reflexive() const {
    return val_of(ConstantKind::inductive).scalar_field<std::uint8_t>(2) != 0;
}

std::optional<NatRef> ConstantInfoRef::num_nested() const {
    const ObjectRef inductive = val_of(ConstantKind::inductive);
    if (inductive.num_fields() <= inductive_nested)
        return std::nullopt;
    return NatRef(inductive.field(inductive_nested));
}

NameRef ConstantInfoRef::inductive_name() const {
    return NameRef(val_of(ConstantKind::constructor).field(constructor_inductive));
}

NatRef ConstantInfoRef::constructor_index() const {
    return NatRef(val_of(ConstantKind::constructor).field(constructor_cidx));
}

NatRef ConstantInfoRef::num_constructor_fields() const {
    return NatRef(val_of(ConstantKind::constructor).field(constructor_fields));
}

NatRef ConstantInfoRef::num_motives() const {
    return NatRef(val_of(ConstantKind::recursor).field(recursor_motives));
}

NatRef ConstantInfoRef::num_minors() const {
    return NatRef(val_of(ConstantKind::recursor).field(recursor_minors));
}

ListRef<RecursorRuleRef> ConstantInfoRef::rules() const {
    return ListRef<RecursorRuleRef>(val_of(ConstantKind::recursor).field(recursor_rules));
}

bool ConstantInfoRef::has_k() const {
    return val_of(ConstantKind::recursor).scalar_field<std::uint8_t>(0) != 0;
}

} // namespace leanhost::object
