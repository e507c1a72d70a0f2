#pragma once

#include "base/monitor.hpp"
#include "module/region_source.hpp"
#include "module/search_path.hpp"
#include "object/module_data.hpp"

#include <leanhost/import_set.hpp>

namespace leanhost::module {

/// A module in a closure: its region, held, and where its data lies.
struct ClosureModule {
    Name name;
    std::string text; ///< the name, dotted
    RegionHandle region;
    object::ModuleDataRef data; ///< of the most private part that the profile sees
    std::vector<std::uint32_t>
        imports; ///< positions in the closure, all smaller; missing ones left out
    bool lacks_private_part =
        false; ///< made by the module system, but its private part is not there
};

struct MissingModule {
    Name name;
    Name imported_by; ///< anonymous: asked for directly
};

/// Everything that an import set brings in: imports first, each module once, in the order in which
/// Lean would load them. Immutable, thread-safe; holds its regions.
class ImportClosure {
public:
    ImportClosure(std::vector<ClosureModule> modules, std::vector<MissingModule> missing)
        : modules_(std::move(modules)), missing_(std::move(missing)) {}

    const std::vector<ClosureModule>& modules() const noexcept { return modules_; }
    /// Modules that were not found (only with `allow_missing`), in the order met.
    const std::vector<MissingModule>& missing() const noexcept { return missing_; }
    std::uint64_t num_constants() const noexcept;
    std::uint64_t size_bytes() const noexcept; ///< of all parts of all modules

    /// Whether every file is still what it was when it was mapped, by the search path of then: one
    /// system call a file. A file that now comes first in the search path is not noticed.
    bool is_current() const;

private:
    std::vector<ClosureModule> modules_;
    std::vector<MissingModule> missing_;
};

struct ClosureRequest {
    SearchPath search_path;
    ImportSet imports;
    Trust trust = Trust::stable;
    unsigned max_threads = 0; ///< 0: one a core
};

/// Finds, maps and validates everything that `request.imports` needs.
/// Cost: for new files one pass over them, in parallel; for known ones some microseconds a module.
/// Throws Failure: missing_module (who imports it), import_cycle (the cycle), and what
/// `open_part` and `RegionSource::acquire` throw; cancelled, sink_failed.
ImportClosure load_closure(const ClosureRequest& request, RegionSource& regions, Monitor& monitor);

} // namespace leanhost::module
