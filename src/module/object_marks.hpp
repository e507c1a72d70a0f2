#pragma once

#include "module/region.hpp"

#include <bit>

namespace leanhost::module {

/// A set of objects in the first parts of a region: one bit for each 8 bytes, so 1/64 of their
/// size.
///
/// Swept from the last object to the first: an object points only at such as stand before it (that
/// is what validation settles), so one sweep in which each object marks what it points at is a
/// whole walk of a graph, parents before children, without a stack and with each object met once.
/// Borrows the region.
class ObjectMarks {
public:
    ObjectMarks(const Region& region, std::size_t num_parts);

    /// Adds an object of the region. Returns whether it was not in the set.
    bool add(object::ObjectRef object);
    std::uint64_t size() const noexcept;

    /// Calls f(ObjectRef) for each object in the set, parts and objects last to first. `f` may add
    /// objects that stand before the one it was given.
    template <class F>
    void sweep(F&& f) const {
        for (std::size_t part = parts_.size(); part-- > 0;)
            sweep_part(part, f);
    }
    template <class F>
    void sweep_part(std::size_t part, F&& f) const {
        const Part& p = parts_[part];
        for (std::size_t i = p.bits.size(); i-- > 0;) {
            // Read anew each time: f may have added lower bits of the same word.
            for (std::uint64_t below = ~std::uint64_t{0}; (p.bits[i] & below) != 0;) {
                const int bit = 63 - std::countl_zero(p.bits[i] & below);
                below = (std::uint64_t{1} << bit) - 1;
                f(object::ObjectRef(p.address + 8 * (64 * i + static_cast<std::size_t>(bit))));
            }
        }
    }

private:
    struct Part {
        std::uint64_t address;
        std::uint64_t bytes;
        std::vector<std::uint64_t> bits;
    };
    std::vector<Part> parts_;
};

/// The error for a malformed object that was met while `container` was read: names file and offset
/// of the object, or those of `container` when it is a scalar, which has no place of its own.
[[noreturn]] void fail_malformed_inside(const Region& region,
                                        object::ObjectRef container,
                                        std::string_view what,
                                        const object::MalformedObject& malformed);

/// As `reading`, for a body that reads what `container` holds.
template <class F>
decltype(auto)
reading_inside(const Region& region, object::ObjectRef container, std::string_view what, F&& body) {
    try {
        return std::forward<F>(body)();
    } catch (const object::MalformedObject& malformed) {
        fail_malformed_inside(region, container, what, malformed);
    }
}

} // namespace leanhost::module
