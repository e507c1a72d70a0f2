#pragma once

#include <nlohmann/json_fwd.hpp>

#include <filesystem>
#include <string_view>

namespace leanhost::cli {

/// Writes a file whole or not at all: a new one beside it, then a rename. Throws Failure(io).
void write_text_file(const std::filesystem::path& path, std::string_view text);

/// As above, indented. Text that is not UTF-8 is replaced.
void write_json_file(const std::filesystem::path& path, const nlohmann::ordered_json& json);

} // namespace leanhost::cli
