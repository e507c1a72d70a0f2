#pragma once

#include "base/build_once.hpp"
#include "engine_native/kernel_pool.hpp"
#include "module/axiom_sets.hpp"

#include <leanhost/session.hpp>

#include <atomic>
#include <chrono>

namespace leanhost::engine_native {

/// A closure and its index: what all sessions of one import set share. Immutable but for when its
/// files were last looked at; thread-safe.
class LoadedClosure {
public:
    using Clock = std::chrono::steady_clock;

    /// Loads and indexes; `anchor` (the runtime) is kept as long as this. Throws what load_closure
    /// and ConstantIndex throw.
    LoadedClosure(const module::ClosureRequest& request,
                  module::RegionSource& regions,
                  Monitor& monitor,
                  std::shared_ptr<const void> anchor);

    const module::ImportClosure& closure() const noexcept { return closure_; }
    const module::ConstantIndex& index() const noexcept { return index_; }
    const ImportFacts& facts() const noexcept { return facts_; }

    /// Built when first wanted, shared by all sessions. `monitor` may end the build, or the wait
    /// for another thread's. Throws what their constructors throw.
    const module::ReferenceGraph& references(Monitor& monitor) const;
    const module::AxiomSets& axioms(Monitor& monitor) const;

    /// Checkers over the closure, shared by all sessions.
    KernelPool& kernels() const noexcept { return kernels_; }

    /// Whether the files are still those that were loaded, as of at most `max_age` ago.
    /// Cost: nothing inside that time, else one system call a file.
    bool is_current(Clock::duration max_age) const;

private:
    std::shared_ptr<const void> anchor_; // goes last
    module::SearchPath search_path_;
    mutable std::atomic<Clock::duration> verified_at_; // before the files were first looked at
    module::ImportClosure closure_;
    module::ConstantIndex index_; // looks into closure_
    ImportFacts facts_;
    const unsigned max_threads_;
    BuildOnce<module::ReferenceGraph> references_;
    BuildOnce<module::AxiomSets> axioms_;
    mutable KernelPool kernels_; // looks into closure_ and index_
};

} // namespace leanhost::engine_native
