#include "kernel/module_library.hpp"

#include "module/lean4export/convert_export.hpp"
#include "module/lean4export/export_reader.hpp"

#include <numeric>

namespace leanhost::kernel::test {

namespace lean4export = module::lean4export;
using leanhost::test::TempDir;

namespace {

module::ImportClosure load(const std::filesystem::path& folder,
                           bool allow_missing,
                           module::RegionSource& regions,
                           Monitor& monitor) {
    module::ClosureRequest request;
    request.search_path = module::SearchPath({folder});
    request.imports = ImportSet(request.search_path.list_modules(), Profile::all, allow_missing);
    return module::load_closure(request, regions, monitor);
}

} // namespace

ModuleLibrary::ModuleLibrary(const std::filesystem::path& folder, bool allow_missing)
    : closure_(load(folder, allow_missing, registry_, monitor_)), index_(closure_, 1, monitor_) {}

std::vector<std::uint32_t> ModuleLibrary::all_modules() const {
    std::vector<std::uint32_t> places(closure_.modules().size());
    std::iota(places.begin(), places.end(), 0);
    return places;
}

ModulesReport ModuleLibrary::check(const CheckOptions& options) const {
    Monitor monitor;
    return check_modules(closure_, index_, all_modules(), options, monitor);
}

void convert(const std::filesystem::path& path,
             const std::filesystem::path& folder,
             std::uint64_t constants_per_module) {
    Monitor monitor;
    lean4export::ExportTable table;
    lean4export::read_export(path, table, monitor);
    lean4export::convert_export(table, {folder, Name("Export"), constants_per_module}, monitor);
}

ModulesReport check_converted(const std::filesystem::path& path,
                              std::uint64_t constants_per_module,
                              const CheckOptions& options) {
    const TempDir folder;
    convert(path, folder.path(), constants_per_module);
    return ModuleLibrary(folder.path()).check(options);
}

ModulesReport check_converted_text(const std::string& text) {
    const TempDir folder;
    return check_converted(folder.write("export.ndjson", text));
}

} // namespace leanhost::kernel::test
