#pragma once

#include <filesystem>
#include <string_view>

namespace leanhost::test {

/// A fresh folder that goes with all it holds when the object goes.
class TempDir {
public:
    TempDir();
    ~TempDir();
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;

    const std::filesystem::path& path() const noexcept { return path_; }

    /// Writes `content` to `relative_path` in the folder, making what folders lead there; returns
    /// its path.
    std::filesystem::path write(const std::filesystem::path& relative_path,
                                std::string_view content) const;

private:
    std::filesystem::path path_;
};

} // namespace leanhost::test
