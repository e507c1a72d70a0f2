#pragma once

#include "module/olean_versions.hpp"
#include "object/object_ref.hpp"

#include <span>
#include <stdexcept>

namespace leanhost::module {

/// Something in a part's payload that cannot be: where, counted from the file's first byte, and
/// what was expected. Caught where the file's name is known.
class BadPart : public std::runtime_error {
public:
    BadPart(std::size_t offset, const std::string& message)
        : std::runtime_error(message), offset_(offset) {}
    std::size_t offset() const noexcept { return offset_; }

private:
    std::size_t offset_;
};

/// The bytes of one part, wherever they lie, and how to read them.
struct PartImage {
    std::span<const std::byte> file; ///< header included, aligned to 8
    const OleanHeader* header;

    std::uint64_t base() const noexcept { return header->base_address; }
    std::size_t objects_begin() const noexcept;
    std::size_t objects_end() const noexcept;
    std::size_t root_offset() const noexcept; ///< where the root pointer stands
    /// Behind the objects: nothing, or (v0) a terminator's object header and the root pointer.
    std::size_t trailer_bytes() const noexcept { return header->version->root_is_last ? 16 : 0; }
};

/// The kinds of objects that a part may hold: those that Lean's compactor writes.
/// Size in bytes of the object at `offset`, padding included: at least 8, a multiple of 8, and
/// inside the object area. Throws BadPart when there is no such object.
std::size_t checked_object_bytes(const PartImage& part, std::size_t offset);

/// Calls f(offset, header, bytes) for each object, in file order. Throws BadPart where objects do
/// not tile the area. Reads headers only; pointers are not followed.
template <class F>
void for_each_object(const PartImage& part, F&& f) {
    const std::size_t end = part.objects_end();
    for (std::size_t offset = part.objects_begin(); offset < end;) {
        const std::size_t bytes = checked_object_bytes(part, offset);
        f(offset, bytes);
        offset += bytes;
    }
}

/// The pointer words of an object that `checked_object_bytes` accepted: offset of the first from
/// the object's start, and how many. The digit pointer of a big number is not among them.
struct PointerWords {
    std::size_t first_offset;
    std::size_t count;
};
PointerWords pointer_words(const object::ObjectHeader& header, const std::byte* object) noexcept;

} // namespace leanhost::module
