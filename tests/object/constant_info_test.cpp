#include "object/constant_info.hpp"
#include "object/malformed.hpp"
#include "object/module_data.hpp"
#include "object/raw_objects.hpp"

#include <gmock/gmock.h>

namespace leanhost::object {
namespace {

using test::malformed;
using test::RawObjects;
using testing::HasSubstr;

constexpr auto box = RawObjects::box;

class ConstantInfo : public testing::Test {
protected:
    std::uint64_t name(std::string_view text) {
        return raw.ctor_with_word(1, {box(0), raw.string(text)}, 0);
    }
    std::uint64_t sort() { return raw.ctor_with_word(3, {box(0)}, 0); }
    std::uint64_t constant_val(std::string_view text) {
        return raw.ctor(0, {name(text), raw.list({name("u")}), sort()});
    }
    ConstantInfoRef constant(ConstantKind kind,
                             std::vector<std::uint64_t> fields,
                             const std::vector<std::uint8_t>& scalars) {
        fields.insert(fields.begin(), constant_val("c"));
        const std::uint64_t val = raw.ctor(0, fields, scalars);
        return ConstantInfoRef(ObjectRef(raw.ctor(static_cast<std::uint8_t>(kind), {val})));
    }
    RawObjects raw;
};

TEST_F(ConstantInfo, EveryKindHasNameUniverseParametersAndType) {
    const ConstantInfoRef axiom = constant(ConstantKind::axiom, {}, {1});
    EXPECT_EQ(axiom.kind(), ConstantKind::axiom);
    EXPECT_EQ(axiom.name().to_string(), "c");
    EXPECT_EQ(axiom.universe_params().size(), 1U);
    EXPECT_EQ(axiom.type().kind(), ExprRef::Kind::sort);
    EXPECT_TRUE(axiom.is_unsafe());
    EXPECT_FALSE(axiom.has_value());
    EXPECT_THAT(malformed([&] { static_cast<void>(axiom.value()); }),
                HasSubstr("expected constant with a value"));
}

TEST_F(ConstantInfo, DefinitionHasHintsAndSafety) {
    const std::uint64_t height_5 = raw.ctor(2, {}, {5});
    const ConstantInfoRef now =
        constant(ConstantKind::definition, {sort(), height_5, raw.list({name("c")})}, {1});
    EXPECT_EQ(now.hints().kind, ReducibilityHints::Kind::regular);
    EXPECT_EQ(now.hints().height, 5U);
    EXPECT_EQ(now.safety(), DefinitionSafety::safe);
    EXPECT_TRUE(now.has_all());
    EXPECT_EQ(now.all().size(), 1U);
    const ConstantInfoRef before = constant(ConstantKind::definition, {sort(), box(1)}, {0});
    EXPECT_EQ(before.hints().kind, ReducibilityHints::Kind::abbreviation);
    EXPECT_TRUE(before.is_unsafe());
    EXPECT_FALSE(before.has_all());
}

TEST_F(ConstantInfo, DefinitionRefusesUnknownHintsAndSafety) {
    const ConstantInfoRef bad = constant(ConstantKind::definition, {sort(), box(3)}, {3});
    EXPECT_THAT(malformed([&] { static_cast<void>(bad.hints()); }),
                HasSubstr("expected reducibility hints, found scalar 3"));
    EXPECT_THAT(malformed([&] { static_cast<void>(bad.safety()); }),
                HasSubstr("definition safety of 0 to 2, found 3"));
}

TEST_F(ConstantInfo, InductiveFamilyFitsTogether) {
    const ConstantInfoRef type =
        constant(ConstantKind::inductive,
                 {box(1), box(2), raw.list({name("c")}), raw.list({name("a"), name("b")}), box(0)},
                 {1, 0, 1});
    EXPECT_EQ(type.num_params().uint64(), 1U);
    EXPECT_EQ(type.num_indices().uint64(), 2U);
    EXPECT_EQ(type.constructors().size(), 2U);
    EXPECT_TRUE(type.is_recursive());
    EXPECT_FALSE(type.is_unsafe());
    EXPECT_TRUE(type.is_reflexive());
    const ConstantInfoRef ctor =
        constant(ConstantKind::constructor, {name("c"), box(1), box(2), box(3)}, {0});
    EXPECT_EQ(ctor.inductive_name().to_string(), "c");
    EXPECT_EQ(ctor.constructor_index().uint64(), 1U);
    EXPECT_EQ(ctor.num_params().uint64(), 2U);
    EXPECT_EQ(ctor.num_constructor_fields().uint64(), 3U);
    const std::uint64_t rule = raw.ctor(0, {name("a"), box(4), sort()});
    const ConstantInfoRef rec =
        constant(ConstantKind::recursor,
                 {raw.list({name("c")}), box(1), box(2), box(3), box(4), raw.list({rule})}, {1, 0});
    EXPECT_EQ(rec.num_motives().uint64(), 3U);
    EXPECT_EQ(rec.num_minors().uint64(), 4U);
    EXPECT_EQ((*rec.rules().begin()).num_fields().uint64(), 4U);
    EXPECT_TRUE(rec.has_k());
}

TEST_F(ConstantInfo, QuotientHasItsOwnKind) {
    EXPECT_EQ(constant(ConstantKind::quotient, {}, {3}).quotient_kind(), 3);
    const ConstantInfoRef bad = constant(ConstantKind::quotient, {}, {4});
    EXPECT_THAT(malformed([&] { static_cast<void>(bad.quotient_kind()); }),
                HasSubstr("quotient kind of 0 to 3, found 4"));
}

TEST_F(ConstantInfo, RefusesOtherObjects) {
    for (const std::uint64_t word :
         {box(0), raw.ctor(8, {box(0)}), raw.ctor(0, {box(0), box(0)})}) {
        EXPECT_THAT(malformed([&] { static_cast<void>(ConstantInfoRef(ObjectRef(word)).kind()); }),
                    HasSubstr("expected constant"));
    }
    const ConstantInfoRef axiom = constant(ConstantKind::axiom, {}, {0});
    EXPECT_THAT(malformed([&] { static_cast<void>(axiom.rules()); }),
                HasSubstr("constant of kind 7"));
}

class ModuleData : public ConstantInfo {};

TEST_F(ModuleData, HasThreeFieldsBefore2023AndFiveSince) {
    const std::uint64_t none = raw.array({});
    const std::uint64_t one = raw.array({box(0)});
    const ModuleDataRef old{ObjectRef(raw.ctor(0, {none, one, none}))};
    EXPECT_FALSE(old.has_constant_names());
    EXPECT_EQ(old.constants().size(), 1U);
    EXPECT_TRUE(old.constant_names().empty());
    EXPECT_FALSE(old.states_is_module());
    const ModuleDataRef now{ObjectRef(raw.ctor(0, {none, one, one, none, one}, {1}))};
    EXPECT_TRUE(now.has_constant_names());
    EXPECT_TRUE(now.states_is_module());
    EXPECT_TRUE(now.is_module());
    EXPECT_EQ(now.entries().size(), 1U);
}

TEST_F(ModuleData, RefusesOtherShapes) {
    const std::uint64_t none = raw.array({});
    const std::uint64_t one = raw.array({box(0)});
    const auto read = [](std::uint64_t word) {
        return malformed([&] { ModuleDataRef data{ObjectRef(word)}; });
    };
    EXPECT_THAT(read(raw.ctor(0, {none, none, none, none})), HasSubstr("expected module data"));
    EXPECT_THAT(read(raw.ctor(1, {none, none, none})), HasSubstr("expected module data"));
    EXPECT_THAT(read(none), HasSubstr("expected module data"));
    EXPECT_THAT(read(raw.ctor(0, {none, one, none, none, none})),
                HasSubstr("as many constants as names"));
    EXPECT_THAT(read(raw.ctor(0, {none, box(0), none, none, none})), HasSubstr("expected array"));
}

} // namespace
} // namespace leanhost::object
