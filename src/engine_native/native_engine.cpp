#include "engine_native/native_engine.hpp"

#include "base/failure.hpp"

#include <thread>

namespace leanhost::engine_native {

// Owns a slot while it loads or looks; a caller that waits can be cancelled. A flag and a condition
// instead of a timed mutex: the thread sanitizer does not see std::timed_mutex::try_lock_for.
class NativeEngine::SlotOwner {
public:
    SlotOwner(Slot& slot, const CancellationToken& cancellation) : slot_(slot) {
        using namespace std::chrono_literals;
        std::unique_lock lock(slot.mutex);
        if (slot.owner == std::this_thread::get_id()) {
            fail(ErrorCode::invalid_argument,
                 "a progress sink asked for the very imports that it reports on");
        }
        const auto is_free = [&] { return slot.owner == std::thread::id(); };
        while (!slot.freed.wait_for(lock, 20ms, is_free)) {
            if (cancellation.is_cancelled())
                fail(ErrorCode::cancelled, "cancelled by the caller");
        }
        slot.owner = std::this_thread::get_id();
    }
    SlotOwner(const SlotOwner&) = delete;
    SlotOwner& operator=(const SlotOwner&) = delete;
    ~SlotOwner() {
        const std::lock_guard lock(slot_.mutex);
        slot_.owner = std::thread::id();
        slot_.freed.notify_one();
    }

private:
    Slot& slot_;
};

std::size_t NativeEngine::ImportSetHash::operator()(const ImportSet& imports) const {
    std::size_t hash = absl::HashOf(imports.profile, imports.allow_missing);
    for (const Name& name : imports.modules)
        hash = absl::HashOf(hash, name.hash());
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

std::shared_ptr<const LoadedClosure>
NativeEngine::load_shared(const ImportSet& imports,
                          const CallOptions& options,
                          const std::shared_ptr<const void>& anchor,
                          bool& was_shared) {
    const std::shared_ptr<Slot> slot = slot_for(imports);
    const SlotOwner owner(*slot, options.cancellation);
    if (auto loaded = slot->loaded.lock();
        loaded && loaded->is_current(options_.revalidate_after)) {
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
    const module::Trust trust =
        options_.trust == SearchPathTrust::hostile ? module::Trust::hostile : module::Trust::stable;
    const module::ClosureRequest request{search_path_, imports, trust, options_.max_import_threads};
    module::RegionSource& regions = options_.region_policy == RegionPolicy::shared
                                        ? static_cast<module::RegionSource&>(registry_)
                                        : loader_model_;
    return std::make_shared<const LoadedClosure>(request, regions, monitor, anchor);
}

std::shared_ptr<NativeEngine::Slot> NativeEngine::slot_for(const ImportSet& imports) {
    const std::lock_guard lock(mutex_);
    if (slots_.size() >= sweep_at_) {
        // A slot that only the table holds is not being loaded, so its closure cannot appear
        // meanwhile.
        absl::erase_if(slots_, [](const auto& slot) {
            const std::unique_lock unused(slot.second->mutex, std::try_to_lock);
            return unused && slot.second.use_count() == 1 && slot.second->loaded.expired();
        });
        sweep_at_ = std::max<std::size_t>(16, 2 * slots_.size());
    }
    const auto known = slots_.find(imports);
    if (known != slots_.end())
        return known->second;
    return slots_.emplace(imports, std::make_shared<Slot>()).first->second;
}

} // namespace leanhost::engine_native
