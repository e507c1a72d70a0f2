#pragma once

#include "module/object_builder.hpp"

#include <filesystem>
#include <string>

namespace leanhost::module {

/// What a written header says about the Lean that made the module. Container version 2, GMP
/// encoding.
struct LeanStamp {
    std::string version; ///< such as "4.29.0"; at most 33 bytes
    std::string githash; ///< at most 40 bytes
};

/// Fills in the part's header. Throws Failure(invalid_argument) when a text does not fit.
void write_header_v2(BuiltPart& part, const LeanStamp& stamp);

/// A finished part and where it goes.
struct PartOutput {
    std::filesystem::path path;
    const BuiltPart* part; ///< with its header
};

/// Writes the parts of one module: each to a temporary file beside its place, all brought to the
/// disk, then renamed, later parts first, and the folders brought to the disk. The folders must
/// exist. On a failure before the first rename nothing has changed; a file is never seen
/// half-written. Several renames are not one: a reader in between is told by the base addresses
/// that parts do not belong together. Throws Failure (io, resource_exhausted) that names file and
/// reason.
void write_parts(std::span<const PartOutput> outputs);

} // namespace leanhost::module
