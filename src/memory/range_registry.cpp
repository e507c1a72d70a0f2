#include "memory/range_registry.hpp"

#include <algorithm>
#include <utility>

namespace leanhost::memory {

RangeRegistry& RangeRegistry::of_this_process() {
    static auto& registry = *new RangeRegistry;
    return registry;
}

bool RangeRegistry::try_add(const ClassRange& range) {
    if (range.begin >= range.end)
        return false;
    const std::lock_guard lock(mutex_);
    const auto next = first_ending_after(range.begin);
    if (next != ranges_.end() && next->first < range.end)
        return false;
    ranges_.emplace_hint(next, range.begin, Tail{range.end, range.mapping_class});
    return true;
}

void RangeRegistry::remove(std::uintptr_t begin) noexcept {
    const std::lock_guard lock(mutex_);
    ranges_.erase(begin);
}

// Disjoint ranges ordered by their begin are ordered by their end as well.
RangeRegistry::Ranges::const_iterator
RangeRegistry::first_ending_after(std::uintptr_t address) const noexcept {
    const auto next = ranges_.upper_bound(address);
    if (next == ranges_.begin())
        return next;
    const auto before = std::prev(next);
    return before->second.end > address ? before : next;
}

std::optional<ClassRange> RangeRegistry::Reading::first_run(std::uintptr_t begin,
                                                            std::uintptr_t end) const noexcept {
    if (begin >= end)
        return std::nullopt; // where a caller stands that walked to its end
    const auto& ranges = registry_.ranges_;
    auto it = registry_.first_ending_after(begin);
    if (it == ranges.end() || it->first >= end)
        return std::nullopt;
    ClassRange run{std::max(it->first, begin), it->second.end, it->second.mapping_class};
    const auto continues_run = [&] {
        return it != ranges.end() && it->first == run.end &&
               it->second.mapping_class == run.mapping_class;
    };
    while (++it, continues_run() && run.end < end)
        run.end = it->second.end;
    run.end = std::min(run.end, end);
    return run;
}

RangeRegistration::RangeRegistration(const void* address,
                                     std::size_t bytes,
                                     MappingClass mapping_class) {
    const auto begin = reinterpret_cast<std::uintptr_t>(address);
    if (RangeRegistry::of_this_process().try_add({begin, begin + bytes, mapping_class}))
        begin_ = begin;
}

RangeRegistration::RangeRegistration(RangeRegistration&& other) noexcept
    : begin_(std::exchange(other.begin_, 0)) {}

RangeRegistration& RangeRegistration::operator=(RangeRegistration&& other) noexcept {
    if (this != &other) {
        reset();
        begin_ = std::exchange(other.begin_, 0);
    }
    return *this;
}

void RangeRegistration::reset() noexcept {
    if (begin_ != 0)
        RangeRegistry::of_this_process().remove(std::exchange(begin_, 0));
}

} // namespace leanhost::memory
