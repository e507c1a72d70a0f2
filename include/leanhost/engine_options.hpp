#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace leanhost {

/// Whether files on the search path may be written to while they are mapped.
enum class SearchPathTrust : std::uint8_t {
    stable,  ///< modules are only ever replaced by rename, as Lean and lake do: map them
    hostile, ///< copy each file once into sealed memory; costs that memory, and no write can reach
             ///< us
};

/// How an import's files become memory.
enum class RegionPolicy : std::uint8_t {
    shared,          ///< one mapping a file, given back with the last session that uses it
    lean_compatible, ///< a MODEL of Lean's own loader, which keeps every import for ever; for
                     ///< measuring
};

struct NativeEngineOptions {
    std::vector<std::filesystem::path> search_path;
    SearchPathTrust trust = SearchPathTrust::stable;
    RegionPolicy region_policy = RegionPolicy::shared;
    /// How long the files of a loaded closure are taken to be unchanged without looking.
    std::chrono::milliseconds revalidate_after{1000};
    unsigned max_import_threads = 0; ///< 0: one a core
};

} // namespace leanhost
