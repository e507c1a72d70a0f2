#pragma once

#include "module/region_source.hpp"

#include <absl/container/flat_hash_set.h>

#include <mutex>

namespace leanhost::module {

struct LoaderModelStats {
    std::uint64_t modules_mapped = 0;    ///< loads that got their base address
    std::uint64_t modules_relocated = 0; ///< loads that became private copies
    std::uint64_t mapped_bytes = 0;      ///< bytes of files in those mappings, shared ones once
    std::uint64_t relocated_bytes = 0;   ///< bytes of files in those copies, kept for ever
};

/// A MODEL of how Lean's own runtime loads modules, for showing and testing what that retains. It
/// is not Lean.
///
/// Each load asks `mmap` for the file's base address as a hint. When the kernel gives all parts
/// their places, the mappings are used. Otherwise (because an earlier load of the module lies
/// there) all parts are read into one private block and relocated. Neither is ever given back, as
/// in Lean, where regions outlive the environments that used them. Lean trusts its files and the
/// model, too, looks into a file once only: the first time it meets it. Follows Lean:
/// src/library/module.cpp (`readModuleDataParts`), src/runtime/compact.cpp.
class LeanLoaderModel final : public RegionSource {
public:
    RegionHandle acquire(std::vector<PartFile> parts, Trust trust) override;

    LoaderModelStats stats() const;

private:
    mutable std::mutex mutex_;
    LoaderModelStats stats_; // guarded by mutex_
    // Sets of files that were validated once; one entry for each module ever met. Guarded by
    // mutex_.
    absl::flat_hash_set<std::vector<FileIdentity>> accepted_;
};

} // namespace leanhost::module
