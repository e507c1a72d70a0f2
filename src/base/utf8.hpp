#pragma once

#include <string>
#include <string_view>

namespace leanhost {

/// `text` with each byte that is no part of a well-formed UTF-8 sequence replaced by U+FFFD. Text
/// in files may hold any bytes; what we hand out as text is UTF-8. Cost: one pass, no copy when
/// nothing is wrong.
std::string valid_utf8(std::string text);

/// Whether there is nothing to replace.
bool is_valid_utf8(std::string_view text) noexcept;

} // namespace leanhost
