#pragma once

#include "base/lean_hash.hpp"

namespace leanhost::worker {

/// Over the rows of a request, in order: each row's hash is mixed into what was before. Guards
/// against rows that were lost, doubled, changed or cut differently, not against an adversary.
class RowChecksum {
public:
    void add(std::string_view row) noexcept { value_ = mix_hash(value_, string_hash(row)); }
    std::uint64_t value() const noexcept { return value_; }

private:
    std::uint64_t value_ = 7;
};

} // namespace leanhost::worker
