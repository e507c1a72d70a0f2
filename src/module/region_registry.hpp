#pragma once

#include "module/region.hpp"

#include <memory>

namespace leanhost::module {

struct RegistryState;
struct RegionEntry;

/// One counted use of a region. Copying counts, dropping the last one unmaps. Empty when default-made or
/// moved from. Distinct handles may be used from distinct threads; keeps the registry's state alive.
class RegionHandle {
public:
    RegionHandle() = default;
    RegionHandle(const RegionHandle& other);
    RegionHandle(RegionHandle&& other) noexcept;
    RegionHandle& operator=(RegionHandle other) noexcept;
    ~RegionHandle();

    explicit operator bool() const noexcept { return entry_ != nullptr; }
    const Region& operator*() const noexcept;
    const Region* operator->() const noexcept { return &**this; }

private:
    friend class RegionRegistry;
    RegionHandle(std::shared_ptr<RegistryState> state, RegionEntry* entry) noexcept;
    std::shared_ptr<RegistryState> state_;
    RegionEntry* entry_ = nullptr; // counted; owned by the state
};

/// What a registry holds now and has done. Bytes are of files, headers included.
struct RegistryStats {
    std::uint64_t regions = 0;
    std::uint64_t mapped_parts = 0;
    std::uint64_t mapped_bytes = 0;    ///< at their base addresses: file pages, no private memory
    std::uint64_t relocated_regions = 0;
    std::uint64_t relocated_bytes = 0; ///< private copies
    std::uint64_t sealed_bytes = 0;    ///< of the mapped ones: sealed copies (hostile search paths)
    std::uint64_t acquired = 0;        ///< handles given out by `acquire`, over the registry's life
    std::uint64_t shared = 0;          ///< of those, for a region that was there already
    std::uint64_t validated_bytes = 0; ///< read by validation, over the registry's life
};

/// Keeps one mapping for each module that anybody uses, found by the identity of its files (device, inode,
/// size, mtime, ctime), counts its users and unmaps it when the last one goes.
///
/// A region is mapped at its base address, where its pointers hold. When that place is taken (another
/// toolchain's copy of the module, a part of which another profile has a copy, or anything else), all
/// its parts become one relocated private copy, shared and counted in the same way.
/// Thread-safe; imports of different modules do not wait for each other. Addresses are the process's, so
/// one registry a process shares the most, but several are sound.
class RegionRegistry {
public:
    RegionRegistry();

    /// The region of a module's parts, in order: the public part, then server, private.
    /// Cost: for new files one pass over them; for known ones a hash look-up. Private bytes: none at the
    /// base address, else the whole files.
    /// Throws Failure: io; invalid_input (file, offset, what was expected); file_changed;
    /// resource_exhausted. Nothing stays mapped after a failure.
    RegionHandle acquire(std::vector<PartFile> parts, Trust trust);

    RegistryStats stats() const;

private:
    std::shared_ptr<RegistryState> state_;
};

} // namespace leanhost::module
