#pragma once

#include <cstddef>
#include <cstdint>

namespace leanhost::object {

/// The eight bytes before every Lean object, in memory and in a compacted region alike.
/// In a region `rc` is 0 (the object is never counted); `cs_sz` is the object's size in bytes for
/// the small kinds and 1 for those that carry a length of their own (arrays, scalar arrays,
/// strings). Lean: src/include/lean/lean.h, `lean_object`.
struct ObjectHeader {
    std::int32_t rc;
    std::uint16_t cs_sz;
    std::uint8_t other; ///< constructor: number of object fields; scalar array: element size
    std::uint8_t tag;   ///< constructor index, or one of ObjectTag
};
static_assert(sizeof(ObjectHeader) == 8);
static_assert(offsetof(ObjectHeader, other) == 6 && offsetof(ObjectHeader, tag) == 7);

/// Tags above the constructors. Lean: src/include/lean/lean.h.
struct ObjectTag {
    static constexpr std::uint8_t max_constructor = 243;
    static constexpr std::uint8_t promise = 244;
    static constexpr std::uint8_t closure = 245;
    static constexpr std::uint8_t array = 246;
    static constexpr std::uint8_t struct_array = 247;
    static constexpr std::uint8_t scalar_array = 248;
    static constexpr std::uint8_t string = 249;
    static constexpr std::uint8_t mpz = 250;
    static constexpr std::uint8_t thunk = 251;
    static constexpr std::uint8_t task = 252;
    static constexpr std::uint8_t ref = 253;
    static constexpr std::uint8_t external = 254;
};

struct ArrayObject {
    ObjectHeader header;
    std::uint64_t size; ///< elements
    std::uint64_t capacity;
    // `size` object words follow
};
static_assert(sizeof(ArrayObject) == 24);

struct ScalarArrayObject {
    ObjectHeader header;
    std::uint64_t size; ///< elements of `header.other` bytes
    std::uint64_t capacity;
    // the elements follow
};
static_assert(sizeof(ScalarArrayObject) == 24);

struct StringObject {
    ObjectHeader header;
    std::uint64_t size; ///< bytes, the final NUL included
    std::uint64_t capacity;
    std::uint64_t length; ///< code points
    // UTF-8 follows
};
static_assert(sizeof(StringObject) == 32);

/// A big natural or integer as GMP keeps it; the limbs follow at `limbs`, which is an address.
struct GmpObject {
    ObjectHeader header;
    std::int32_t alloc;
    std::int32_t signed_limbs; ///< number of 64-bit limbs, negative for a negative number
    std::uint64_t limbs;
};
static_assert(sizeof(GmpObject) == 24);

/// The same in the encoding of a Lean built without GMP: 32-bit digits at `digits`, an address.
struct LeanNativeBigObject {
    ObjectHeader header;
    std::uint8_t is_negative;
    std::uint8_t padding[7];
    std::uint64_t size; ///< 32-bit digits
    std::uint64_t digits;
};
static_assert(sizeof(LeanNativeBigObject) == 32);

struct ThunkObject {
    ObjectHeader header;
    std::uint64_t value;
    std::uint64_t closure;
};
static_assert(sizeof(ThunkObject) == 24);

struct TaskObject {
    ObjectHeader header;
    std::uint64_t value;
    std::uint64_t imp;
};
static_assert(sizeof(TaskObject) == 24);

struct RefObject {
    ObjectHeader header;
    std::uint64_t value;
};
static_assert(sizeof(RefObject) == 16);

} // namespace leanhost::object
