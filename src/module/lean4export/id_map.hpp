#pragma once

#include "module/lean4export/export_sink.hpp"

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <limits>
#include <optional>

namespace leanhost::module::lean4export {

/// From the export's ids to positions 0, 1, 2, …: an array while ids stay near the number of items,
/// as lean4export gives them, a hash map for those far beyond.
class IdMap {
public:
    static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

    /// `none` for an id that was not given out.
    std::uint32_t find(Id id) const noexcept {
        if (id < dense_.size())
            return dense_[id];
        if (sparse_.empty())
            return none;
        const auto found = sparse_.find(id);
        return found == sparse_.end() ? none : found->second;
    }

    /// Room for about `count` items whose ids are dense, so that growing copies nothing.
    void reserve(std::size_t count) { dense_.reserve(count); }

    /// False when the id is taken.
    bool add(Id id, std::uint32_t position) {
        if (id < dense_.size() || id <= 2 * std::uint64_t{count_} + first_dense) {
            if (id >= dense_.size())
                grow(id);
            if (dense_[id] != none)
                return false;
            dense_[id] = position;
        } else if (!sparse_.emplace(id, position).second) {
            return false;
        }
        ++count_;
        greatest_ = std::max(greatest_.value_or(id), id);
        return true;
    }

    std::optional<Id> greatest() const noexcept { return greatest_; }

    std::size_t memory_bytes() const noexcept {
        return dense_.capacity() * sizeof(std::uint32_t) +
               sparse_.capacity() * (sizeof(Id) + 2 * sizeof(std::uint32_t));
    }

private:
    static constexpr std::uint64_t first_dense = 4096;

    void grow(Id id) {
        const std::size_t before = dense_.size();
        const std::size_t wanted = std::max<std::size_t>(id + 1, before + before / 2);
        dense_.resize(id < dense_.capacity() ? std::min(wanted, dense_.capacity()) : wanted, none);
        // Those that came early and far ahead are within reach now.
        for (auto entry = sparse_.begin(); entry != sparse_.end();) {
            if (entry->first >= dense_.size()) {
                ++entry;
                continue;
            }
            dense_[entry->first] = entry->second;
            sparse_.erase(entry++);
        }
    }

    std::vector<std::uint32_t> dense_;
    absl::flat_hash_map<Id, std::uint32_t> sparse_;
    std::uint32_t count_ = 0;
    std::optional<Id> greatest_;
};

} // namespace leanhost::module::lean4export
