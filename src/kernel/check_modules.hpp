#pragma once

#include "kernel/check_export.hpp"
#include "module/constant_index.hpp"

namespace leanhost::kernel {

/// Checks all declarations of the modules at the places `modules` of `closure`, which must have
/// been imported with Profile::all. A module whose private part is not there is declined, and so is
/// every module when the closure lacks one. A declaration that is not accepted does not keep the
/// others from being checked.
///
/// With several jobs, threads take some dozens of declarations at a time, in import order.
/// Verdicts are results. Throws Failure: invalid_input (what is no constant or term: file, offset);
/// cancelled, sink_failed. Runs on stacks of its own.
ModulesReport check_modules(const module::ImportClosure& closure,
                            const module::ConstantIndex& index,
                            std::span<const std::uint32_t> modules,
                            const CheckOptions& options,
                            Monitor& monitor);

} // namespace leanhost::kernel
