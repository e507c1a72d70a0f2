#pragma once

#include "base/failure.hpp"
#include "memory/meter.hpp"
#include "memory/range_registry.hpp"

#include <leanhost/memory_sample.hpp>

#include <cstddef>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>

namespace leanhost::memory {

/// Owns anonymous private memory, zeroed, whole pages, apart from the heap: dropping it gives every
/// page back at once, and attribution knows it exactly. For big structures; the least cost is one
/// page and some microseconds. Known to the kernel by name where it keeps names, to the range
/// registry always, and counted in the meter of its class.
///
/// Move-only; the address does not change. Distinct objects may be used from distinct threads.
class NamedMapping {
public:
    /// From this size on a page that may not be touched stands on either side: the kernel then
    /// never merges the mapping with another, and an overrun ends at once. Smaller ones may merge,
    /// so that tens of thousands of them stay under the system's limit on mappings
    /// (vm.max_map_count, 65,530).
    static constexpr std::size_t guarded_from_bytes = 1024 * 1024;

    /// Holds nothing.
    NamedMapping() = default;

    /// `bytes` may be 0: then nothing is mapped. Any class but mapped_modules, which are files.
    /// Throws Failure resource_exhausted (facts: requested_bytes, mapping_class, class_held_bytes,
    /// system_error), std::bad_alloc.
    NamedMapping(std::size_t bytes, MappingClass mapping_class);

    NamedMapping(NamedMapping&& other) noexcept;
    NamedMapping& operator=(NamedMapping&& other) noexcept;
    ~NamedMapping() { reset(); }

    /// Page-aligned. Valid until the mapping is dropped.
    std::byte* data() const noexcept { return extent_.data; }
    std::size_t size_bytes() const noexcept { return extent_.size_bytes; }
    std::span<std::byte> bytes() const noexcept { return {extent_.data, extent_.size_bytes}; }

    /// From now on a write is a segmentation fault. Throws Failure resource_exhausted when the
    /// kernel cannot split the mapping; then it stays writable.
    void seal_read_only();

    /// Gives the memory back.
    void reset() noexcept;

private:
    struct Extent {
        std::span<std::byte> reserved; // what mmap gave, guards included
        std::byte* data = nullptr;
        std::size_t size_bytes = 0;   // as asked
        std::size_t mapped_bytes = 0; // whole pages, without guards
        MappingClass mapping_class = MappingClass::other;
    };
    Extent extent_;
    RangeRegistration registration_;
    MeteredBytes metered_;
};

/// The meter of all NamedMappings of a class, in whole pages. Lives for ever.
Meter& mapping_meter(MappingClass mapping_class);

/// A fixed number of elements in a NamedMapping, zeroed at first.
template <class T>
class MappedArray {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>,
                  "elements are made of zeroed pages and dropped with them");
    static_assert(alignof(T) <= 4096, "a mapping starts at a page");

public:
    MappedArray() = default;

    /// Throws as NamedMapping does.
    MappedArray(std::size_t count, MappingClass mapping_class)
        : mapping_(bytes_for(count), mapping_class), count_(count) {}

    MappedArray(MappedArray&& other) noexcept
        : mapping_(std::move(other.mapping_)), count_(std::exchange(other.count_, 0)) {}
    MappedArray& operator=(MappedArray&& other) noexcept {
        mapping_ = std::move(other.mapping_);
        if (this != &other)
            count_ = std::exchange(other.count_, 0);
        return *this;
    }

    std::size_t size() const noexcept { return count_; }
    bool empty() const noexcept { return count_ == 0; }
    std::size_t size_bytes() const noexcept { return mapping_.size_bytes(); }

    /// Valid until the array is dropped; moving the array does not move the elements.
    std::span<T> span() noexcept { return {elements(), count_}; }
    std::span<const T> span() const noexcept { return {elements(), count_}; }

    T& operator[](std::size_t i) noexcept { return elements()[i]; }
    const T& operator[](std::size_t i) const noexcept { return elements()[i]; }

    /// From now on a write is a segmentation fault; errors as for NamedMapping.
    void seal_read_only() { mapping_.seal_read_only(); }

private:
    static std::size_t bytes_for(std::size_t count) {
        if (count > std::numeric_limits<std::size_t>::max() / sizeof(T))
            fail(ErrorCode::resource_exhausted, "an array does not fit into the address space",
                 {{"requested_elements", std::uint64_t{count}},
                  {"element_bytes", std::uint64_t{sizeof(T)}}});
        return count * sizeof(T);
    }

    T* elements() const noexcept { return reinterpret_cast<T*>(mapping_.data()); }

    NamedMapping mapping_;
    std::size_t count_ = 0;
};

} // namespace leanhost::memory
