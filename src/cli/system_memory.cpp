#include "cli/system_memory.hpp"

#include <fstream>

namespace leanhost::cli {

std::optional<std::uint64_t> available_memory_bytes() {
    std::ifstream in("/proc/meminfo");
    std::string key;
    std::string unit;
    for (std::uint64_t value = 0; in >> key >> value; std::getline(in, unit)) {
        if (key == "MemAvailable:")
            return value * 1024;
    }
    return std::nullopt;
}

std::optional<std::uint64_t> number_in_file(const char* path) {
    std::ifstream in(path);
    std::uint64_t value = 0;
    if (in >> value)
        return value;
    return std::nullopt;
}

} // namespace leanhost::cli
