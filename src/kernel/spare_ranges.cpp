#include "kernel/spare_ranges.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <utility>

namespace leanhost::kernel {
namespace {

thread_local SpareRanges* used = nullptr;

} // namespace

SpareRanges::Use::Use(SpareRanges& spare) noexcept : before_(std::exchange(used, &spare)) {}
SpareRanges::Use::~Use() {
    used = before_;
}
SpareRanges* SpareRanges::used_here() noexcept {
    return used;
}

std::optional<AddressRange> SpareRanges::take(std::size_t reserved_bytes,
                                              std::size_t least_open_bytes) noexcept {
    const auto found =
        std::find_if(ranges_.rbegin(), ranges_.rend(), [&](const AddressRange& range) {
            return range.reserved_bytes == reserved_bytes && range.open_bytes >= least_open_bytes;
        });
    if (found == ranges_.rend())
        return std::nullopt;
    const AddressRange range = *found;
    ranges_.erase(std::next(found).base());
    bytes_ -= range.open_bytes;
    return range;
}

bool SpareRanges::keep(const AddressRange& range) noexcept {
    if (ranges_.size() == max_ranges || range.open_bytes > max_bytes_ - bytes_)
        return false;
    ranges_.push_back(range);
    bytes_ += range.open_bytes;
    return true;
}

void SpareRanges::clear() noexcept {
    for (const AddressRange& range : ranges_)
        munmap(range.at, range.reserved_bytes);
    ranges_.clear();
    bytes_ = 0;
}

} // namespace leanhost::kernel
