#pragma once

#include "engine_native/native_engine.hpp"

#include <leanhost/name.hpp>

#include <filesystem>
#include <vector>

namespace leanhost::bench {

/// What the benchmarks import: the library below LEANHOST_BENCH_PATH (with whatever it lacks left
/// out), else the default fixture, which is generated when it is not there.
struct BenchLibrary {
    std::filesystem::path root;
    ImportSet imports;
};
const BenchLibrary& bench_library();

/// An engine over it. Ends the program with a message when it cannot be had.
engine_native::NativeEngine mk_engine(RegionPolicy policy, unsigned threads = 0);

/// Names of its constants, spread over all modules, each once, `count` at most.
std::vector<Name> distinct_names(const Session& session, std::size_t count);

} // namespace leanhost::bench
