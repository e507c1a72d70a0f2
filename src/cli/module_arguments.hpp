#pragma once

#include <leanhost/name.hpp>

#include <CLI/App.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace leanhost::cli {

/// How every command that imports is told what: folders, modules, and whether gaps are tolerated.
struct ModuleArguments {
    std::vector<std::filesystem::path> paths;
    std::vector<std::string> names;
    bool allow_missing = false;
};

void add_module_arguments(CLI::App& command, ModuleArguments& arguments);

/// The search path and the modules meant: those named, or else all that lie in the folders given.
/// Throws Failure(not_found) when there are none.
void resolve_modules(const ModuleArguments& arguments,
                     std::vector<std::filesystem::path>& search_path,
                     std::vector<Name>& modules);

} // namespace leanhost::cli
