#pragma once

#include "base/monitor.hpp"
#include "kernel/check_stack.hpp"

#include <leanhost/check_report.hpp>

#include <functional>

namespace leanhost::kernel {

/// Beside what a caller says: what is kept, and who is told.
struct CheckOptions : leanhost::CheckOptions {
    CheckOptions() = default;
    explicit CheckOptions(const leanhost::CheckOptions& asked) : leanhost::CheckOptions(asked) {}

    std::size_t stack_bytes = check_stack_bytes;             ///< of each thread
    std::size_t keep_scratch_bytes = std::size_t{384} << 10; ///< kept between declarations
    /// Modules: what was lifted from them and is kept between declarations.
    std::size_t keep_lifted_bytes = std::size_t{2} << 20;
    /// Called for each accepted declaration, in order, with the first name that it declares and the
    /// axioms that it rests on; of modules when all have been checked.
    std::function<void(const std::string& declaration, const std::vector<std::string>& axioms)>
        on_axioms;
};

/// Checks the declarations of the export at `path` ("-": standard input); ends at the first that is
/// not accepted. Each is checked as it is read; with several jobs one of them reads, and what a
/// declaration may use is what stands before it all the same.
///
/// A verdict is a result. Throws Failure for what is no export (invalid_input, io, not_found,
/// unsupported_version) and when cancelled. Runs on a stack of its own.
ExportReport
check_export(const std::filesystem::path& path, const CheckOptions& options, Monitor& monitor);

} // namespace leanhost::kernel
