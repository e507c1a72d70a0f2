#pragma once

#include "base/unique_fd.hpp"

#include <cstddef>
#include <filesystem>
#include <span>

namespace leanhost::module {

/// A file that is written beside its final place and takes that place whole or not at all.
///
/// The constructor makes a temporary file in the same folder; `write` and `sync` fill it; `commit`
/// renames it. Without a commit the destructor removes it. All throw Failure (io;
/// resource_exhausted for a full disk or too many open files) with the final path and the reason.
class PendingFile {
public:
    explicit PendingFile(std::filesystem::path path);
    PendingFile(PendingFile&& other) noexcept;
    PendingFile(const PendingFile&) = delete;
    PendingFile& operator=(const PendingFile&) = delete;
    PendingFile& operator=(PendingFile&&) = delete;
    ~PendingFile();

    void write(std::span<const std::byte> bytes);
    /// Brings the content to the disk and closes the file.
    void sync();
    /// Gives the file its name; what had it before is gone. Call after `sync`.
    void commit();

    const std::filesystem::path& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
    std::filesystem::path temporary_; // empty when there is none any more
    UniqueFd fd_;
};

/// Brings the folder's list of names to the disk, which a rename alone does not.
void sync_folder(const std::filesystem::path& folder);

} // namespace leanhost::module
