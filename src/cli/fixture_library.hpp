#pragma once

#include "cli/progress_line.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace leanhost::cli {

/// The synthetic library that commands use when they are given none.
struct FixtureLibrary {
    std::filesystem::path directory; ///< to be put on the search path
    std::string root_module;         ///< imports all others
};

/// The fixture of the default size, from the user's cache folder ($XDG_CACHE_HOME/leanhost, else
/// ~/.cache/leanhost, else one of this user's in the folder for temporary files); written when it
/// is not there yet. LEANHOST_FIXTURES names another folder. Throws Failure: io.
FixtureLibrary ensure_fixture_library(ProgressLine& progress);

} // namespace leanhost::cli
