#pragma once

#include <filesystem>
#include <vector>

namespace leanhost::test {

/// The files at or below `path` that this process has mapped now, each once for each mapping.
std::vector<std::filesystem::path> mapped_files(const std::filesystem::path& path);

} // namespace leanhost::test
