#pragma once

#include "object/object_ref.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace leanhost::test {

/// Lean objects laid out by hand, word for word, so that tests do not depend on our own writer and
/// can lay out what no writer would. Words are what pointers to the objects look like.
class RawObjects {
public:
    /// For a file: the first object stands at `first_address`.
    explicit RawObjects(std::uint64_t first_address, bool has_headers_of_2020 = false)
        : first_address_(first_address), has_headers_of_2020_(has_headers_of_2020) {}
    /// For views: objects stand where their words say.
    struct InPlace {
        std::size_t capacity_bytes = std::size_t{1} << 20U;
    };
    explicit RawObjects(InPlace place);
    RawObjects() : RawObjects(InPlace()) {}
    RawObjects(const RawObjects&) = delete;
    RawObjects& operator=(const RawObjects&) = delete;

    static constexpr std::uint64_t box(std::uint64_t value) { return value << 1U | 1U; }

    /// `scalars` are padded with zeros to a multiple of 8.
    std::uint64_t ctor(std::uint8_t tag,
                       const std::vector<std::uint64_t>& fields,
                       const std::vector<std::uint8_t>& scalars = {});
    /// A constructor whose scalar area is one 64-bit word, as names, levels and terms have.
    std::uint64_t
    ctor_with_word(std::uint8_t tag, const std::vector<std::uint64_t>& fields, std::uint64_t word);
    std::uint64_t array(const std::vector<std::uint64_t>& elements);
    std::uint64_t list(const std::vector<std::uint64_t>& elements);
    std::uint64_t scalar_array(std::uint8_t element_bytes, const std::vector<std::uint8_t>& bytes);
    std::uint64_t string(std::string_view text);
    std::uint64_t gmp(const std::vector<std::uint64_t>& limbs, bool is_negative = false);
    std::uint64_t lean_native(const std::vector<std::uint32_t>& digits, bool is_negative = false);
    /// A thunk, a task or a reference.
    std::uint64_t boxed(std::uint8_t tag, std::uint64_t value);
    /// Bytes as they are, padded with zeros to a multiple of 8.
    std::uint64_t raw(const std::vector<std::uint64_t>& words);

    std::uint64_t next_address() const { return first_address_ + bytes_.size(); }
    const std::vector<std::byte>& bytes() const { return bytes_; }

private:
    void begin(std::uint16_t cs_sz, std::uint8_t other, std::uint8_t tag, std::size_t size_bytes);
    template <class T>
    void put(T value);
    std::uint64_t end(std::uint64_t start);

    std::uint64_t first_address_;
    bool has_headers_of_2020_ = false;
    bool is_in_place_ = false;
    std::vector<std::byte> bytes_;
};

} // namespace leanhost::test
