#pragma once

#include <string>
#include <vector>

namespace leanhost::test {

/// How a program ended and what it wrote.
struct Outcome {
    int exit_status = -1; ///< -1 when a signal ended it
    int signal = 0;
    std::string out;
    std::string err;
};

/// Runs `argv[0]`, found as a shell would, to its end; `environment` ("NAME=value") goes before
/// ours. `while_running` gets the pid once it has started.
Outcome run_program(const std::vector<std::string>& argv,
                    const std::vector<std::string>& environment = {},
                    void (*while_running)(int pid) = nullptr);

} // namespace leanhost::test
