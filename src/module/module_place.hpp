#pragma once

#include "module/search_path.hpp"

namespace leanhost::module {

/// A module's file taken apart: the folder on the search path, and the module's name.
struct ModulePlace {
    std::filesystem::path root;
    Name module;
};

/// Which module the file at `olean` holds. With `roots`, the first folder that it lies below
/// decides. Without, the folder above it for which the base address that the file states is that
/// of the module's name, as Lean computes it; where none fits, the file's own folder.
/// Throws Failure: invalid_argument (below none of the roots, or no name for a module); what
/// reading the header throws.
ModulePlace place_of_module(const std::filesystem::path& olean,
                            const std::vector<std::filesystem::path>& roots);

} // namespace leanhost::module
