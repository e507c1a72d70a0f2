#pragma once

#include "module/reference_graph.hpp"

#include <absl/container/flat_hash_map.h>

namespace leanhost::module {

/// For every constant of a closure, the axioms that it rests on, directly or through others; an
/// axiom rests on itself. Constants with the same axioms share one set, and there are few sets.
///
/// Computed in one pass over the strongly connected components of the graph, what is depended on
/// first. Immutable, thread-safe. Memory: 4 bytes a constant, metered as index; the sets on the
/// heap, 64 MiB at most and some hundred bytes as a rule.
class AxiomSets {
public:
    using Number = ReferenceGraph::Number;

    /// Borrows nothing beyond the call. Throws Failure: resource_exhausted when the sets together
    /// would hold more than 16 million axioms; cancelled, sink_failed.
    AxiomSets(const ImportClosure& closure, const ReferenceGraph& graph, Monitor& monitor);

    /// Ascending.
    std::span<const Number> axioms(Number constant) const noexcept {
        return sets_[set_of_[constant] >> 1];
    }
    /// False when it rests on something that no module of the closure has: there may be more
    /// axioms.
    bool is_complete(Number constant) const noexcept { return (set_of_[constant] & 1) == 0; }

    std::uint64_t size_bytes() const noexcept {
        return set_of_.size_bytes() + total_elements_ * sizeof(Number);
    }

private:
    using SetIndex = std::uint32_t;
    class Components;

    SetIndex intern(std::vector<Number> set);
    SetIndex unite(SetIndex a, SetIndex b);

    memory::MappedArray<std::uint32_t> set_of_; // index of the set, then whether it is incomplete
    std::vector<std::vector<Number>> sets_;
    std::uint64_t total_elements_ = 0;
    // While it is built.
    absl::flat_hash_map<std::vector<Number>, SetIndex> known_;
    absl::flat_hash_map<std::pair<SetIndex, SetIndex>, SetIndex> unions_;
};

} // namespace leanhost::module
