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
    /// Every complete page, oldest first. A process that ran another program has one for each.
    std::vector<LeanhostRegionsPage> read() const;

private:
    std::filesystem::path path_;
};

} // namespace leanhost::cli
