#pragma once

#include "base/failure.hpp"

#include <fmt/format.h>

namespace leanhost::worker {

/// A message's field that holds what it must not. Throws Failure `protocol_error` that names it.
[[noreturn]] inline void bad_field(std::string_view field, std::string_view what) {
    fail(ErrorCode::protocol_error, fmt::format("field '{}': {}", field, what));
}

/// One of an enumeration's first `count` values. Throws Failure `protocol_error`.
template <class Enum>
Enum enumerator_from(std::uint32_t value, std::uint32_t count, std::string_view field) {
    if (value >= count)
        bad_field(field, fmt::format("{} is none of the {} values known", value, count));
    return static_cast<Enum>(value);
}

inline constexpr std::uint32_t num_declaration_kinds = 8;

} // namespace leanhost::worker
