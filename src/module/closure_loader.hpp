#pragma once

#include "module/import_closure.hpp"

#include <exception>
#include <optional>

namespace leanhost::module {

/// What loading found out about one module, before any order is known.
struct LoadedModule {
    Name name;
    bool is_root = false;    ///< asked for directly
    bool is_missing = false; ///< in no folder of the search path
    std::exception_ptr failure;
    RegionHandle region;
    std::optional<object::ModuleDataRef> data;
    std::vector<std::uint32_t> imports; ///< positions in the result of load_modules
    bool lacks_private_part = false;
};

/// Loads every module that `request.imports` needs, in parallel; those asked for come first, in
/// order. A module that cannot be loaded is in the result with its failure, so that the error which
/// the caller reports does not depend on timing. Throws Failure: cancelled, sink_failed.
std::vector<LoadedModule>
load_modules(const ClosureRequest& request, RegionSource& regions, Monitor& monitor);

} // namespace leanhost::module
