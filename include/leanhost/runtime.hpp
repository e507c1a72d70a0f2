#pragma once

#include <leanhost/engine_options.hpp>
#include <leanhost/session.hpp>

#include <memory>

namespace leanhost {

struct RuntimeOptions {
    EngineKind engine = EngineKind::native;
    /// Folders in which modules are looked for, in order. Empty: those of the environment's
    /// LEAN_PATH.
    std::vector<std::filesystem::path> search_path = {};
    SearchPathTrust trust = SearchPathTrust::stable;
    RegionPolicy region_policy = RegionPolicy::shared;
    std::chrono::milliseconds revalidate_after{1000};
    unsigned max_import_threads = 0; ///< 0: one a core

    bool operator==(const RuntimeOptions&) const = default;
};

/// What the native engine's memory is used for, from its owners' meters. Bytes.
struct RegionFacts {
    std::uint64_t regions = 0;
    std::uint64_t mapped_bytes = 0;    ///< file pages at their base addresses
    std::uint64_t relocated_bytes = 0; ///< private copies
    std::uint64_t sealed_bytes = 0;    ///< of the mapped ones, sealed copies (hostile search paths)
    std::uint64_t validated_bytes = 0; ///< read by validation so far
};

/// The process's anchor of an engine. Everything else holds it, so nothing outlives it; copies are
/// cheap and share it. Thread-safe.
///
/// One at a time: while any copy or anything made from it lives, `init` with the same options
/// returns the same runtime, and with others fails. A native runtime may be made anew after the
/// last one went; a real Lean, once initialised, stays until the process ends.
class Runtime {
public:
    /// Errors: unsupported (an engine that is not part of this version); runtime_conflict (another
    /// runtime lives).
    static Expected<Runtime> init(RuntimeOptions options = {});

    const RuntimeOptions& options() const noexcept;

    /// Imports `imports`, or shares what a live session of the same imports has loaded. Prefer a
    /// SessionPool. The session keeps the runtime alive.
    /// Errors: missing_module, import_cycle, duplicate_constant, invalid_input,
    /// unsupported_version, io, file_changed, resource_exhausted, cancelled, sink_failed.
    Expected<std::shared_ptr<const Session>> open_session(const ImportSet& imports,
                                                          const CallOptions& options = {}) const;

    /// Checks every declaration of the lean4export file at `path` (.ndjson, or .zst), to the first
    /// that is not accepted. Needs no session: an export holds all that it rests on. A verdict is a
    /// result. All threads together have one deep stack. Progress: bytes.
    /// Errors: not_found, io, invalid_input, unsupported_version, resource_exhausted, cancelled,
    /// sink_failed.
    Expected<ExportReport> check_export(const std::filesystem::path& path,
                                        const CheckOptions& check = {},
                                        const CallOptions& options = {}) const;

    RegionFacts region_facts() const;

private:
    friend class SessionPool;
    struct State;
    explicit Runtime(std::shared_ptr<State> state) : state_(std::move(state)) {}
    std::shared_ptr<State> state_;
};

} // namespace leanhost
