#include "memory/meter.hpp"

#include <mutex>
#include <utility>

namespace leanhost::memory {
namespace {

struct MeterList {
    std::mutex mutex;
    std::list<const Meter*> meters; // guarded by mutex
};

// Never destroyed: meters with static lifetime leave it in any order.
MeterList& meter_list() {
    static auto& list = *new MeterList;
    return list;
}

std::list<const Meter*>::iterator enter_list(const Meter* meter) {
    auto& list = meter_list();
    const std::lock_guard lock(list.mutex);
    return list.meters.insert(list.meters.end(), meter);
}

void raise_to(std::atomic<std::uint64_t>& peak, std::uint64_t value) noexcept {
    std::uint64_t seen = peak.load(std::memory_order_relaxed);
    while (seen < value && !peak.compare_exchange_weak(seen, value, std::memory_order_relaxed)) {
    }
}

} // namespace

Meter::Meter(std::string name) : name_(std::move(name)), place_(enter_list(this)) {}

Meter::~Meter() {
    auto& list = meter_list();
    const std::lock_guard lock(list.mutex);
    list.meters.erase(place_);
}

void Meter::acquire(std::uint64_t bytes, std::uint64_t objects) noexcept {
    const std::uint64_t before = bytes_.fetch_add(bytes, std::memory_order_relaxed);
    raise_to(peak_bytes_, before + bytes);
    objects_.fetch_add(objects, std::memory_order_relaxed);
    total_acquired_bytes_.fetch_add(bytes, std::memory_order_relaxed);
}

void Meter::release(std::uint64_t bytes, std::uint64_t objects) noexcept {
    bytes_.fetch_sub(bytes, std::memory_order_relaxed);
    objects_.fetch_sub(objects, std::memory_order_relaxed);
    total_released_bytes_.fetch_add(bytes, std::memory_order_relaxed);
}

MeterReading Meter::read() const {
    const auto load = [](const auto& value) { return value.load(std::memory_order_relaxed); };
    return {.name = name_,
            .bytes = load(bytes_),
            .peak_bytes = load(peak_bytes_),
            .objects = load(objects_),
            .total_acquired_bytes = load(total_acquired_bytes_),
            .total_released_bytes = load(total_released_bytes_)};
}

std::vector<MeterReading> meter_readings() {
    auto& list = meter_list();
    const std::lock_guard lock(list.mutex);
    std::vector<MeterReading> readings;
    readings.reserve(list.meters.size());
    for (const Meter* meter : list.meters)
        readings.push_back(meter->read());
    return readings;
}

MeteredBytes::MeteredBytes(Meter& meter, std::uint64_t bytes) noexcept
    : meter_(&meter), bytes_(bytes) {
    meter.acquire(bytes);
}

MeteredBytes::MeteredBytes(MeteredBytes&& other) noexcept
    : meter_(std::exchange(other.meter_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

MeteredBytes& MeteredBytes::operator=(MeteredBytes&& other) noexcept {
    if (this != &other) {
        reset();
        meter_ = std::exchange(other.meter_, nullptr);
        bytes_ = std::exchange(other.bytes_, 0);
    }
    return *this;
}

void MeteredBytes::resize(std::uint64_t bytes) noexcept {
    if (meter_ == nullptr)
        return;
    if (bytes > bytes_)
        meter_->acquire(bytes - bytes_, 0);
    else
        meter_->release(bytes_ - bytes, 0);
    bytes_ = bytes;
}

void MeteredBytes::reset() noexcept {
    if (meter_ != nullptr)
        std::exchange(meter_, nullptr)->release(std::exchange(bytes_, 0));
}

} // namespace leanhost::memory
