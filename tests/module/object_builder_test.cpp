#include "base/failure.hpp"
#include "module/object_builder.hpp"
#include "module/olean_writer.hpp"
#include "module/raw_olean.hpp"
#include "module/region_in_memory.hpp"
#include "object/nat_ref.hpp"

#include <gtest/gtest.h>

#include <array>
#include <functional>

namespace leanhost::module {
namespace {

using object::NatRef;
using object::ObjectRef;
using object::ObjectTag;
using test::RegionInMemory;

constexpr std::uint64_t base = 0x10000000000;

// The one part of what was built, with its header.
test::Bytes file_of(ObjectBuilder&& builder, BuiltRef root) {
    builder.finish_part(root);
    std::vector<BuiltPart> parts = std::move(builder).take_parts();
    write_header_v2(parts.front(), {"4.29.0", ""});
    return parts.front().bytes;
}

ErrorCode code_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Failure& failure) {
        return failure.error().code();
    }
    return ErrorCode::internal;
}

TEST(ObjectBuilder, EachKindOfObjectReadsBackAsItWasMade) {
    ObjectBuilder b(base);
    const std::array<std::byte, 3> flags = {std::byte{1}, std::byte{2}, std::byte{3}};
    const std::array<std::uint16_t, 3> numbers = {7, 8, 9};
    const BuiltRef text = b.mk_string("añb");
    const BuiltRef array = b.mk_array(std::array{text, ObjectBuilder::mk_scalar(5)});
    const BuiltRef scalars = b.mk_scalar_array(2, std::as_bytes(std::span(numbers)));
    const BuiltRef big = b.mk_nat(~std::uint64_t{0});
    const BuiltRef thunk = b.mk_boxed(ObjectTag::thunk, big);
    const BuiltRef root = b.mk_constructor(4, std::array{array, scalars, thunk}, flags);
    const RegionInMemory region(file_of(std::move(b), root));

    const ObjectRef object = region->root(0);
    EXPECT_EQ(object.constructor_index(), 4U);
    EXPECT_EQ(object.scalar_area_bytes(), 8U);
    EXPECT_EQ(object.scalar_field<std::uint32_t>(0), 0x030201U);
    EXPECT_EQ(object.scalar_field<std::uint32_t>(4), 0U) << "padding";
    EXPECT_EQ(object.field(0).array()[0].string(), "añb");
    EXPECT_EQ(object.field(0).array()[1].scalar(), 5U);
    EXPECT_EQ(object.field(1).scalar_array().size(), 6U);
    EXPECT_EQ(NatRef(object.field(2).boxed_value()).try_uint64(), ~std::uint64_t{0});
}

TEST(ObjectBuilder, EqualObjectsAreOneObject) {
    ObjectBuilder b(base);
    const auto mk = [&] {
        return b.mk_constructor(1, std::array{b.mk_string("one"), ObjectBuilder::mk_scalar(0)});
    };
    const BuiltRef first = mk();
    const std::uint64_t objects = b.num_objects();
    EXPECT_EQ(mk(), first);
    EXPECT_EQ(b.num_objects(), objects);
    const std::array<std::byte, 1> flag = {std::byte{1}};
    EXPECT_NE(
        b.mk_constructor(1, std::array{b.mk_string("one"), ObjectBuilder::mk_scalar(0)}, flag),
        first);
    EXPECT_NE(b.mk_constructor(2, std::array{b.mk_string("one"), ObjectBuilder::mk_scalar(0)}),
              first);
}

// Lean's compactor shares everything but these; a rewritten module must have as many objects.
TEST(ObjectBuilder, BigNumbersAreNeverShared) {
    ObjectBuilder b(base);
    const std::array<std::uint64_t, 3> limbs = {1, 2, 0};
    EXPECT_NE(b.mk_big_number(limbs), b.mk_big_number(limbs));
    EXPECT_EQ(b.mk_nat(12), b.mk_nat(12));
    EXPECT_EQ(b.load<object::GmpObject>(b.mk_big_number(limbs), 0).signed_limbs, 2)
        << "no zero on top";
}

TEST(ObjectBuilder, LaterPartsShareWithEarlierOnes) {
    ObjectBuilder b(base);
    const BuiltRef shared = b.mk_string("shared");
    b.finish_part(b.mk_array({&shared, 1}));
    const std::uint64_t objects = b.num_objects();
    EXPECT_EQ(b.mk_string("shared"), shared);
    EXPECT_EQ(b.num_objects(), objects);
    b.finish_part(b.mk_array(std::array{shared, shared}));
    const std::vector<BuiltPart> parts = std::move(b).take_parts();
    ASSERT_EQ(parts.size(), 2U);
    EXPECT_EQ(parts[0].num_objects, 2U);
    EXPECT_EQ(parts[1].num_objects, 1U);
    EXPECT_EQ(parts[1].base_address, base + 0x10000) << "the next multiple of 64 KiB";
}

TEST(ObjectBuilder, ObjectsThatTheLayoutCannotHoldAreRefused) {
    ObjectBuilder b(base);
    const std::vector<BuiltRef> many(256);
    const std::vector<std::byte> wide(UINT16_MAX);
    const std::array<std::byte, 3> odd{};
    EXPECT_EQ(code_of([&] { b.mk_constructor(0, many); }), ErrorCode::invalid_argument);
    EXPECT_EQ(code_of([&] { b.mk_constructor(0, {}, wide); }), ErrorCode::invalid_argument);
    EXPECT_EQ(code_of([&] { b.mk_constructor(244, {}); }), ErrorCode::invalid_argument);
    EXPECT_EQ(code_of([&] { b.mk_scalar_array(2, odd); }), ErrorCode::invalid_argument);
    EXPECT_EQ(code_of([&] { ObjectBuilder::mk_scalar(std::uint64_t{1} << 63U); }),
              ErrorCode::invalid_argument);
    EXPECT_EQ(code_of([&] { ObjectBuilder(0x10001); }), ErrorCode::invalid_argument);
    EXPECT_EQ(b.num_objects(), 0U);
}

TEST(ObjectBuilder, AnEmptyNumberOfLimbsAndAnEmptyArrayAreObjects) {
    ObjectBuilder b(base);
    const BuiltRef zero = b.mk_big_number({});
    const BuiltRef root = b.mk_array(std::array{zero, b.mk_array({}), b.mk_string("")});
    const RegionInMemory region(file_of(std::move(b), root));
    EXPECT_EQ(NatRef(region->root(0).array()[0]).try_uint64(), 0U);
    EXPECT_TRUE(region->root(0).array()[1].array().empty());
    EXPECT_EQ(region->root(0).array()[2].string(), "");
}

} // namespace
} // namespace leanhost::module
