#pragma once

namespace leanhost::regions {

/// Writes "leanhost_regions[PID]: …" and a newline to standard error in one call, cut after 400
/// bytes. Nobody learns of a failure.
[[gnu::format(printf, 1, 2)]] void write_log_line(const char* format, ...) noexcept;

} // namespace leanhost::regions
