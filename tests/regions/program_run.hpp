#pragma once

#include <map>
#include <string>
#include <vector>

namespace leanhost::regions::test {

struct ProgramRun {
    int exit_status = -1; ///< of a program that ended by itself
    int signal = 0;       ///< that ended it
    std::string out;
    std::string err;
};

/// Runs the program and waits for it; `environment` ("NAME=value") is added to this process's own,
/// and "NAME" alone takes a variable away. After two minutes it is killed.
ProgramRun run_program(const std::vector<std::string>& arguments,
                       const std::vector<std::string>& environment);

} // namespace leanhost::regions::test
