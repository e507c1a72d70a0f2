#pragma once

#include "module/object_walk.hpp"

#include <cstdlib>
#include <memory>
#include <new>

namespace leanhost::module {

/// One bit for each 8 bytes of a part: set where an object starts. Lives while a module's parts are
/// being validated; 1/64 of the file.
class StartBitmap {
public:
    /// Zeroed pages come from the system when they are first touched: a sparse file costs nothing
    /// here before its objects were seen. Throws std::bad_alloc.
    explicit StartBitmap(std::size_t file_bytes)
        : bits_(static_cast<std::uint64_t*>(
              std::calloc(file_bytes / 512 + 1, sizeof(std::uint64_t)))) {
        if (bits_ == nullptr)
            throw std::bad_alloc();
    }
    void set(std::size_t offset) noexcept { bits_.get()[offset >> 9U] |= mask(offset); }
    bool test(std::size_t offset) const noexcept {
        return (bits_.get()[offset >> 9U] & mask(offset)) != 0;
    }

private:
    static std::uint64_t mask(std::size_t offset) noexcept {
        return std::uint64_t{1} << ((offset >> 3U) & 63U);
    }
    struct Free {
        void operator()(std::uint64_t* bits) const noexcept { std::free(bits); }
    };
    std::unique_ptr<std::uint64_t, Free> bits_;
};

/// An earlier part of the same module, into which a later one may point.
struct EarlierPart {
    std::uint64_t base;
    std::size_t file_bytes;
    const StartBitmap* starts;
};

/// Validates `part` in one pass: objects tile it; every pointer is a scalar, or the start of an
/// object that stands earlier in this part or anywhere in `earlier`; the root is an object. After
/// that every pointer in it can be followed, and no chain of pointers has a cycle. Returns where
/// its objects start. Throws BadPart. Cost: one read of the file.
StartBitmap validate_part(const PartImage& part, std::span<const EarlierPart> earlier);

/// The starts alone, of a part that was validated before.
StartBitmap object_starts(const PartImage& part);

} // namespace leanhost::module
