#pragma once

#include <absl/hash/hash.h>

#include <compare>
#include <cstdint>
#include <filesystem>
#include <optional>

struct stat;

namespace leanhost::module {

/// What makes a file the same file with the same content, as far as the file system tells. Lean and
/// lake replace a module by renaming a new file over it, which changes the inode and the times.
struct FileIdentity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t size_bytes = 0;
    std::int64_t mtime_ns = 0;
    std::int64_t ctime_ns = 0;

    auto operator<=>(const FileIdentity&) const = default;

    template <class H>
    friend H AbslHashValue(H h, const FileIdentity& id) {
        return H::combine(std::move(h), id.device, id.inode, id.size_bytes, id.mtime_ns,
                          id.ctime_ns);
    }
};

FileIdentity identity_from(const struct stat& status) noexcept;

/// The identity of the open file; throws Failure(io) when it cannot be had.
FileIdentity identity_of(int fd, const std::filesystem::path& path);

/// The identity of what `path` leads to now, nullopt when that cannot be told. One system call.
std::optional<FileIdentity> identity_at(const std::filesystem::path& path) noexcept;

} // namespace leanhost::module
