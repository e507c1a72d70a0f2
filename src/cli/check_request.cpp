#include "cli/check_request.hpp"

#include "module/module_place.hpp"

#include <algorithm>
#include <map>

namespace leanhost::cli {
namespace {

bool is_module_file(const std::filesystem::path& file) {
    return file.extension() == ".olean";
}

} // namespace

std::vector<std::filesystem::path> exports_to_check(const CheckRequest& request) {
    std::vector<std::filesystem::path> exports;
    std::remove_copy_if(request.files.begin(), request.files.end(), std::back_inserter(exports),
                        is_module_file);
    return exports;
}

std::vector<CheckedModules> modules_to_check(const CheckRequest& request) {
    std::map<std::vector<std::filesystem::path>, CheckedModules> by_path;
    for (const auto& file : request.files) {
        if (!is_module_file(file))
            continue;
        const auto place = module::place_of_module(file, request.modules.paths);
        auto path = request.modules.paths;
        if (path.empty())
            path.push_back(place.root);
        by_path[path].modules.push_back(place.module);
    }
    if (!request.modules.names.empty() || request.files.empty()) {
        std::vector<Name> names;
        std::vector<std::filesystem::path> path;
        resolve_modules(request.modules, path, names);
        auto& group = by_path[path].modules;
        group.insert(group.end(), names.begin(), names.end());
    }
    std::vector<CheckedModules> result;
    for (auto& [path, group] : by_path) {
        group.search_path = path;
        result.push_back(std::move(group));
    }
    return result;
}

void CheckStatus::add(VerdictKind kind) noexcept {
    // Statuses as of the Lean Kernel Arena: 0 accepted, 1 rejected, 2 declined.
    const int now = static_cast<int>(kind);
    status_ = status_ == 1 || now == 1 ? 1 : std::max(status_, now);
}

void CheckStatus::add(const Error& error) noexcept {
    error_ = error_ != 0 ? error_ : cli_exit_code(error.code());
}

} // namespace leanhost::cli
