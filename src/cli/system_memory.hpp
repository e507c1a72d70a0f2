#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace leanhost::cli {

/// MemAvailable of /proc/meminfo in bytes; nullopt when it cannot be had.
std::optional<std::uint64_t> available_memory_bytes();

/// The number in a one-line file such as /proc/sys/vm/max_map_count; nullopt when it cannot be had.
std::optional<std::uint64_t> number_in_file(const char* path);

} // namespace leanhost::cli
