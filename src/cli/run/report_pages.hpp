#pragma once

#include <leanhost/regions.h>

#include <filesystem>
#include <vector>

namespace leanhost::cli {

/// The folder that covered processes write their report pages into: made private to this user,
/// removed with everything in it on destruction.
class ReportFolder {
public:
    /// Throws Failure(io).
    ReportFolder();
    ReportFolder(const ReportFolder&) = delete;
    ReportFolder& operator=(const ReportFolder&) = delete;
    ~ReportFolder();

    const std::filesystem::path& path() const noexcept { return path_; }
    struct Page {
        LeanhostRegionsPage content{};
        /// Its process has ended: these are its last counters, and the file is gone.
        bool is_final = false;
    };
    /// Every complete page, oldest first; a process that ran another program has one for each. The
    /// files of ended processes are removed, so that the folder never holds more than live ones.
    std::vector<Page> take();
    std::uint64_t pid_namespace() const noexcept { return own_namespace_; }

private:
    std::filesystem::path path_;
    std::uint64_t own_namespace_ = 0;
};

} // namespace leanhost::cli
