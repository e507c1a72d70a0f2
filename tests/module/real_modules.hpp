#pragma once

#include "module/region_registry.hpp"

#include <filesystem>
#include <vector>

namespace leanhost::test {

/// The files of one real module: the public part, then server and private as far as they are there.
using ModuleFiles = std::vector<std::filesystem::path>;

/// Every module below `folder`, in a fixed order.
std::vector<ModuleFiles> find_modules(const std::filesystem::path& folder);

/// Opens the first `num_parts` parts.
std::vector<module::PartFile> open_module(const ModuleFiles& files,
                                          std::size_t num_parts,
                                          module::Trust trust = module::Trust::stable);
std::vector<module::PartFile> open_module(const ModuleFiles& files);

} // namespace leanhost::test
