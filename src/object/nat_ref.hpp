#pragma once

#include "object/object_ref.hpp"

#include <optional>
#include <string>

namespace leanhost::object {

/// A view of a natural number: a scalar, or a big one in either encoding (GMP, Lean-native).
/// Borrows like ObjectRef. Throws MalformedObject for another kind of object and for a negative number.
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
    /// Bits of the number; 0 for zero.
    std::uint64_t bit_length() const;
    /// Decimal digits; hexadecimal with 0x when the number is longer than `max_decimal_bits`, because the
    /// conversion is not linear.
    std::string to_string() const;

    static constexpr std::uint64_t max_decimal_bits = 1U << 20U;

private:
    struct Digits {
        const std::byte* at;
        std::uint64_t count;
        unsigned digit_bytes; ///< 8 for GMP, 4 for Lean-native; the least significant first
    };
    Digits big_digits() const;

    ObjectRef object_;
};

/// How a big number lies in memory.
enum class BigEncoding { gmp, lean_native };

/// Which encoding `big` has, told from its digit pointer, which leads to its own end.
/// Only for an object with the tag mpz of at least 24 bytes.
BigEncoding big_encoding(ObjectRef big);

} // namespace leanhost::object
