#pragma once

#include "fuzz/kernel/export_model.hpp"

namespace leanhost::fuzz {

/// Makes the first inductive block that is refused state of itself what follows from its types and
/// constructors: recursors, counts and flags. So a change to a constructor's type is not refused
/// for the recursor that was made before the change, and what the kernel thinks of the type itself
/// is seen. Whether anything was changed; not, where the types themselves are refused.
bool restate_refused_block(ExportModel& model);

} // namespace leanhost::fuzz
