#pragma once

#include "base/monitor.hpp"
#include "module/lean4export/export_table.hpp"

#include <filesystem>

namespace leanhost::module::lean4export {

struct ConvertOptions {
    std::filesystem::path directory; ///< made if it is not there; to be put on a search path
    Name root_module;                ///< imports all others, which stand below it
    std::uint64_t constants_per_module = 500;
};

struct ConvertReport {
    std::uint64_t modules = 0; ///< the root module included
    std::uint64_t constants = 0;
    std::uint64_t objects = 0;
    std::uint64_t file_bytes = 0;
    /// Constants that terms mention and no declaration before them has: a sound export has none.
    std::uint64_t unknown_constants = 0;
    std::string first_unknown_constant;
};

/// Writes an export as modules: the same constants with the same terms, in the file's order, each
/// declaration whole in one module, a new module after every `constants_per_module`. A module
/// imports those whose constants it mentions, directly or by way of others, so the order of the
/// export is kept as import order.
///
/// Throws Failure: invalid_argument; invalid_input (a constant declared twice; a number that is too
/// big); io, resource_exhausted; cancelled, sink_failed. Whole modules may stay after a failure.
/// Cost: one pass over the terms of each module; memory: the table, one module's objects, and 12
/// bytes a term.
ConvertReport
convert_export(const ExportTable& table, const ConvertOptions& options, Monitor& monitor);

} // namespace leanhost::module::lean4export
