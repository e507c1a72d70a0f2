#include "cli/fixture_library.hpp"

#include "base/failure.hpp"
#include "module/fixture/fixture_library.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

namespace leanhost::cli {
namespace {

// NOLINTBEGIN(concurrency-mt-unsafe): read before any thread is started
std::filesystem::path cache_folder() {
    if (const char* const folder = std::getenv("LEANHOST_FIXTURES"); folder != nullptr)
        return folder;
    if (const char* const cache = std::getenv("XDG_CACHE_HOME");
        cache != nullptr && *cache == '/') {
        return std::filesystem::path(cache) / "leanhost";
    }
    if (const char* const home = std::getenv("HOME"); home != nullptr && *home == '/') {
        return std::filesystem::path(home) / ".cache" / "leanhost";
    }
    return std::filesystem::temp_directory_path() / fmt::format("leanhost-{}", ::getuid());
}
// NOLINTEND(concurrency-mt-unsafe)

} // namespace

FixtureLibrary ensure_fixture_library(ProgressLine& progress) {
    module::fixture::FixtureOptions options;
    options.directory =
        cache_folder() / fmt::format("fixture-{}-{}", options.modules, options.constants);
    auto report =
        module::fixture::write_fixture(options, progress.sink("writing the fixture library"));
    if (!report) {
        Error error = std::move(report).error();
        throw Failure(Error(
            error.code(), error.message() + "; LEANHOST_FIXTURES names another folder for fixtures",
            error.facts()));
    }
    return {options.directory, std::string(module::fixture::root_module)};
}

} // namespace leanhost::cli
