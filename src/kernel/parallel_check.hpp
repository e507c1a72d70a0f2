#pragma once

#include "kernel/check_export.hpp"

namespace leanhost::kernel {

/// check_export with several jobs; the caller's stack is the first thread's and reaches as far as
/// `stack_limit`.
ExportReport check_in_parallel(const std::filesystem::path& path,
                               const CheckOptions& options,
                               Monitor& monitor,
                               std::uintptr_t stack_limit);

} // namespace leanhost::kernel
