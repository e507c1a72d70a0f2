#pragma once

#include <map>
#include <string>
#include <vector>

namespace leanhost::test {

struct ProgramRun {
    int exit_status = -1; ///< of a program that ended by itself
    int signal = 0;       ///< that ended it
    std::string out;
    std::string err;
};

/// Runs the program, found as a shell would, and waits for it; its input is empty. `environment`
/// ("NAME=value") is added to this process's own, and "NAME" alone takes a variable away.
/// `when_started` gets its pid. After two minutes it is killed.
ProgramRun run_program(const std::vector<std::string>& arguments,
                       const std::vector<std::string>& environment = {},
                       void (*when_started)(int pid) = nullptr);

} // namespace leanhost::test
