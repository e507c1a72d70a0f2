#include "base/guard.hpp"
#include "engine_native/file_checks.hpp"
#include "engine_native/native_engine.hpp"

#include <leanhost/runtime.hpp>

#include <cstdlib>
#include <mutex>

namespace leanhost {
namespace {

NativeEngineOptions engine_options(const RuntimeOptions& options) {
    return {options.search_path, options.trust, options.region_policy, options.revalidate_after,
            options.max_import_threads};
}

RuntimeOptions with_default_search_path(RuntimeOptions options) {
    if (options.search_path.empty()) {
        // NOLINTNEXTLINE(concurrency-mt-unsafe): read once, before anything of ours could change it
        if (const char* const path = std::getenv("LEAN_PATH"); path != nullptr) {
            options.search_path = module::SearchPath::from_text(path).roots();
        }
    }
    return options;
}

} // namespace

struct Runtime::State {
    explicit State(RuntimeOptions o) : options(std::move(o)), engine(engine_options(options)) {}
    const RuntimeOptions options;
    engine_native::NativeEngine engine;
};

namespace {

struct LiveRuntime {
    std::mutex mutex;
    std::weak_ptr<void> state; // guarded by mutex
};

LiveRuntime& live_runtime() {
    static LiveRuntime live;
    return live;
}

} // namespace

Expected<Runtime> Runtime::init(RuntimeOptions options) {
    return guarded("Runtime::init", [&]() -> Runtime {
        if (options.engine != EngineKind::native) {
            fail(ErrorCode::unsupported,
                 "the lean engine is not part of this version; use EngineKind::native");
        }
        options = with_default_search_path(std::move(options));
        const std::lock_guard lock(live_runtime().mutex);
        if (auto live = std::static_pointer_cast<State>(live_runtime().state.lock())) {
            if (live->options == options)
                return Runtime(std::move(live));
            fail(ErrorCode::runtime_conflict, "a runtime with other options lives in this process; "
                                              "drop everything made from it first, "
                                              "or ask with the same options");
        }
        auto state = std::make_shared<State>(std::move(options));
        live_runtime().state = state;
        return Runtime(std::move(state));
    });
}

const RuntimeOptions& Runtime::options() const noexcept {
    return state_->options;
}

Expected<std::shared_ptr<const Session>> Runtime::open_session(const ImportSet& imports,
                                                               const CallOptions& options) const {
    return guarded("Runtime::open_session", [&]() -> std::shared_ptr<const Session> {
        return state_->engine.open(imports, options, state_);
    });
}

Expected<ExportReport> Runtime::check_export(const std::filesystem::path& path,
                                             const CheckOptions& check,
                                             const CallOptions& options) const {
    return guarded("Runtime::check_export", [&] {
        Monitor monitor(options.progress, options.cancellation);
        return kernel::check_export(path, engine_native::file_check_options(check), monitor);
    });
}

RegionFacts Runtime::region_facts() const {
    const module::RegistryStats stats = state_->engine.registry_stats();
    const module::LoaderModelStats model = state_->engine.loader_model_stats();
    return {stats.regions + model.modules_mapped + model.modules_relocated,
            stats.mapped_bytes + model.mapped_bytes, stats.relocated_bytes + model.relocated_bytes,
            stats.sealed_bytes, stats.validated_bytes};
}

} // namespace leanhost
