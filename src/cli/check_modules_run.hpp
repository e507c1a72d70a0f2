#pragma once

#include "cli/check_request.hpp"
#include "kernel/check_modules.hpp"

namespace leanhost::cli {

/// Imports the modules, with everything that they need, and checks them; `with_closure`: also all
/// that they import. Modules that are not found make the verdict `declined`. Throws Failure.
ModulesReport check_modules(const CheckedModules& what,
                            bool with_closure,
                            const kernel::CheckOptions& options,
                            Monitor& monitor);

} // namespace leanhost::cli
