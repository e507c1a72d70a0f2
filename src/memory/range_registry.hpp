#pragma once

#include <leanhost/memory_sample.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

namespace leanhost::memory {

/// Addresses [begin, end) whose class their owner knows.
struct ClassRange {
    std::uintptr_t begin;
    std::uintptr_t end;
    MappingClass mapping_class;

    bool operator==(const ClassRange&) const = default;
};

/// The ranges of this process whose class is known to their owners. The kernel splits and merges
/// mappings, and may keep no names: a range can be a part of what it shows as one mapping, or
/// several.
///
/// Invariants: 1. Ranges are disjoint and not empty. 2. A range is gone before its memory is
/// unmapped. Thread-safe. A child made by fork inherits the ranges; fork while another thread is in
/// here would leave the lock taken in the child, so whoever forks and goes on in C++ has one
/// thread.
class RangeRegistry {
public:
    class Reading;

    /// The one of this process; never destroyed, since owners with static lifetime use it.
    static RangeRegistry& of_this_process();

    /// False when the range is empty or overlaps one that is known: the first owner stands.
    /// May throw std::bad_alloc.
    bool try_add(const ClassRange& range);
    void remove(std::uintptr_t begin) noexcept;

private:
    struct Tail {
        std::uintptr_t end;
        MappingClass mapping_class;
    };
    using Ranges = std::map<std::uintptr_t, Tail>;

    Ranges::const_iterator first_ending_after(std::uintptr_t address) const noexcept;

    std::mutex mutex_;
    Ranges ranges_; // by begin; guarded by mutex_
};

/// Holds the registry still while it lives, so that no range changes under an attribution.
class RangeRegistry::Reading {
public:
    explicit Reading(RangeRegistry& registry) : registry_(registry), lock_(registry.mutex_) {}

    /// The first part of [begin, end) that is known to be of one class, adjacent ranges of that
    /// class as one; nullopt when nothing in it is known.
    std::optional<ClassRange> first_run(std::uintptr_t begin, std::uintptr_t end) const noexcept;

private:
    const RangeRegistry& registry_;
    std::lock_guard<std::mutex> lock_;
};

/// Keeps one range in the registry of this process. Move-only.
class RangeRegistration {
public:
    RangeRegistration() = default;
    RangeRegistration(const void* address, std::size_t bytes, MappingClass mapping_class);
    RangeRegistration(RangeRegistration&& other) noexcept;
    RangeRegistration& operator=(RangeRegistration&& other) noexcept;
    ~RangeRegistration() { reset(); }

    void reset() noexcept;

private:
    std::uintptr_t begin_ = 0; // 0: nothing registered
};

} // namespace leanhost::memory
