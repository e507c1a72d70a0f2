#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>

namespace leanhost::cli {

/// One self-contained page: `script` (a file of src/cli/pages) draws `data` with the charting
/// library, which is inside. Needs no network and no other file.
std::string
html_page(std::string_view title, const nlohmann::ordered_json& data, std::string_view script);

} // namespace leanhost::cli
