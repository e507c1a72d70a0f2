#include "engine_native/loaded_closure.hpp"

#include <algorithm>

namespace leanhost::engine_native {

namespace {

ImportFacts facts_of(const module::ImportClosure& closure, const module::ConstantIndex& index) {
    ImportFacts facts;
    facts.modules = closure.modules().size();
    facts.constants = index.num_constants();
    facts.index_bytes = index.size_bytes();
    for (const module::ClosureModule& m : closure.modules()) {
        const std::uint64_t bytes = m.region->size_bytes();
        facts.region_bytes += bytes;
        if (m.region->is_relocated())
            facts.relocated_bytes += bytes;
    }
    for (const module::MissingModule& m : closure.missing())
        facts.missing_modules.push_back(m.name);
    return facts;
}

} // namespace

LoadedClosure::LoadedClosure(const module::ClosureRequest& request,
                             module::RegionSource& regions,
                             Monitor& monitor,
                             std::shared_ptr<const void> anchor)
    : anchor_(std::move(anchor)), search_path_(request.search_path),
      verified_at_(Clock::now().time_since_epoch()),
      closure_(module::load_closure(request, regions, monitor)),
      index_(closure_, request.max_threads, monitor), facts_(facts_of(closure_, index_)),
      max_threads_(request.max_threads), kernels_(closure_, index_) {}

const module::ReferenceGraph& LoadedClosure::references(Monitor& monitor) const {
    return references_.get(monitor, [&] {
        return std::make_unique<const module::ReferenceGraph>(closure_, index_, max_threads_,
                                                              monitor);
    });
}

const module::AxiomSets& LoadedClosure::axioms(Monitor& monitor) const {
    const module::ReferenceGraph& graph = references(monitor);
    return axioms_.get(monitor, [&] {
        return std::make_unique<const module::AxiomSets>(closure_, graph, monitor);
    });
}

bool LoadedClosure::is_current(Clock::duration max_age) const {
    const Clock::duration now = Clock::now().time_since_epoch();
    if (now - verified_at_.load(std::memory_order_relaxed) < max_age)
        return true;
    const auto& missing = closure_.missing();
    const bool current =
        closure_.is_current() && std::none_of(missing.begin(), missing.end(), [&](const auto& m) {
            return search_path_.find(m.name).has_value();
        });
    if (current)
        verified_at_.store(now, std::memory_order_relaxed);
    return current;
}

} // namespace leanhost::engine_native
