#pragma once

#include "base/monitor.hpp"
#include "module/lean4export/export_sink.hpp"

#include <filesystem>

namespace leanhost::module::lean4export {

/// What was read, whatever the sink made of it.
struct ReadFacts {
    std::uint64_t bytes = 0; ///< unpacked
    std::uint64_t lines = 0;
    std::uint64_t fast_lines = 0;          ///< those that took the short path
    std::uint64_t lines_with_plain_id = 0; ///< "i" for all kinds, as before format 3.0
};

/// Reads an export from its first line to its last and tells `sink` each of them, as it comes: the
/// file is never in memory as a whole. "-" is standard input; zstd is unpacked. Blank lines are
/// passed over.
///
/// Throws Failure: not_found, io; invalid_input with file, line and column; unsupported_version for
/// lean4export's old text formats; cancelled, sink_failed. What the sink took before stays with it.
/// Cost: above 400 MB/s for lines of the common kinds. Memory: the longest line.
ReadFacts read_export(const std::filesystem::path& path, ExportSink& sink, Monitor& monitor);

} // namespace leanhost::module::lean4export
