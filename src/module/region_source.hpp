#pragma once

#include "module/region.hpp"

#include <memory>

namespace leanhost::module {

struct RegistryState;
struct RegionEntry;

/// One use of a region. With a registry it is counted: copying counts, dropping the last one
/// unmaps; it keeps the registry's state alive. Empty when default-made or moved from. Distinct
/// handles may be used from distinct threads.
class RegionHandle {
public:
    RegionHandle() = default;
    /// A use of a region that lives as long as the process.
    explicit RegionHandle(const Region& immortal) noexcept : region_(&immortal) {}
    RegionHandle(const RegionHandle& other);
    RegionHandle(RegionHandle&& other) noexcept;
    RegionHandle& operator=(RegionHandle other) noexcept;
    ~RegionHandle();

    explicit operator bool() const noexcept { return region_ != nullptr; }
    const Region& operator*() const noexcept { return *region_; }
    const Region* operator->() const noexcept { return region_; }

private:
    friend class RegionRegistry;
    RegionHandle(std::shared_ptr<RegistryState> state, RegionEntry* entry) noexcept;
    const Region* region_ = nullptr;
    std::shared_ptr<RegistryState> state_; // null for an immortal region
    RegionEntry* entry_ = nullptr;         // counted; owned by the state
};

/// Where the regions of an import come from: how a module's files become memory. Thread-safe.
class RegionSource {
public:
    virtual ~RegionSource() = default;

    /// The region of a module's parts, in order: the public part, then server, private.
    /// Throws Failure: io; invalid_input (file, offset, what was expected); file_changed;
    /// resource_exhausted. Nothing stays mapped after a failure.
    virtual RegionHandle acquire(std::vector<PartFile> parts, Trust trust) = 0;
};

} // namespace leanhost::module
