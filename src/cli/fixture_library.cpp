#include "cli/fixture_library.hpp"
#include "base/failure.hpp"
namespace leanhost::cli { FixtureLibrary ensure_fixture_library(ProgressLine&) { fail(ErrorCode::unsupported, "not yet"); } }
