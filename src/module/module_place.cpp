#include "module/module_place.hpp"

#include "base/failure.hpp"

#include <fmt/format.h>

namespace leanhost::module {
namespace {

namespace fs = std::filesystem;

// `a/b/C.olean` below `root` is the module a.b.C.
std::optional<Name> module_below(const fs::path& olean, const fs::path& root) {
    const fs::path relative = olean.lexically_relative(root);
    if (relative.empty() || *relative.begin() == "..")
        return std::nullopt;
    std::vector<Name::Component> components;
    for (const fs::path& part : relative.parent_path())
        components.push_back({part.string(), 0, false});
    components.push_back({olean.stem().string(), 0, false});
    return Name(std::move(components));
}

} // namespace

ModulePlace place_of_module(const fs::path& olean, const std::vector<fs::path>& roots) {
    const fs::path file = fs::absolute(olean).lexically_normal();
    for (const fs::path& root : roots) {
        const fs::path folder = fs::absolute(root).lexically_normal();
        if (const auto module = module_below(file, folder))
            return {root, *module};
    }
    if (!roots.empty())
        fail(ErrorCode::invalid_argument, fmt::format("{} lies below none of {}", olean.string(),
                                                      SearchPath(roots).to_string()));
    const std::uint64_t base = open_part(file, PartKind::olean, Trust::stable).header.base_address;
    for (fs::path folder = file.parent_path();; folder = folder.parent_path()) {
        const auto module = module_below(file, folder);
        if (module && base_address_of(module->hash()) == base)
            return {folder, *module};
        if (folder == folder.parent_path())
            break;
    }
    return {file.parent_path(), *module_below(file, file.parent_path())};
}

} // namespace leanhost::module
