#pragma once

#include "module/region.hpp"

namespace leanhost::module {

/// The objects of one part that its root leads to, counted by class.
struct ReachableObjects {
    std::uint64_t constructors = 0;
    std::uint64_t arrays = 0;
    std::uint64_t strings = 0;
    std::uint64_t big_numbers = 0;
    std::uint64_t scalar_arrays = 0;
    std::uint64_t thunks = 0;
    std::uint64_t tasks = 0;
    std::uint64_t refs = 0;
    std::uint64_t size_bytes = 0; ///< of all these, padding included
    std::uint64_t earlier_objects =
        0; ///< distinct objects of earlier parts to which these and the root point

    std::uint64_t size() const noexcept;
};

/// Cost: linear in the part; private bytes: 1/64 of the size of this part and those before it.
ReachableObjects count_reachable_objects(const Region& region, std::size_t part);

} // namespace leanhost::module
