#include "support_modules/mapped_files.hpp"

#include <fstream>
#include <string>

namespace leanhost::test {

std::vector<std::filesystem::path> mapped_files(const std::filesystem::path& path) {
    const std::string folder = std::filesystem::canonical(path).string();
    std::ifstream maps("/proc/self/maps");
    std::vector<std::filesystem::path> files;
    for (std::string line; std::getline(maps, line);) {
        // The path is the line's last field; a file that is gone has " (deleted)" behind it.
        const std::size_t at = line.find(folder);
        if (at != std::string::npos)
            files.emplace_back(line.substr(at));
    }
    return files;
}

} // namespace leanhost::test
