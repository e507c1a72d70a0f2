// Objects whose size or kind is not what a part may hold: each is refused where it starts.
#include "module/part_verdict.hpp"

namespace leanhost::module {
namespace {

using object::ObjectTag;
using test::at;
using test::Laid;
using test::lay;
using test::RawObjects;
using test::verdict;

constexpr auto box = RawObjects::box;
constexpr std::uint64_t base = 0x10000000000;

// The same with one word of the object of interest replaced.
template <class F>
std::string
verdict_with(std::string_view version, std::size_t word, std::uint64_t value, F&& build) {
    Laid laid = lay(version, build);
    test::store(laid.file, laid.offset + 8 * word, value);
    return verdict(laid.file);
}

std::uint64_t string_object(RawObjects& raw) {
    return raw.string("text");
}
std::uint64_t array_object(RawObjects& raw) {
    return raw.array({box(1), box(2)});
}
std::uint64_t bytes_object(RawObjects& raw) {
    return raw.scalar_array(1, {1, 2, 3});
}
std::uint64_t ctor_object(RawObjects& raw) {
    return raw.ctor(1, {box(1), box(2)}, {1});
}
std::uint64_t big_object(RawObjects& raw) {
    return raw.gmp({1, 2});
}
std::uint64_t thunk_object(RawObjects& raw) {
    return raw.boxed(ObjectTag::thunk, box(0));
}

constexpr std::size_t first_object = 96; // of a v2 file

TEST(ObjectSizes, AnArrayMustFit) {
    for (const std::uint64_t size :
         {std::uint64_t{1} << 61U, ~std::uint64_t{0}, std::uint64_t{1000}}) {
        Laid laid = lay("v2", array_object);
        test::store(laid.file, laid.offset + 8, size);
        test::store(laid.file, laid.offset + 16, size);
        EXPECT_THAT(verdict(laid.file),
                    at(first_object, "object of " + std::to_string(size) + " elements of 8 bytes"));
    }
}

TEST(ObjectSizes, CapacityIsTheSize) {
    EXPECT_THAT(verdict_with("v2", 2, 3, array_object),
                at(first_object, "capacity 3 differs from size 2"));
    EXPECT_THAT(verdict_with("v2", 2, 9, string_object),
                at(first_object, "capacity 9 differs from size 5"));
    EXPECT_THAT(verdict_with("v2", 2, 2, bytes_object),
                at(first_object, "capacity 2 differs from size 3"));
}

TEST(ObjectSizes, AStringHasItsFinalNul) {
    Laid laid = lay("v2", string_object);
    test::store(laid.file, laid.offset + 8, 0);
    test::store(laid.file, laid.offset + 16, 0);
    EXPECT_THAT(verdict(laid.file), at(first_object, "string without its final NUL"));
    EXPECT_THAT(verdict_with("v2", 4, 0x4141414141414141, string_object),
                at(first_object, "string without its final NUL"));
}

TEST(ObjectSizes, AStringMustFit) {
    for (const std::uint64_t size : {~std::uint64_t{0}, std::uint64_t{1} << 40U}) {
        Laid laid = lay("v2", string_object);
        test::store(laid.file, laid.offset + 8, size);
        test::store(laid.file, laid.offset + 16, size);
        EXPECT_THAT(verdict(laid.file), at(first_object, "elements of 1 bytes"));
    }
}

TEST(ObjectSizes, AScalarArrayHasElementsOfOneToEightBytesAndFits) {
    const auto with_element_bytes = [](unsigned bytes) {
        Laid laid = lay("v2", bytes_object);
        laid.file[laid.offset + 6] = std::byte(bytes);
        return verdict(laid.file);
    };
    EXPECT_THAT(with_element_bytes(0), at(first_object, "scalar array with elements of 0 bytes"));
    EXPECT_THAT(with_element_bytes(9), at(first_object, "scalar array with elements of 9 bytes"));
    EXPECT_EQ(with_element_bytes(2), ""); // 6 bytes instead of 3: the same words
    Laid laid = lay("v2", bytes_object);
    laid.file[laid.offset + 6] = std::byte{8};
    test::store(laid.file, laid.offset + 8, std::uint64_t{1} << 61U); // times 8 is 0
    test::store(laid.file, laid.offset + 16, std::uint64_t{1} << 61U);
    EXPECT_THAT(verdict(laid.file), at(first_object, "elements of 8 bytes"));
}

std::string verdict_of_header(std::uint16_t size, std::uint8_t fields, std::uint8_t tag) {
    return verdict_with("v2", 0,
                        std::uint64_t{size} << 32U | std::uint64_t{fields} << 48U |
                            std::uint64_t{tag} << 56U,
                        ctor_object);
}

TEST(ObjectSizes, AConstructorHoldsItsFields) {
    EXPECT_EQ(verdict_of_header(32, 2, 1), "");
    EXPECT_THAT(verdict_of_header(16, 2, 1),
                at(first_object, "constructor with 2 object fields and 16 bytes"));
    EXPECT_THAT(verdict_of_header(32, 4, 1), at(first_object, "at least 40"));
    EXPECT_THAT(verdict_of_header(28, 2, 1), at(first_object, "expected a multiple of 8"));
    EXPECT_THAT(verdict_of_header(0, 0, 1), at(first_object, "at least 8"));
    EXPECT_THAT(verdict_of_header(0, 255, 1), at(first_object, "at least 2048"));
    EXPECT_THAT(verdict_of_header(0xfff8, 2, 1),
                at(first_object, "object cut short: 65528 bytes expected"));
}

TEST(ObjectSizes, AShorterConstructorLeavesBytesThatAreNoObject) {
    EXPECT_THAT(verdict_of_header(24, 2, 1),
                at(first_object + 24, "not one of a compacted object"));
}

TEST(ObjectSizes, ABigNumberKeepsItsLimbsBehindIt) {
    const std::uint64_t own = base + first_object + 24;
    EXPECT_THAT(verdict_with("v2", 2, own + 8, big_object),
                at(first_object, "expected right behind it"));
    EXPECT_THAT(verdict_with("v2", 2, 0, big_object), at(first_object, "whose limbs are at 0x0"));
    const auto with_limbs = [](std::int32_t limbs) {
        return verdict_with("v2", 1, std::uint64_t{static_cast<std::uint32_t>(limbs)} << 32U,
                            big_object);
    };
    EXPECT_THAT(with_limbs(std::numeric_limits<std::int32_t>::min()),
                at(first_object, "object of 2147483648 elements of 8 bytes"));
    EXPECT_THAT(with_limbs(std::numeric_limits<std::int32_t>::max()),
                at(first_object, "elements of 8"));
}

TEST(ObjectSizes, ALeanNativeNumberMustFit) {
    for (const std::uint64_t size :
         {std::uint64_t{1000}, std::uint64_t{1} << 62U, ~std::uint64_t{0}}) {
        Laid laid = lay("v2", [](RawObjects& raw) { return raw.lean_native({1, 2}); });
        laid.file[6] = std::byte{0};
        test::store(laid.file, laid.offset + 16, size);
        EXPECT_THAT(verdict(laid.file), testing::StartsWith("96: "));
    }
}

TEST(ObjectKinds, ThunksAndTasksAreSettled) {
    EXPECT_THAT(verdict_with("v2", 2, base + first_object, thunk_object),
                at(first_object + 16, "thunk or task that is not settled"));
}

TEST(ObjectKinds, AreThoseThatLeanCompacts) {
    for (const std::uint8_t tag : {ObjectTag::promise, ObjectTag::closure, ObjectTag::struct_array,
                                   ObjectTag::external, std::uint8_t{255}}) {
        EXPECT_THAT(verdict_of_header(32, 2, tag),
                    at(first_object, "object of tag " + std::to_string(tag) +
                                         ": no such object is ever compacted"));
    }
}

TEST(ObjectKinds, AReferenceCountIsNoCompactedObject) {
    EXPECT_THAT(verdict_with("v2", 0, std::uint64_t{0x0102002000000001}, ctor_object),
                at(first_object, "object header 0x102002000000001: not one of a compacted object"));
}

TEST(ObjectKinds, HeadersOf2020StateTheMemoryKind) {
    Laid laid = lay("v0", ctor_object);
    laid.file[laid.root + 5] = std::byte{2};
    EXPECT_THAT(verdict(laid.file), at(laid.root, "not one of a compacted object"));
}

TEST(ObjectKinds, BigNumbersOf2020AreNotSupported) {
    const Laid laid = lay("v0", big_object);
    EXPECT_THAT(verdict(laid.file), at(16, "big number in a file of 2020"));
}

} // namespace
} // namespace leanhost::module
