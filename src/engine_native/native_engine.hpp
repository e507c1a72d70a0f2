#pragma once

#include "engine_native/native_session.hpp"
#include "module/lean_loader_model.hpp"
#include "module/region_registry.hpp"

#include <leanhost/engine_options.hpp>

#include <absl/container/flat_hash_map.h>

#include <condition_variable>
#include <mutex>
#include <thread>

namespace leanhost::engine_native {

/// The embedded engine: imports modules and hands out sessions. Sessions of one import set share
/// one loaded closure as long as any of them lives. Thread-safe; sessions may outlive it.
class NativeEngine {
public:
    explicit NativeEngine(NativeEngineOptions options);

    const NativeEngineOptions& options() const noexcept { return options_; }

    /// A session over `imports`. Cost: of an import when no live session has that closure or its
    /// files have changed; else a look-up and, once a `revalidate_after`, one system call a file.
    /// What is loaded keeps `anchor` (the runtime) as long as anything uses it.
    /// Throws what load_closure and ConstantIndex throw.
    std::unique_ptr<NativeSession> open(const ImportSet& imports,
                                        const CallOptions& options,
                                        const std::shared_ptr<const void>& anchor = nullptr);

    module::RegistryStats registry_stats() const { return registry_.stats(); }
    module::LoaderModelStats loader_model_stats() const { return loader_model_.stats(); }

private:
    struct ImportSetHash {
        std::size_t operator()(const ImportSet& imports) const;
    };
    // One import set's closure, if a session lives. The mutex makes concurrent imports of it one.
    struct Slot {
        std::mutex mutex;
        std::condition_variable freed;
        std::thread::id owner;                     // guarded by mutex; none: free
        std::weak_ptr<const LoadedClosure> loaded; // the owner's
    };
    class SlotOwner;

    std::shared_ptr<Slot> slot_for(const ImportSet& imports);
    std::shared_ptr<const LoadedClosure> load(const ImportSet& imports,
                                              const CallOptions& options,
                                              const std::shared_ptr<const void>& anchor);
    std::shared_ptr<const LoadedClosure> load_shared(const ImportSet& imports,
                                                     const CallOptions& options,
                                                     const std::shared_ptr<const void>& anchor,
                                                     bool& was_shared);

    const NativeEngineOptions options_;
    const module::SearchPath search_path_;
    module::RegionRegistry registry_;
    module::LeanLoaderModel loader_model_;
    std::mutex mutex_;
    // guarded by mutex_; slots whose closure is gone are removed when the table has doubled
    absl::flat_hash_map<ImportSet, std::shared_ptr<Slot>, ImportSetHash> slots_;
    std::size_t sweep_at_ = 16; // guarded by mutex_
};

} // namespace leanhost::engine_native
