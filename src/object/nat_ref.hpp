#pragma once

#include "object/object_ref.hpp"

#include <optional>
#include <string>
#include <vector>

namespace leanhost::object {

/// A view of a natural number: a scalar, or a big one in either encoding (GMP, Lean-native).
/// Borrows like ObjectRef. Throws MalformedObject for another kind of object and for a negative
/// number.
class NatRef {
public:
    explicit NatRef(ObjectRef object);

    ObjectRef object() const noexcept { return object_; }
    /// The value when it fits 64 bits.
    std::optional<std::uint64_t> try_uint64() const;
    /// The value of a count or an index; throws MalformedObject when it does not fit 64 bits.
    std::uint64_t uint64() const;
    /// The value modulo 2^64.
    std::uint64_t low_word() const;
    /// The value in words, the least significant first, without leading zeros; empty for zero.
    std::vector<std::uint64_t> words() const;
    /// Bits of the number; 0 for zero.
    std::uint64_t bit_length() const;
    /// Decimal digits; of a number of more than `max_decimal_bits` the hexadecimal ones with 0x,
    /// because the conversion is not linear and GMP ends the process when it runs out of memory. At
    /// most `max_bytes` of them, the highest first, then "…".
    std::string to_string(std::size_t max_bytes = 64 * 1024) const;

    /// Whether they are the same number, in whatever encodings.
    bool operator==(const NatRef& other) const;

    static constexpr std::uint64_t max_decimal_bits = 4096;

private:
    struct Digits {
        const std::byte* at;
        std::uint64_t count;
        unsigned digit_bytes; ///< 8 for GMP, 4 for Lean-native; the least significant first
    };
    Digits big_digits() const;
    std::string hexadecimal(std::size_t max_bytes) const;

    ObjectRef object_;
};

/// How a big number lies in memory.
enum class BigEncoding { gmp, lean_native };

/// Which encoding `big` has, told from its digit pointer, which leads to its own end.
/// Only for an object with the tag mpz of at least 24 bytes.
BigEncoding big_encoding(ObjectRef big);

} // namespace leanhost::object
