#pragma once

#include "memory/named_mapping.hpp"
#include "module/import_closure.hpp"

namespace leanhost::module {

/// Where a constant stands: a module of the closure and a place among its constants.
struct ConstantPlace {
    std::uint32_t module;
    std::uint32_t constant;
    bool operator==(const ConstantPlace&) const = default;
};

/// From a name to its constant, over one closure. Eight bytes a slot: part of the hash and the
/// place; names stay in the modules. Built once for each closure, immutable, thread-safe.
///
/// Invariants: (1) the table's size is a power of two, at most 3/4 of it is used; (2) a slot that
/// is 0 is free; (3) of several constants with one name only the first in import order has a slot.
/// Hashes are computed from the names' text: those that files carry are not trusted.
class ConstantIndex {
public:
    /// Builds the index in parallel. The closure is not kept: it must outlive the index.
    /// Throws Failure: duplicate_constant (both modules) unless Lean would accept the pair, which
    /// it does for a theorem stated twice; invalid_input for constants that are none and for names
    /// made to collide; resource_exhausted; cancelled.
    ConstantIndex(const ImportClosure& closure, unsigned max_threads, Monitor& monitor);

    /// Cost: about one cache miss in the table and two in the module.
    std::optional<ConstantPlace> find(const Name& name) const;

    std::uint64_t num_constants() const noexcept { return num_constants_; }
    std::uint64_t size_bytes() const noexcept { return slots_.size() * sizeof(std::uint64_t); }

private:
    const ImportClosure& closure_;
    memory::MappedArray<std::uint64_t> slots_;
    std::uint64_t num_constants_ = 0;
};

/// The constant's view. The place must be one of the closure.
inline object::ConstantInfoRef constant_at(const ImportClosure& closure, ConstantPlace place) {
    return closure.modules()[place.module].data.constant(place.constant);
}

} // namespace leanhost::module
