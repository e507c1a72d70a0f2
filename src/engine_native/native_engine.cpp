#include "engine_native/native_engine.hpp"

namespace leanhost::engine_native {

std::size_t NativeEngine::ImportSetHash::operator()(const ImportSet& imports) const {
    std::size_t hash = absl::HashOf(imports.profile, imports.allow_missing);
    for (const Name& name : imports.modules) hash = absl::HashOf(hash, name.hash());
    return hash;
}

NativeEngine::NativeEngine(NativeEngineOptions options)
    : options_(std::move(options)), search_path_(options_.search_path) {}

std::unique_ptr<NativeSession> NativeEngine::open(const ImportSet& imports,
                                                  const CallOptions& options,
                                                  const std::shared_ptr<const void>& anchor) {
    bool was_shared = false;
    // Lean shares nothing between imports, and neither does the model.
    auto loaded = options_.region_policy == RegionPolicy::shared
                      ? load_shared(imports, options, anchor, was_shared)
                      : load(imports, options, anchor);
    return std::make_unique<NativeSession>(std::move(loaded), imports, was_shared);
}

std::shared_ptr<const LoadedClosure> NativeEngine::load_shared(const ImportSet& imports,
                                                               const CallOptions& options,
                                                               const std::shared_ptr<const void>& anchor,
                                                               bool& was_shared) {
    const std::shared_ptr<Slot> slot = slot_for(imports);
    const std::lock_guard lock(slot->mutex);
    if (auto loaded = slot->loaded.lock(); loaded && loaded->is_current(options_.revalidate_after)) {
        was_shared = true;
        return loaded;
    }
    auto loaded = load(imports, options, anchor);
    slot->loaded = loaded;
    return loaded;
}

std::shared_ptr<const LoadedClosure> NativeEngine::load(const ImportSet& imports,
                                                        const CallOptions& options,
                                                        const std::shared_ptr<const void>& anchor) {
    Monitor monitor(options.progress, options.cancellation);
    const module::Trust trust = options_.trust == SearchPathTrust::hostile ? module::Trust::hostile
                                                                           : module::Trust::stable;
    const module::ClosureRequest request{search_path_, imports, trust, options_.max_import_threads};
    module::RegionSource& regions = options_.region_policy == RegionPolicy::shared
                                        ? static_cast<module::RegionSource&>(registry_)
                                        : loader_model_;
    return std::make_shared<const LoadedClosure>(request, regions, monitor, anchor);
}

std::shared_ptr<NativeEngine::Slot> NativeEngine::slot_for(const ImportSet& imports) {
    const std::lock_guard lock(mutex_);
    if (slots_.size() >= sweep_at_) {
        // A slot that only the table holds is not being loaded, so its closure cannot appear meanwhile.
        absl::erase_if(slots_, [](const auto& slot) {
            const std::unique_lock unused(slot.second->mutex, std::try_to_lock);
            return unused && slot.second.use_count() == 1 && slot.second->loaded.expired();
        });
        sweep_at_ = std::max<std::size_t>(16, 2 * slots_.size());
    }
    auto& slot = slots_[imports];
    if (slot == nullptr) slot = std::make_shared<Slot>();
    return slot;
}

} // namespace leanhost::engine_native
