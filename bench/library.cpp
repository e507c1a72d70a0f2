#include "library.hpp"

#include "cli/fixture_library.hpp"
#include "module/search_path.hpp"

#include <cstdlib>

namespace leanhost::bench {

const BenchLibrary& bench_library() {
    static const BenchLibrary library = [] {
        // NOLINTNEXTLINE(concurrency-mt-unsafe): before any thread is started
        if (const char* const path = std::getenv("LEANHOST_BENCH_PATH"); path != nullptr) {
            const module::SearchPath search_path({path});
            return BenchLibrary{path, ImportSet(search_path.list_modules(), Profile::all, true)};
        }
        cli::ProgressLine progress;
        const cli::FixtureLibrary fixture = cli::ensure_fixture_library(progress);
        return BenchLibrary{fixture.directory, ImportSet{Name(fixture.root_module)}};
    }();
    return library;
}

engine_native::NativeEngine mk_engine(RegionPolicy policy, unsigned threads) {
    return engine_native::NativeEngine({.search_path = {bench_library().root},
                                        .region_policy = policy,
                                        .revalidate_after = std::chrono::hours(1),
                                        .max_import_threads = threads});
}

std::vector<Name> distinct_names(const Session& session, std::size_t count) {
    auto names = session.list_declarations(0, UINT64_MAX);
    if (!names)
        std::abort();
    std::vector<Name> result;
    const std::size_t step = std::max<std::size_t>(1, names->size() / count);
    for (std::size_t i = 0; i < names->size() && result.size() < count; i += step) {
        result.push_back(std::move((*names)[i]));
    }
    return result;
}

} // namespace leanhost::bench
