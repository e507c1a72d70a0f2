#pragma once

#include "module/object_walk.hpp"

namespace leanhost::module {

/// Makes a copy of a validated part right for another address: adds `delta` to every pointer. An
/// object header of 2020 is rewritten as one of today, so that views need not know the difference.
/// `copy` holds the part as it is in the file. Cost: one pass over it.
void relocate_part(std::span<std::byte> copy, const OleanHeader& header, std::uint64_t delta);

} // namespace leanhost::module
