#pragma once

#include "cli/check_request.hpp"

namespace leanhost::cli {

/// Checks each export, and each module as an import set of its own, in a worker process, and prints
/// what became of it. The exit status. Throws Failure.
int check_in_workers(const CheckRequest& request);

} // namespace leanhost::cli
