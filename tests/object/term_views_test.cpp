// Views of names, levels and terms: what they read, and what they refuse.
#include "object/expr_ref.hpp"
#include "object/malformed.hpp"
#include "object/raw_objects.hpp"

#include <gmock/gmock.h>

namespace leanhost::object {
namespace {

using test::malformed;
using test::RawObjects;
using testing::HasSubstr;

constexpr auto box = RawObjects::box;

class TermViews : public testing::Test {
protected:
    NameRef name(std::string_view text) { return NameRef(ObjectRef(str_name(box(0), text))); }
    std::uint64_t str_name(std::uint64_t prefix, std::string_view text) {
        return raw.ctor_with_word(1, {prefix, raw.string(text)}, 0);
    }
    RawObjects raw;
};

TEST_F(TermViews, NameReadsItsComponents) {
    const std::uint64_t prefix = str_name(box(0), "Nat");
    const NameRef numbered{ObjectRef(raw.ctor_with_word(2, {prefix, box(3)}, 77))};
    EXPECT_TRUE(numbered.is_number());
    EXPECT_EQ(numbered.number_component().uint64(), 3U);
    EXPECT_EQ(numbered.prefix().string_component(), "Nat");
    EXPECT_EQ(numbered.cached_hash(), 77U);
    EXPECT_EQ(numbered.to_string(), "Nat.3");
    EXPECT_TRUE(numbered == Name("Nat.3"));
    EXPECT_FALSE(numbered == Name("Nat.4"));
    EXPECT_EQ(numbered.recomputed_hash(), Name("Nat.3").hash());
    EXPECT_EQ(NameRef(ObjectRef(box(0))).cached_hash(), 1723U);
}

TEST_F(TermViews, NameOfAMillionComponentsIsRefusedAsText) {
    RawObjects deep(RawObjects::InPlace{std::size_t{32} << 20U});
    std::uint64_t at = box(0);
    const std::uint64_t text = deep.string("a");
    for (int i = 0; i < 1'000'000; ++i)
        at = deep.ctor_with_word(1, {at, text}, 0);
    const NameRef name{ObjectRef(at)};
    EXPECT_TRUE(name == name);
    EXPECT_THROW(static_cast<void>(name.to_string()), MalformedObject);
    EXPECT_THROW(static_cast<void>(name.to_name()), MalformedObject);
    EXPECT_THROW(static_cast<void>(name.recomputed_hash()), MalformedObject);
}

TEST_F(TermViews, NameAtTheBoundsIsReadAndOneBeyondIsNot) {
    RawObjects deep(RawObjects::InPlace{std::size_t{32} << 20U});
    const std::uint64_t text = deep.string("a");
    std::uint64_t at = box(0);
    for (std::size_t i = 0; i < NameRef::max_components; ++i)
        at = deep.ctor_with_word(1, {at, text}, 0);
    const Name named = NameRef{ObjectRef(at)}.to_name();
    EXPECT_EQ(named.components().size(), NameRef::max_components);
    at = deep.ctor_with_word(1, {at, text}, 0);
    EXPECT_THROW(static_cast<void>(NameRef{ObjectRef(at)}.to_name()), MalformedObject);

    const std::uint64_t most = deep.string(std::string(NameRef::max_bytes, 'b'));
    const std::uint64_t more = deep.string(std::string(NameRef::max_bytes + 1, 'b'));
    const std::uint64_t longest = deep.ctor_with_word(1, {box(0), most}, 0);
    const std::uint64_t too_long = deep.ctor_with_word(1, {box(0), more}, 0);
    EXPECT_EQ(NameRef{ObjectRef(longest)}.to_string().size(), NameRef::max_bytes);
    EXPECT_THROW(static_cast<void>(NameRef{ObjectRef(too_long)}.to_string()), MalformedObject);
}

TEST_F(TermViews, NameRefusesOtherObjects) {
    const std::uint64_t other = raw.ctor_with_word(3, {box(0), box(0)}, 0);
    EXPECT_THAT(malformed([&] { NameRef(ObjectRef(other)).require_well_formed(); }),
                HasSubstr("expected name, found constructor 3"));
    EXPECT_THAT(malformed([&] { NameRef(ObjectRef(box(2))).require_well_formed(); }),
                HasSubstr("expected name, found scalar 2"));
}

TEST_F(TermViews, LevelReadsEachKind) {
    const std::uint64_t one = raw.ctor_with_word(1, {box(0)}, 0);
    EXPECT_EQ(LevelRef(ObjectRef(box(0))).kind(), LevelRef::Kind::zero);
    EXPECT_EQ(LevelRef(ObjectRef(raw.ctor_with_word(0, {}, 2221))).kind(), LevelRef::Kind::zero);
    EXPECT_EQ(LevelRef(ObjectRef(one)).pred().kind(), LevelRef::Kind::zero);
    const LevelRef max{ObjectRef(raw.ctor_with_word(2, {one, box(0)}, 0))};
    EXPECT_EQ(max.kind(), LevelRef::Kind::max);
    EXPECT_EQ(max.lhs().kind(), LevelRef::Kind::succ);
    const LevelRef param{ObjectRef(raw.ctor_with_word(4, {str_name(box(0), "u")}, 0))};
    EXPECT_EQ(param.name().to_string(), "u");
}

TEST_F(TermViews, LevelRefusesWrongShapes) {
    for (const std::uint64_t word : {box(1), box(6), raw.ctor_with_word(1, {box(0), box(0)}, 0),
                                     raw.ctor_with_word(6, {box(0)}, 0), raw.string("u")}) {
        EXPECT_NE(malformed([&] { static_cast<void>(LevelRef(ObjectRef(word)).kind()); }), "");
    }
}

TEST_F(TermViews, BinderInfoIsAByteOrThreeBitsOfTheOldWord) {
    const std::uint64_t sort = raw.ctor_with_word(3, {box(0)}, 0);
    std::vector<std::uint8_t> scalars(9);
    scalars[8] = 3;
    const ExprRef now{ObjectRef(raw.ctor(6, {box(0), sort, sort}, scalars))};
    EXPECT_EQ(now.binder_info(), BinderInfo::inst_implicit);
    const std::uint64_t implicit_before = std::uint64_t{1} << 37U;
    const ExprRef before{ObjectRef(raw.ctor_with_word(6, {box(0), sort, sort}, implicit_before))};
    EXPECT_EQ(before.binder_info(), BinderInfo::implicit);
    scalars[8] = 4;
    const ExprRef bad{ObjectRef(raw.ctor(6, {box(0), sort, sort}, scalars))};
    EXPECT_THAT(malformed([&] { static_cast<void>(bad.binder_info()); }),
                HasSubstr("binder info of 0 to 3"));
}

TEST_F(TermViews, NonDepIsAByteOrABitOfTheOldWord) {
    const std::uint64_t sort = raw.ctor_with_word(3, {box(0)}, 0);
    std::vector<std::uint8_t> scalars(9);
    scalars[8] = 1;
    EXPECT_TRUE(ExprRef(ObjectRef(raw.ctor(8, {box(0), sort, sort, sort}, scalars))).let_non_dep());
    const std::uint64_t bit = std::uint64_t{1} << 36U;
    EXPECT_TRUE(
        ExprRef(ObjectRef(raw.ctor_with_word(8, {box(0), sort, sort, sort}, bit))).let_non_dep());
}

TEST_F(TermViews, TermChildrenAreTypeThenValueThenBody) {
    const std::uint64_t a = raw.ctor_with_word(0, {box(0)}, 0);
    const std::uint64_t b = raw.ctor_with_word(0, {box(1)}, 0);
    const std::uint64_t c = raw.ctor_with_word(0, {box(2)}, 0);
    const ExprRef let{ObjectRef(raw.ctor_with_word(8, {box(0), a, b, c}, 0))};
    const ExprRef::ChildFields fields = let.child_fields();
    ASSERT_EQ(fields.count, 3U);
    EXPECT_EQ(let.child(fields.first).object(), ObjectRef(a));
    EXPECT_EQ(let.child(fields.first + 1).object(), let.let_value().object());
    EXPECT_EQ(let.child(fields.first + 2).object(), let.let_body().object());
    const ExprRef proj{ObjectRef(raw.ctor_with_word(11, {box(0), box(0), c}, 0))};
    EXPECT_EQ(proj.child(proj.child_fields().first).object(), ObjectRef(c));
    EXPECT_EQ(ExprRef(ObjectRef(a)).child_fields().count, 0U);
}

TEST_F(TermViews, LiteralIsANumberOrAString) {
    const ExprRef number{ObjectRef(raw.ctor_with_word(9, {raw.ctor(0, {box(5)})}, 0))};
    EXPECT_TRUE(number.literal_is_nat());
    EXPECT_EQ(number.nat_literal().uint64(), 5U);
    const ExprRef text{ObjectRef(raw.ctor_with_word(9, {raw.ctor(1, {raw.string("x")})}, 0))};
    EXPECT_FALSE(text.literal_is_nat());
    EXPECT_EQ(text.string_literal(), "x");
    // A third constructor used to be taken for a string.
    const ExprRef third{ObjectRef(raw.ctor_with_word(9, {raw.ctor(2, {raw.string("x")})}, 0))};
    EXPECT_THAT(malformed([&] { static_cast<void>(third.literal_is_nat()); }),
                HasSubstr("expected literal"));
}

TEST_F(TermViews, TermRefusesWrongShapes) {
    for (const std::uint64_t word : {box(0), raw.ctor_with_word(5, {box(0)}, 0),
                                     raw.ctor_with_word(12, {box(0)}, 0), raw.array({})}) {
        EXPECT_NE(malformed([&] { static_cast<void>(ExprRef(ObjectRef(word)).kind()); }), "");
    }
}

TEST_F(TermViews, ListRefusesWhatIsNeitherNilNorCons) {
    const auto count = [](std::uint64_t list) {
        return malformed([&] { static_cast<void>(ListRef<NameRef>(ObjectRef(list)).size()); });
    };
    EXPECT_EQ(count(raw.list({box(1), box(2)})), "");
    EXPECT_THAT(count(raw.ctor(1, {box(0), box(3)})), HasSubstr("expected list, found scalar 3"));
    EXPECT_THAT(count(raw.ctor(1, {box(0)})), HasSubstr("expected list"));
    EXPECT_THAT(count(raw.ctor(0, {box(0), box(0)})), HasSubstr("expected list"));
    EXPECT_EQ(ListRef<NameRef>(ObjectRef(raw.list({box(1), box(2)}))).size(), 2U);
}

} // namespace
} // namespace leanhost::object
