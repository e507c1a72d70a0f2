#pragma once

#include "cli/progress_line.hpp"
#include "kernel/check_modules.hpp"

#include <filesystem>
#include <vector>

namespace leanhost::cli {

/// Which modules `leanhost check` is to look at.
struct CheckedModules {
    std::vector<std::filesystem::path> search_path;
    std::vector<Name> modules;
    bool with_closure = false; ///< also everything that they import
};

/// Imports the modules, with everything that they need, and checks them. Modules that are not found
/// make the verdict `declined`. Throws Failure.
kernel::ModulesReport
check_modules(const CheckedModules& what, const kernel::CheckOptions& options, Monitor& monitor);

void print_modules_report(const kernel::ModulesReport& report);
void print_modules_report_json(const kernel::ModulesReport& report);

} // namespace leanhost::cli
