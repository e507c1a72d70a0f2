#pragma once

#include <leanhost/regions.h>

namespace leanhost::regions {

/// A page shared with whoever watches: a new file `<pid>-<time>` in `folder`, for the process's
/// life. Null when it cannot be made, which changes nothing for the program. Leaves no descriptor
/// open, calls no allocator, and may be called in a forked child.
LeanhostRegionsPage* make_report_page(const char* folder, LeanhostRegionsMode mode) noexcept;

/// Leaves the parent's page to the parent.
void drop_report_page(LeanhostRegionsPage* page) noexcept;

} // namespace leanhost::regions
