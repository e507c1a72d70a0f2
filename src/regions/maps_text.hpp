#pragma once

#include "regions/mapping_check.hpp"

#include <string_view>

namespace leanhost::regions {

/// FNV-1a of what the kernel calls a file; 0 for no name, and for a file that was deleted or
/// replaced since ("… (deleted)").
std::uint64_t path_hash_of_name(std::string_view name) noexcept;

/// One line of /proc/<pid>/maps, without its end. False when it is none.
bool parse_maps_line(std::string_view line, Mapping& mapping) noexcept;

} // namespace leanhost::regions
