#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace leanhost {

/// `text` with each byte that is no part of a well-formed UTF-8 sequence replaced by U+FFFD. Text
/// in files may hold any bytes; what we hand out as text is UTF-8. Cost: one pass, no copy when
/// nothing is wrong.
std::string valid_utf8(std::string text);

/// Bytes of the well-formed sequence that begins at `at`; 0 when there is none.
std::size_t utf8_sequence_bytes(std::string_view text, std::size_t at);

/// Whether `text` is well-formed as a whole.
bool is_utf8(std::string_view text);

} // namespace leanhost
