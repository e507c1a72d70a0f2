#pragma once

#include <leanhost/session_pool.hpp>

#include <nlohmann/json_fwd.hpp>

#include <filesystem>
#include <optional>
#include <vector>

namespace leanhost::cli {

/// How much the memory reproducer does. One row each in `memory_command.cpp`'s option table.
struct MemoryWorkload {
    std::uint64_t imports = 192;    ///< fresh import/drop rounds, and again pooled ones
    std::uint64_t bulk_calls = 512; ///< introspection calls; as many checks and reductions
    std::uint64_t names_per_call = 16;
    std::uint64_t pool_capacity = 4;
    std::uint64_t checkpoint_every = 16; ///< rounds between checkpoints
    std::uint64_t pause_ms = 200;        ///< before the last checkpoint
    unsigned max_threads = 0;

    std::vector<std::filesystem::path> search_path;
    std::vector<Name> modules;
    bool allow_missing = false;
    std::filesystem::path capability; ///< a capability library to load; empty: none
};

/// The engine side that one column of the report shows: the native engine, the model of Lean's
/// loader, and that model in a process under libleanhost_regions.
enum class MemoryColumn : std::uint8_t { native, model, shared };
inline constexpr MemoryColumn memory_columns[] = {MemoryColumn::native, MemoryColumn::model,
                                                  MemoryColumn::shared};
/// Stable: "native", "model", "shared".
std::string_view memory_column_name(MemoryColumn column) noexcept;

/// Runs the workload in this process and writes what happened to `out`, one JSON object a line:
/// events "checkpoint", "phase", "import", "skipped", "region_sharing" and "done". The process
/// should do nothing else before or after. `ceiling_bytes` bounds the anonymous bytes that the
/// fresh imports may reach, room for the later phases left; only for the model, which never gives
/// back. Errors: those of the session pool; invalid_argument: the shared column in a process
/// without libleanhost_regions.
Expected<void> run_memory_column(MemoryColumn column,
                                 const MemoryWorkload& workload,
                                 std::optional<std::uint64_t> ceiling_bytes,
                                 int out_fd);

} // namespace leanhost::cli
