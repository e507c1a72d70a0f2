#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

namespace leanhost::cli {

inline constexpr std::string_view regions_library = "libleanhost_regions.so";
inline constexpr std::string_view example_capability_library = "libleanhost_example_capability.so";

/// A library that comes with the command: beside it in a build, in LIBDIR/leanhost when installed.
/// Absolute; nullopt when it is in neither place (a build with sanitizers has no region sharing).
std::optional<std::filesystem::path> find_companion_library(std::string_view name);

/// As above. Throws Failure(not_found), which names the places.
std::filesystem::path companion_library(std::string_view name);

/// The environment entry that preloads `library` before whatever is preloaded already.
std::string preload_entry(const std::filesystem::path& library);

} // namespace leanhost::cli
