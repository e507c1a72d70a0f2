#pragma once

#include "module/region_source.hpp"

namespace leanhost::module {

/// What a registry holds now and has done. Bytes are of files, headers included.
struct RegistryStats {
    std::uint64_t regions = 0;
    std::uint64_t mapped_parts = 0;
    std::uint64_t mapped_bytes = 0; ///< at their base addresses: file pages, no private memory
    std::uint64_t relocated_regions = 0;
    std::uint64_t relocated_bytes = 0; ///< private copies
    std::uint64_t sealed_bytes = 0;    ///< of the mapped ones: sealed copies (hostile search paths)
    std::uint64_t acquired = 0;        ///< handles given out by `acquire`, over the registry's life
    std::uint64_t shared = 0;          ///< of those, for a region that was there already
    std::uint64_t validated_bytes = 0; ///< read by validation, over the registry's life
};

/// Keeps one mapping for each module that anybody uses, found by the identity of its files (device,
/// inode, size, mtime, ctime), counts its users and unmaps it when the last one goes.
///
/// A region is mapped at its base address, where its pointers hold. When that place is taken
/// (another toolchain's copy of the module, a part of which another profile has a copy, or anything
/// else), all its parts become one relocated private copy, shared and counted in the same way.
/// Thread-safe; two imports of one module wait for each other, of different modules seldom (there
/// are 64 locks). Addresses are the process's, so one registry a process shares the most, but
/// several are sound.
class RegionRegistry final : public RegionSource {
public:
    RegionRegistry();

    /// Cost: for new files one pass over them; for known ones a hash look-up. Private bytes: none
    /// at the base address, else the whole files.
    RegionHandle acquire(std::vector<PartFile> parts, Trust trust) override;

    RegistryStats stats() const;

private:
    std::shared_ptr<RegistryState> state_;
};

} // namespace leanhost::module
