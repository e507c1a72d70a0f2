#pragma once

#include "base/large_stack.hpp"
#include "kernel/check_export.hpp"
#include "module/import_closure.hpp"

#include <span>

namespace leanhost::engine_native {

/// What a host asks of checking whole files. All threads together have one deep stack, which is
/// what a worker's limit on data has room for.
kernel::CheckOptions file_check_options(const CheckOptions& asked);

/// Where `names` stand in the closure; without names, all places. Throws Failure `not_found`.
std::vector<std::uint32_t> places_of(const module::ImportClosure& closure,
                                     std::span<const Name> names);

} // namespace leanhost::engine_native
