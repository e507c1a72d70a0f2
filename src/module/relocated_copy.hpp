#pragma once

#include "memory/named_mapping.hpp"
#include "module/region.hpp"

namespace leanhost::module {

/// Where the parts of a module lie, one by one.
using PartBytes = std::vector<std::span<const std::byte>>;

/// All parts of a module in one private block, at the distances that their base addresses have,
/// with every pointer made right for where the block lies; read-only.
class RelocatedCopy {
public:
    enum class Validate : bool { no, yes };

    /// Reads the files. Without validation the files must have been validated before.
    /// Throws Failure: io, file_changed, invalid_input, resource_exhausted.
    RelocatedCopy(std::span<const PartFile> parts, Validate validate);

    const PartBytes& part_bytes() const noexcept { return part_bytes_; }
    memory::NamedMapping mapping() && { return std::move(mapping_); }

private:
    memory::NamedMapping mapping_;
    PartBytes part_bytes_;
};

/// The parts of a region whose bytes lie at `bytes`; takes what it needs out of `parts`.
std::vector<Region::Part> region_parts(std::vector<PartFile>& parts, const PartBytes& bytes);

} // namespace leanhost::module
