#pragma once

#include "object/constant_info.hpp"

namespace leanhost::object {

/// One `import` line of a module. Borrows like ObjectRef.
class ImportRef {
public:
    explicit ImportRef(ObjectRef object) noexcept : object_(object) {}
    NameRef module() const { return NameRef(object_.field(0)); }
    // The module system's flags (since 4.20): `import all`, `public import`, `meta import`. Before,
    // the first byte was `runtimeOnly`, in every file 0.
    bool import_all() const { return flag(0); }
    bool is_exported() const { return flag(1); }
    bool is_meta() const { return flag(2); }

private:
    bool flag(unsigned i) const { return object_.scalar_field<std::uint8_t>(i) != 0; }
    ObjectRef object_;
};

/// What one environment extension keeps in a module: its name and an array of objects of its own
/// kinds.
class ExtensionEntriesRef {
public:
    explicit ExtensionEntriesRef(ObjectRef object) noexcept : object_(object) {}
    NameRef extension() const { return NameRef(object_.field(0)); }
    std::span<const ObjectRef> entries() const { return object_.field(1).array(); }

private:
    ObjectRef object_;
};

/// A view of the root of a module's part, Lean's `ModuleData`: three fields in modules before 2023
/// (imports, constants, entries), five since (imports, names, constants, extra names, entries).
/// Borrows like ObjectRef.
class ModuleDataRef {
public:
    /// Throws MalformedObject for any other shape.
    explicit ModuleDataRef(ObjectRef object);

    ObjectRef object() const noexcept { return object_; }
    unsigned num_root_fields() const { return object_.num_fields(); }
    bool has_constant_names() const { return !is_old(); }
    /// Whether the module was compiled by the module system (4.20 and later).
    bool is_module() const {
        return object_.scalar_area_bytes() > 0 && object_.scalar_field<std::uint8_t>(0);
    }
    bool states_is_module() const { return object_.scalar_area_bytes() > 0; }

    std::span<const ObjectRef> imports() const { return object_.field(0).array(); }
    /// Names of the constants, one by one; empty in an old module.
    std::span<const ObjectRef> constant_names() const;
    std::span<const ObjectRef> constants() const { return object_.field(is_old() ? 1 : 2).array(); }
    /// Names that code generation added; empty in an old module.
    std::span<const ObjectRef> extra_constant_names() const;
    std::span<const ObjectRef> entries() const { return object_.field(is_old() ? 2 : 4).array(); }

    ImportRef import(std::size_t i) const { return ImportRef(imports()[i]); }
    ConstantInfoRef constant(std::size_t i) const { return ConstantInfoRef(constants()[i]); }

private:
    bool is_old() const { return object_.num_fields() == 3; }
    ObjectRef object_;
};

} // namespace leanhost::object
