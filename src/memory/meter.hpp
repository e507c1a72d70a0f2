#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <string>
#include <vector>

namespace leanhost::memory {

/// What a meter showed at one moment. Read field by field: under concurrent use the fields may be a
/// few operations apart.
struct MeterReading {
    std::string name;
    std::uint64_t bytes = 0; ///< held now
    std::uint64_t peak_bytes = 0;
    std::uint64_t objects = 0; ///< held now
    std::uint64_t total_acquired_bytes = 0;
    std::uint64_t total_released_bytes = 0;
};

/// A named count of bytes and objects that an owner keeps. Stands in the process-wide list while it
/// lives; names need not be unique. Acquiring and releasing cost three or four relaxed atomic
/// operations. Thread-safe. Neither moves nor copies.
class Meter {
public:
    explicit Meter(std::string name);
    ~Meter();
    Meter(const Meter&) = delete;
    Meter& operator=(const Meter&) = delete;

    void acquire(std::uint64_t bytes, std::uint64_t objects = 1) noexcept;
    /// Releases what was acquired before, no more.
    void release(std::uint64_t bytes, std::uint64_t objects = 1) noexcept;

    std::uint64_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }
    MeterReading read() const;

private:
    const std::string name_;
    std::atomic<std::uint64_t> bytes_ = 0;
    std::atomic<std::uint64_t> peak_bytes_ = 0;
    std::atomic<std::uint64_t> objects_ = 0;
    std::atomic<std::uint64_t> total_acquired_bytes_ = 0;
    std::atomic<std::uint64_t> total_released_bytes_ = 0;
    const std::list<const Meter*>::iterator place_; // in the process-wide list
};

/// All meters that live now, in the order in which they were made. Thread-safe.
std::vector<MeterReading> meter_readings();

/// An amount that one object holds, released when it goes. Borrows the meter. Move-only.
class MeteredBytes {
public:
    MeteredBytes() = default;
    MeteredBytes(Meter& meter, std::uint64_t bytes) noexcept;
    MeteredBytes(MeteredBytes&& other) noexcept;
    MeteredBytes& operator=(MeteredBytes&& other) noexcept;
    ~MeteredBytes() { reset(); }

    std::uint64_t bytes() const noexcept { return bytes_; }

    /// Changes the amount; the object stays one. No effect on a default-made or moved-from one.
    void resize(std::uint64_t bytes) noexcept;
    void reset() noexcept;

private:
    Meter* meter_ = nullptr;
    std::uint64_t bytes_ = 0;
};

} // namespace leanhost::memory
