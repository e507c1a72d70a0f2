#pragma once

#include "base/unique_fd.hpp"

#include <leanhost/expected.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace leanhost::cli {

/// Runs this program once more with `arguments` and hands each line that it writes to descriptor 3
/// to `line`; its standard output and error are ours, its environment ours with `environment`
/// ("NAME=value") before it. Returns when it has ended. Errors: io;
/// child_exited (status or signal) unless it ended with 0; what `line` throws, after the child was
/// killed.
Expected<void> run_self(const std::vector<std::string>& arguments,
                        const std::vector<std::string>& environment,
                        const std::function<void(std::string_view)>& line);

/// `entries` ("NAME=value"), then what they do not replace of this process's environment, as exec
/// wants it. Points into both.
std::vector<char*> environment_with(const std::vector<std::string>& entries);

/// The descriptor that a child made by `run_self` reports on.
inline constexpr int child_report_fd = 3;

} // namespace leanhost::cli
