#include "module/real_modules.hpp"

#include <algorithm>

namespace leanhost::test {
namespace {

using module::PartKind;

std::filesystem::path with_suffix(const std::filesystem::path& module, PartKind kind) {
    return module.string() + std::string(part_suffix(kind));
}

} // namespace

std::vector<ModuleFiles> find_modules(const std::filesystem::path& folder) {
    std::vector<ModuleFiles> modules;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (entry.path().extension() != ".olean")
            continue;
        std::filesystem::path module = entry.path();
        module.replace_extension();
        ModuleFiles files;
        for (const PartKind kind : {PartKind::olean, PartKind::server, PartKind::private_part}) {
            const auto path = with_suffix(module, kind);
            if (std::filesystem::exists(path))
                files.push_back(path);
        }
        modules.push_back(std::move(files));
    }
    std::sort(modules.begin(), modules.end());
    return modules;
}

std::vector<module::PartFile>
open_module(const ModuleFiles& files, std::size_t num_parts, module::Trust trust) {
    std::vector<module::PartFile> parts;
    for (std::size_t i = 0; i < num_parts; ++i) {
        parts.push_back(module::open_part(files[i], static_cast<PartKind>(i), trust));
    }
    return parts;
}

std::vector<module::PartFile> open_module(const ModuleFiles& files) {
    return open_module(files, files.size());
}

} // namespace leanhost::test
