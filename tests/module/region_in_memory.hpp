#pragma once

#include "module/raw_olean.hpp"
#include "module/region.hpp"

#include <memory>
#include <optional>

namespace leanhost::test {

/// The region of one file that was never written: validated and relocated in a block of memory of
/// exactly its size, where an address sanitizer sees each access beyond it.
class RegionInMemory {
public:
    static constexpr const char* path = "in memory.olean";

    /// Throws Failure as the registry would.
    explicit RegionInMemory(const Bytes& file);

    const module::Region& operator*() const { return *region_; }
    const module::Region* operator->() const { return &*region_; }
    /// Where the object lies that stands at `offset` in the file.
    object::ObjectRef object(std::size_t offset) const;

private:
    std::unique_ptr<std::byte[]> block_;
    std::optional<module::Region> region_;
};

} // namespace leanhost::test
