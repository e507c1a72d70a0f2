#include "object/raw_objects.hpp"

#include <stdexcept>

namespace leanhost::test {
namespace {

using object::ObjectTag;

std::size_t round_up(std::size_t bytes) {
    return (bytes + 7) & ~std::size_t{7};
}

} // namespace

RawObjects::RawObjects(InPlace place) : first_address_(0), is_in_place_(true) {
    bytes_.reserve(place.capacity_bytes);
    first_address_ = reinterpret_cast<std::uint64_t>(bytes_.data());
}

template <class T>
void RawObjects::put(T value) {
    const auto* const from = reinterpret_cast<const std::byte*>(&value);
    bytes_.insert(bytes_.end(), from, from + sizeof(T));
}

void RawObjects::begin(std::uint16_t cs_sz,
                       std::uint8_t other,
                       std::uint8_t tag,
                       std::size_t size_bytes) {
    if (has_headers_of_2020_) {
        put(static_cast<std::uint32_t>(size_bytes));
        put(std::uint8_t{0});
        put(std::uint8_t{3});
    } else {
        put(std::uint32_t{0});
        put(cs_sz);
    }
    put(other);
    put(tag);
}

std::uint64_t RawObjects::end(std::uint64_t start) {
    bytes_.resize(round_up(bytes_.size()));
    if (is_in_place_ && first_address_ != reinterpret_cast<std::uint64_t>(bytes_.data())) {
        throw std::length_error("RawObjects: full; words would no longer be addresses");
    }
    return start;
}

std::uint64_t RawObjects::ctor(std::uint8_t tag,
                               const std::vector<std::uint64_t>& fields,
                               const std::vector<std::uint8_t>& scalars) {
    const std::uint64_t start = next_address();
    const std::size_t size = 8 + 8 * fields.size() + round_up(scalars.size());
    begin(static_cast<std::uint16_t>(size), static_cast<std::uint8_t>(fields.size()), tag, size);
    for (const std::uint64_t field : fields)
        put(field);
    for (const std::uint8_t byte : scalars)
        put(byte);
    return end(start);
}

std::uint64_t RawObjects::ctor_with_word(std::uint8_t tag,
                                         const std::vector<std::uint64_t>& fields,
                                         std::uint64_t word) {
    std::vector<std::uint8_t> scalars(8);
    std::memcpy(scalars.data(), &word, 8);
    return ctor(tag, fields, scalars);
}

std::uint64_t RawObjects::array(const std::vector<std::uint64_t>& elements) {
    const std::uint64_t start = next_address();
    begin(1, 0, ObjectTag::array, 24 + 8 * elements.size());
    put(std::uint64_t{elements.size()});
    put(std::uint64_t{elements.size()});
    for (const std::uint64_t element : elements)
        put(element);
    return end(start);
}

std::uint64_t RawObjects::list(const std::vector<std::uint64_t>& elements) {
    std::uint64_t list = box(0);
    for (auto it = elements.rbegin(); it != elements.rend(); ++it)
        list = ctor(1, {*it, list});
    return list;
}

std::uint64_t RawObjects::scalar_array(std::uint8_t element_bytes,
                                       const std::vector<std::uint8_t>& bytes) {
    const std::uint64_t start = next_address();
    begin(1, element_bytes, ObjectTag::scalar_array, round_up(24 + bytes.size()));
    put(std::uint64_t{bytes.size() / element_bytes});
    put(std::uint64_t{bytes.size() / element_bytes});
    for (const std::uint8_t byte : bytes)
        put(byte);
    return end(start);
}

std::uint64_t RawObjects::string(std::string_view text) {
    const std::uint64_t start = next_address();
    std::uint64_t code_points = 0;
    for (const char c : text)
        code_points += (static_cast<unsigned char>(c) & 0xc0U) != 0x80U ? 1 : 0;
    begin(1, 0, ObjectTag::string, round_up(32 + text.size() + 1));
    put(std::uint64_t{text.size() + 1});
    put(std::uint64_t{text.size() + 1});
    put(code_points);
    for (const char c : text)
        put(c);
    put('\0');
    return end(start);
}

std::uint64_t RawObjects::gmp(const std::vector<std::uint64_t>& limbs, bool is_negative) {
    const std::uint64_t start = next_address();
    const std::size_t size = 24 + 8 * limbs.size();
    const auto count = static_cast<std::int32_t>(limbs.size());
    begin(static_cast<std::uint16_t>(size), 0, ObjectTag::mpz, size);
    put(count);
    put(is_negative ? -count : count);
    put(start + 24);
    for (const std::uint64_t limb : limbs)
        put(limb);
    return end(start);
}

std::uint64_t RawObjects::lean_native(const std::vector<std::uint32_t>& digits, bool is_negative) {
    const std::uint64_t start = next_address();
    const std::size_t size = round_up(32 + 4 * digits.size());
    begin(static_cast<std::uint16_t>(size), 0, ObjectTag::mpz, size);
    put(std::uint64_t{is_negative});
    put(std::uint64_t{digits.size()});
    put(start + 32);
    for (const std::uint32_t digit : digits)
        put(digit);
    return end(start);
}

std::uint64_t RawObjects::boxed(std::uint8_t tag, std::uint64_t value) {
    const std::uint64_t start = next_address();
    const bool has_second_word = tag != ObjectTag::ref;
    begin(has_second_word ? 24 : 16, 0, tag, has_second_word ? 24 : 16);
    put(value);
    if (has_second_word)
        put(std::uint64_t{0});
    return end(start);
}

std::uint64_t RawObjects::raw(const std::vector<std::uint64_t>& words) {
    const std::uint64_t start = next_address();
    for (const std::uint64_t word : words)
        put(word);
    return end(start);
}

} // namespace leanhost::test
