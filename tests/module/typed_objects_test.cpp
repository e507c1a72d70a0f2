// The walk over names, levels and terms, on modules laid out by hand: what it finds, and where it
// refuses.
#include "module/module_stats.hpp"
#include "module/region_in_memory.hpp"
#include "module/typed_objects.hpp"

#include <gmock/gmock.h>

namespace leanhost::module {
namespace {

using object::ConstantKind;
using test::RawObjects;
using test::RawOlean;
using test::RegionInMemory;
using testing::HasSubstr;

constexpr auto box = RawObjects::box;
constexpr std::uint64_t nil = box(0);
constexpr std::uint64_t anonymous = box(0);

// A module whose objects are made one by one; words are arbitrary, since nobody relies on them.
class HandMade {
public:
    std::uint64_t name(std::string_view text, std::uint64_t prefix = anonymous) {
        return raw().ctor_with_word(1, {prefix, raw().string(text)}, 0);
    }
    std::uint64_t level(std::uint8_t kind, const std::vector<std::uint64_t>& fields) {
        return raw().ctor_with_word(kind, fields, 0);
    }
    std::uint64_t term(std::uint8_t kind, const std::vector<std::uint64_t>& fields) {
        const bool has_byte_behind = kind >= 6 && kind <= 8;
        return raw().ctor(kind, fields, std::vector<std::uint8_t>(has_byte_behind ? 9 : 8));
    }
    std::uint64_t sort() { return term(3, {box(0)}); }
    std::uint64_t constant_val(std::uint64_t constant_name, std::uint64_t type) {
        return raw().ctor(0, {constant_name, nil, type});
    }
    void add(ConstantKind kind,
             std::uint64_t type,
             std::vector<std::uint64_t> fields = {},
             const std::vector<std::uint8_t>& scalars = {0}) {
        const std::uint64_t own_name = name("c" + std::to_string(constants_.size()));
        fields.insert(fields.begin(), constant_val(own_name, type));
        const std::uint64_t val = raw().ctor(0, fields, scalars);
        constants_.push_back(raw().ctor(static_cast<std::uint8_t>(kind), {val}));
        names_.push_back(own_name);
    }
    void add_axiom(std::uint64_t type) { add(ConstantKind::axiom, type); }
    void add_import(std::uint64_t module) {
        imports_.push_back(raw().ctor(0, {module}, {0, 1, 0}));
    }
    void add_constant_object(std::uint64_t object) {
        constants_.push_back(object);
        names_.push_back(anonymous);
    }
    std::uint64_t last_constant() const { return constants_.back(); }

    test::Bytes file() {
        const std::uint64_t none = raw().array({});
        const std::uint64_t imports = raw().array(imports_);
        const std::uint64_t names = raw().array(names_);
        return olean.file(olean.module_data(imports, names, raw().array(constants_), none, none));
    }
    RawObjects& raw() { return olean.objects; }
    std::size_t offset(std::uint64_t word) const { return olean.offset(word); }

    RawOlean olean{"v2"};

private:
    std::vector<std::uint64_t> imports_;
    std::vector<std::uint64_t> names_;
    std::vector<std::uint64_t> constants_;
};

std::uint64_t count(const ModuleStats& stats, object::ExprRef::Kind kind) {
    return stats.terms_by_kind[static_cast<std::size_t>(kind)];
}

TEST(TypedObjects, FindsKindsThatNoRealFileOfOursHas) {
    HandMade module;
    const std::uint64_t u = module.name("u");
    const std::uint64_t param = module.level(4, {u});
    const std::uint64_t mvar = module.level(5, {module.name("m")});
    const std::uint64_t imax = module.level(3, {param, mvar});
    const std::uint64_t max = module.level(2, {imax, box(0)});
    const std::uint64_t fvar = module.term(1, {module.name("x")});
    const std::uint64_t expr_mvar = module.term(2, {module.name("y")});
    module.add_axiom(module.term(5, {fvar, expr_mvar}));
    module.add(ConstantKind::quotient, module.term(3, {max}), {}, {1});
    const RegionInMemory region(module.file());
    const ModuleStats stats = module_stats_of(*region, 0);
    EXPECT_EQ(stats.names, 6U);  // u, m, x, y, c0, c1
    EXPECT_EQ(stats.levels, 5U); // with zero
    EXPECT_EQ(stats.terms, 4U);
    EXPECT_EQ(count(stats, object::ExprRef::Kind::fvar), 1U);
    EXPECT_EQ(count(stats, object::ExprRef::Kind::mvar), 1U);
    EXPECT_EQ(stats.constants_by_kind[static_cast<std::size_t>(ConstantKind::quotient)], 1U);
    EXPECT_EQ(stats.names_with_other_hash, 6U);
}

TEST(TypedObjects, CountsAnObjectOnceHoweverManyPointToIt) {
    HandMade module;
    std::uint64_t term = module.sort();
    for (int i = 0; i < 200; ++i)
        term = module.term(5, {term, term}); // 2^200 paths
    module.add_axiom(term);
    module.add_axiom(term);
    const RegionInMemory region(module.file());
    EXPECT_EQ(TypedObjects(*region, 0).terms().size(), 201U);
}

TEST(TypedObjects, DoesNotLookIntoMetadataAndExtensions) {
    HandMade module;
    const std::uint64_t hidden = module.raw().ctor(0, {module.name("key"), module.sort()});
    module.add_axiom(module.term(10, {module.raw().list({hidden}), module.sort()}));
    const RegionInMemory region(module.file());
    const TypedObjects objects(*region, 0);
    EXPECT_EQ(objects.names().size(), 1U);
    EXPECT_EQ(objects.terms().size(), 2U);
    EXPECT_TRUE(objects.has_scalar_level_zero());
}

// No recursion: depth is the file's choice.
TEST(TypedObjects, ReadsNestingOfAMillion) {
    constexpr int depth = 1'000'000;
    HandMade module;
    std::uint64_t name = anonymous;
    const std::uint64_t text = module.raw().string("n");
    for (int i = 0; i < depth; ++i)
        name = module.raw().ctor_with_word(1, {name, text}, 0);
    std::uint64_t level = module.level(4, {name});
    for (int i = 0; i < depth; ++i)
        level = module.level(1, {level});
    std::uint64_t term = module.term(3, {level});
    for (int i = 0; i < depth; ++i)
        term = module.term(5, {term, term});
    module.add_axiom(term);
    const RegionInMemory region(module.file());
    const ModuleStats stats = module_stats_of(*region, 0);
    EXPECT_EQ(stats.names, depth + 1U);
    EXPECT_EQ(stats.levels, depth + 1U);
    EXPECT_EQ(stats.terms, depth + 1U);
}

// Each of many constants has a list of levels that shares its end with the others': to follow each
// to its end would take 10^10 steps.
TEST(TypedObjects, FollowsSharedListsOnce) {
    constexpr int num_terms = 100'000;
    HandMade module;
    const std::uint64_t param = module.level(4, {module.name("u")});
    const std::uint64_t constant_name = module.name("c");
    std::uint64_t levels = nil;
    std::uint64_t term = module.sort();
    for (int i = 0; i < num_terms; ++i) {
        levels = module.raw().ctor(1, {param, levels});
        term = module.term(5, {term, module.term(4, {constant_name, levels})});
    }
    module.add_axiom(term);
    const RegionInMemory region(module.file());
    EXPECT_EQ(TypedObjects(*region, 0).terms().size(), 2U * num_terms + 1);
}

// ---- refused, at the object's place in the file

struct Refused {
    std::string message;
    std::uint64_t offset = 0;
};

Refused refusal_of(HandMade& module) {
    const RegionInMemory region(module.file());
    try {
        static_cast<void>(module_stats_of(*region, 0));
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.error().code(), ErrorCode::invalid_input);
        EXPECT_TRUE(failure.error().find_fact("file"));
        const auto* offset = failure.error().find_fact("offset");
        return {failure.error().message(),
                offset != nullptr ? std::get<std::uint64_t>(*offset) : 0};
    }
    return {};
}

TEST(TypedObjectsRefuse, AScalarWhereATermIsWanted) {
    HandMade module;
    const std::uint64_t bad = module.term(5, {module.sort(), box(4)});
    module.add_axiom(bad);
    const Refused refused = refusal_of(module);
    EXPECT_EQ(refused.offset, module.offset(bad)); // a scalar has no place: its holder's is given
    EXPECT_THAT(refused.message,
                HasSubstr("term: malformed object: expected term, found scalar 4"));
}

TEST(TypedObjectsRefuse, AnotherObjectWhereATermIsWanted) {
    HandMade module;
    const std::uint64_t text = module.raw().string("no term");
    module.add_axiom(module.term(5, {module.sort(), text}));
    const Refused refused = refusal_of(module);
    EXPECT_EQ(refused.offset, module.offset(text));
    EXPECT_THAT(refused.message, HasSubstr("expected constructor, found string"));
}

TEST(TypedObjectsRefuse, ATermWithoutItsWord) {
    HandMade module;
    const std::uint64_t bad = module.raw().ctor(3, {box(0)});
    module.add_axiom(bad);
    const Refused refused = refusal_of(module);
    EXPECT_EQ(refused.offset, module.offset(bad));
    EXPECT_THAT(refused.message, HasSubstr("at least 8 scalar bytes"));
}

TEST(TypedObjectsRefuse, AListThatIsNone) {
    HandMade module;
    const std::uint64_t bad = module.term(4, {module.name("c"), box(7)});
    module.add_axiom(bad);
    EXPECT_EQ(refusal_of(module).offset, module.offset(bad));
    EXPECT_THAT(refusal_of(module).message, HasSubstr("expected list, found scalar 7"));
}

TEST(TypedObjectsRefuse, AnUnknownLevel) {
    HandMade module;
    const std::uint64_t bad = module.level(6, {box(0)});
    module.add_axiom(module.term(3, {bad}));
    EXPECT_EQ(refusal_of(module).offset, module.offset(bad));
    EXPECT_THAT(refusal_of(module).message, HasSubstr("universe level: malformed object"));
}

TEST(TypedObjectsRefuse, ANameWhoseComponentIsNoText) {
    HandMade module;
    const std::uint64_t bad = module.raw().ctor_with_word(1, {anonymous, box(1)}, 0);
    module.add_axiom(module.term(1, {bad}));
    EXPECT_EQ(refusal_of(module).offset, module.offset(bad));
    EXPECT_THAT(refusal_of(module).message, HasSubstr("name: malformed object: expected string"));
}

TEST(TypedObjectsRefuse, AConstantThatIsNone) {
    for (const bool is_scalar : {true, false}) {
        HandMade module;
        const std::uint64_t bad = is_scalar ? box(3) : module.raw().ctor(9, {box(0)});
        module.add_constant_object(bad);
        EXPECT_THAT(refusal_of(module).message,
                    HasSubstr("constant: malformed object: expected const"));
        if (!is_scalar) {
            EXPECT_EQ(refusal_of(module).offset, module.offset(bad));
        }
    }
}

TEST(TypedObjectsRefuse, ADefinitionOfUnknownSafety) {
    HandMade module;
    module.add(ConstantKind::definition, module.sort(), {module.sort(), box(0), nil}, {3});
    EXPECT_THAT(refusal_of(module).message, HasSubstr("definition safety of 0 to 2, found 3"));
}

TEST(TypedObjectsRefuse, ARootThatIsNoModuleData) {
    RawOlean olean("v2");
    const std::uint64_t root = olean.objects.ctor(0, {box(0)});
    const RegionInMemory region(olean.file(root));
    try {
        static_cast<void>(TypedObjects(*region, 0));
        FAIL();
    } catch (const Failure& failure) {
        EXPECT_THAT(failure.error().message(), HasSubstr("module data: malformed object"));
        EXPECT_EQ(std::get<std::uint64_t>(*failure.error().find_fact("offset")),
                  olean.offset(root));
    }
}

// A module's name is a path: one of a megabyte cannot have a file.
TEST(TypedObjectsRefuse, AnImportOfAModuleWithAnEndlessName) {
    HandMade module;
    const std::uint64_t name = module.name(std::string(1'000'000, 'a'));
    module.add_import(name);
    EXPECT_EQ(refusal_of(module).offset, module.offset(name));
    EXPECT_THAT(refusal_of(module).message, HasSubstr("module name of at most 4096 bytes"));
}

TEST(TypedObjectsRefuse, NamesOfImportsThatOutgrowTheFile) {
    HandMade module;
    const std::uint64_t name = module.name(std::string(4000, 'a'));
    for (int i = 0; i < 20'000; ++i)
        module.add_import(name);
    EXPECT_THAT(refusal_of(module).message, HasSubstr("at most 64 MiB of imported modules' names"));
}

} // namespace
} // namespace leanhost::module
