#include "object/malformed.hpp"
#include "object/nat_ref.hpp"
#include "object/object_ref.hpp"
#include "object/raw_objects.hpp"

#include <gmock/gmock.h>

namespace leanhost::object {
namespace {

using test::malformed;
using test::RawObjects;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr auto box = RawObjects::box;

TEST(ObjectRef, ReadsScalars) {
    const ObjectRef seven(box(7));
    EXPECT_TRUE(seven.is_scalar());
    EXPECT_EQ(seven.scalar(), 7U);
    EXPECT_EQ(seven.constructor_index(), 7U);
    EXPECT_FALSE(seven.is_constructor());
    EXPECT_EQ(seven.describe(), "scalar 7");
    EXPECT_THAT(malformed([&] { static_cast<void>(seven.field(0)); }),
                HasSubstr("expected constructor, found scalar 7"));
}

TEST(ObjectRef, ReadsFieldsAndScalarAreaOfAConstructor) {
    RawObjects raw;
    const ObjectRef object(raw.ctor(5, {box(1), box(2)}, {0xaa, 0xbb, 0, 0, 1, 2, 3, 4, 9}));
    EXPECT_TRUE(object.is_constructor());
    EXPECT_EQ(object.constructor_index(), 5U);
    EXPECT_EQ(object.num_fields(), 2U);
    EXPECT_EQ(object.field(1).scalar(), 2U);
    EXPECT_EQ(object.scalar_area_bytes(), 16U);
    EXPECT_EQ(object.scalar_field<std::uint8_t>(1), 0xbb);
    EXPECT_EQ(object.scalar_field<std::uint32_t>(4), 0x04030201U);
    EXPECT_EQ(object.scalar_field<std::uint8_t>(8), 9);
    EXPECT_EQ(object.scalar_field<std::uint8_t>(15), 0);
}

TEST(ObjectRef, RefusesFieldsThatAConstructorDoesNotHave) {
    RawObjects raw;
    const ObjectRef object(raw.ctor(0, {box(1)}, {1}));
    EXPECT_THAT(malformed([&] { static_cast<void>(object.field(1)); }),
                HasSubstr("at least 2 object fields"));
    EXPECT_THAT(malformed([&] { static_cast<void>(object.scalar_field<std::uint8_t>(8)); }),
                HasSubstr("at least 9 scalar bytes"));
    EXPECT_THAT(malformed([&] { static_cast<void>(object.scalar_field<std::uint64_t>(1)); }),
                HasSubstr("at least 9 scalar bytes"));
    EXPECT_THAT(malformed([&] { static_cast<void>(object.array()); }), HasSubstr("expected array"));
    EXPECT_THAT(malformed([&] { static_cast<void>(object.string()); }),
                HasSubstr("expected string"));
    EXPECT_THAT(malformed([&] { static_cast<void>(object.scalar()); }),
                HasSubstr("expected scalar"));
}

TEST(ObjectRef, ReadsArraysStringsAndScalarArrays) {
    RawObjects raw;
    const ObjectRef array(raw.array({box(3), box(4)}));
    EXPECT_THAT(array.array(), ElementsAre(ObjectRef(box(3)), ObjectRef(box(4))));
    EXPECT_TRUE(ObjectRef(raw.array({})).array().empty());
    EXPECT_EQ(ObjectRef(raw.string("αβ")).string(), "αβ");
    EXPECT_EQ(ObjectRef(raw.string("")).string(), "");
    const ObjectRef bytes(raw.scalar_array(2, {1, 2, 3, 4}));
    EXPECT_EQ(bytes.scalar_array().size(), 4U);
    EXPECT_EQ(bytes.scalar_array()[3], std::byte{4});
    EXPECT_EQ(bytes.describe(), "scalar array");
}

TEST(ObjectRef, ReadsThunksTasksAndReferences) {
    RawObjects raw;
    for (const std::uint8_t tag : {ObjectTag::thunk, ObjectTag::task, ObjectTag::ref}) {
        EXPECT_EQ(ObjectRef(raw.boxed(tag, box(6))).boxed_value().scalar(), 6U);
    }
    EXPECT_THAT(malformed([&] { static_cast<void>(ObjectRef(box(0)).boxed_value()); }),
                HasSubstr("expected thunk, task or reference"));
}

TEST(NatRef, ReadsScalarsAndBothEncodingsOfBigNumbers) {
    RawObjects raw;
    EXPECT_EQ(NatRef(ObjectRef(box(12))).uint64(), 12U);
    const NatRef gmp{ObjectRef(raw.gmp({5, 1}))};
    const NatRef native{ObjectRef(raw.lean_native({5, 0, 1, 0}))};
    for (const NatRef& big : {gmp, native}) {
        EXPECT_EQ(big.try_uint64(), std::nullopt);
        EXPECT_EQ(big.low_word(), 5U);
        EXPECT_EQ(big.bit_length(), 65U);
        EXPECT_EQ(big.to_string(), "18446744073709551621");
    }
    EXPECT_EQ(NatRef(ObjectRef(raw.gmp({1U, 0}))).uint64(), 1U); // a zero on top
    EXPECT_EQ(NatRef(ObjectRef(raw.lean_native({7}))).uint64(), 7U);
    EXPECT_EQ(NatRef(ObjectRef(raw.gmp({}))).uint64(), 0U);
    EXPECT_EQ(NatRef(ObjectRef(raw.lean_native({}))).to_string(), "0");
}

TEST(NatRef, WritesNumbersTooLongForDecimalInHexadecimal) {
    RawObjects raw;
    std::vector<std::uint64_t> limbs(NatRef::max_decimal_bits / 64 + 1, 0);
    limbs.back() = 1;
    const std::string text = NatRef(ObjectRef(raw.gmp(limbs))).to_string();
    EXPECT_TRUE(text.starts_with("0x1000"));
    EXPECT_EQ(text.size(), 2 + NatRef::max_decimal_bits / 4 + 1);
}

TEST(NatRef, RefusesNegativeNumbersAndOtherObjects) {
    RawObjects raw;
    for (const std::uint64_t big : {raw.gmp({1, 2}, true), raw.lean_native({1, 2, 3}, true)}) {
        EXPECT_THAT(malformed([&] { static_cast<void>(NatRef(ObjectRef(big))); }),
                    HasSubstr("a negative number"));
    }
    const std::uint64_t text = raw.string("1");
    EXPECT_THAT(malformed([&] { static_cast<void>(NatRef(ObjectRef(text))); }),
                HasSubstr("expected natural number, found string"));
    const NatRef big{ObjectRef(raw.gmp({0, 1}))};
    EXPECT_THAT(malformed([&] { static_cast<void>(big.uint64()); }),
                HasSubstr("a number below 2^64"));
}

} // namespace
} // namespace leanhost::object
