#include "module/relocation.hpp"

#include <cstring>

namespace leanhost::module {
namespace {

void add_at(std::byte* at, std::uint64_t delta) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof(word));
    if ((word & 1U) != 0)
        return;
    word += delta;
    std::memcpy(at, &word, sizeof(word));
}

std::size_t digit_pointer_offset(const OleanHeader& header) {
    return header.gmp_encoding ? offsetof(object::GmpObject, limbs)
                               : offsetof(object::LeanNativeBigObject, digits);
}

object::ObjectHeader modern_header(const object::ObjectHeader& old, std::size_t bytes) {
    const bool small = old.tag <= object::ObjectTag::max_constructor;
    return {0, small ? static_cast<std::uint16_t>(bytes) : std::uint16_t{1}, old.other, old.tag};
}

} // namespace

void relocate_part(std::span<std::byte> copy, const OleanHeader& header, std::uint64_t delta) {
    const PartImage part{copy, &header};
    for_each_object(part, [&](std::size_t offset, std::size_t bytes) {
        std::byte* const object = copy.data() + offset;
        object::ObjectHeader object_header;
        std::memcpy(&object_header, object, sizeof(object_header));
        const PointerWords pointers = pointer_words(object_header, object);
        for (std::size_t i = 0; i < pointers.count; ++i) {
            add_at(object + pointers.first_offset + 8 * i, delta);
        }
        if (object_header.tag == object::ObjectTag::mpz) {
            add_at(object + digit_pointer_offset(header), delta);
        }
        if (!header.version->has_base_address) {
            object_header = modern_header(object_header, bytes);
            std::memcpy(object, &object_header, sizeof(object_header));
        }
    });
    add_at(copy.data() + part.root_offset(), delta);
}

} // namespace leanhost::module
