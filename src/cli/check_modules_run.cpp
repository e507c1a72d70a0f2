#include "cli/check_modules_run.hpp"

#include "module/region_registry.hpp"

#include <algorithm>

namespace leanhost::cli {
namespace {

std::vector<std::uint32_t>
places_of(const std::vector<Name>& names, bool with_closure, const module::ImportClosure& closure) {
    const auto& modules = closure.modules();
    std::vector<std::uint32_t> places;
    for (std::uint32_t i = 0; i < modules.size(); ++i) {
        if (with_closure || std::find(names.begin(), names.end(), modules[i].name) != names.end())
            places.push_back(i);
    }
    return places;
}

} // namespace

ModulesReport check_modules(const CheckedModules& what,
                            bool with_closure,
                            const kernel::CheckOptions& options,
                            Monitor& monitor) {
    module::RegionRegistry registry;
    module::ClosureRequest request;
    request.search_path = module::SearchPath(what.search_path);
    request.imports = ImportSet(what.modules, Profile::all, true);
    request.max_threads = options.jobs;
    const module::ImportClosure closure = module::load_closure(request, registry, monitor);
    const module::ConstantIndex index(closure, options.jobs, monitor);
    return kernel::check_modules(closure, index, places_of(what.modules, with_closure, closure),
                                 options, monitor);
}

} // namespace leanhost::cli
