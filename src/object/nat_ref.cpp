#include "object/nat_ref.hpp"

#include <gmp.h>

#include <bit>
#include <memory>

namespace leanhost::object {
namespace {

template <class T>
const T& as(ObjectRef object) {
    return *reinterpret_cast<const T*>(object.word());
}

struct Mpz {
    mpz_t value;
    Mpz() { mpz_init(value); }
    ~Mpz() { mpz_clear(value); }
    Mpz(const Mpz&) = delete;
    Mpz& operator=(const Mpz&) = delete;
};

} // namespace

BigEncoding big_encoding(ObjectRef big) {
    return as<GmpObject>(big).limbs == big.word() + sizeof(GmpObject) ? BigEncoding::gmp
                                                                      : BigEncoding::lean_native;
}

NatRef::NatRef(ObjectRef object) : object_(object) {
    if (object_.is_scalar())
        return;
    if (!object_.is_mpz())
        throw MalformedObject(object_.word(), "natural number", object_.describe());
    const bool negative = big_encoding(object_) == BigEncoding::gmp
                              ? as<GmpObject>(object_).signed_limbs < 0
                              : as<LeanNativeBigObject>(object_).is_negative != 0;
    if (negative)
        throw MalformedObject(object_.word(), "natural number", "a negative number");
}

NatRef::Digits NatRef::big_digits() const {
    if (big_encoding(object_) == BigEncoding::gmp) {
        const auto& big = as<GmpObject>(object_);
        return {reinterpret_cast<const std::byte*>(big.limbs),
                static_cast<std::uint64_t>(big.signed_limbs), 8};
    }
    const auto& big = as<LeanNativeBigObject>(object_);
    return {reinterpret_cast<const std::byte*>(big.digits), big.size, 4};
}

std::uint64_t NatRef::bit_length() const {
    if (object_.is_scalar())
        return static_cast<std::uint64_t>(std::bit_width(object_.scalar()));
    const Digits d = big_digits();
    for (std::uint64_t i = d.count; i-- > 0;) {
        std::uint64_t digit = 0;
        std::memcpy(&digit, d.at + i * d.digit_bytes, d.digit_bytes);
        if (digit != 0) {
            return i * 8U * d.digit_bytes + static_cast<std::uint64_t>(std::bit_width(digit));
        }
    }
    return 0;
}

std::optional<std::uint64_t> NatRef::try_uint64() const {
    if (object_.is_scalar())
        return object_.scalar();
    if (bit_length() > 64)
        return std::nullopt;
    return low_word();
}

std::uint64_t NatRef::low_word() const {
    if (object_.is_scalar())
        return object_.scalar();
    const Digits d = big_digits();
    std::uint64_t value = 0;
    std::memcpy(&value, d.at, std::min<std::uint64_t>(8, d.count * d.digit_bytes));
    return value;
}

std::uint64_t NatRef::uint64() const {
    const auto value = try_uint64();
    if (!value)
        throw MalformedObject(object_.word(), "a number below 2^64", "a bigger one");
    return *value;
}

std::vector<std::uint64_t> NatRef::words() const {
    const std::uint64_t bits = bit_length();
    std::vector<std::uint64_t> words((bits + 63) / 64);
    if (object_.is_scalar() && bits != 0)
        words[0] = object_.scalar();
    else if (bits != 0)
        std::memcpy(words.data(), big_digits().at, (bits + 7) / 8);
    return words;
}

std::string NatRef::to_string(std::size_t max_bytes) const {
    if (const auto small = try_uint64())
        return std::to_string(*small);
    const Digits d = big_digits();
    if (bit_length() > max_decimal_bits)
        return hexadecimal(max_bytes);
    // Leading zeros are the file's choice: GMP is handed only what counts.
    const std::uint64_t digit_bits = 8U * d.digit_bytes;
    Mpz number;
    mpz_import(number.value, (bit_length() + digit_bits - 1) / digit_bits, -1, d.digit_bytes, -1, 0,
               d.at);
    std::string text(mpz_sizeinbase(number.value, 10) + 2, '\0');
    mpz_get_str(text.data(), 10, number.value);
    text.resize(text.find('\0'));
    return text;
}

// Both encodings keep the least significant byte first, so the digits are the bytes, read
// backwards.
std::string NatRef::hexadecimal(std::size_t max_bytes) const {
    static constexpr std::string_view hex_digits = "0123456789abcdef";
    const std::byte* const at = big_digits().at;
    std::string text = "0x";
    for (std::uint64_t nibble = (bit_length() + 3) / 4; nibble-- > 0;) {
        if (text.size() >= max_bytes)
            return text + "…";
        const auto byte = std::to_integer<unsigned>(at[nibble / 2]);
        text += hex_digits[nibble % 2 == 0 ? byte & 0xFU : byte >> 4U];
    }
    return text;
}

bool NatRef::operator==(const NatRef& other) const {
    const auto small = try_uint64();
    const auto other_small = other.try_uint64();
    if (small || other_small)
        return small == other_small;
    const std::uint64_t bits = bit_length();
    return bits == other.bit_length() &&
           std::memcmp(big_digits().at, other.big_digits().at, (bits + 7) / 8) == 0;
}

} // namespace leanhost::object
