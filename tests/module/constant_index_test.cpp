#include "base/guard.hpp"
#include "module/constant_index.hpp"
#include "module/real_modules.hpp"
#include "support/temp_dir.hpp"
#include "support/test_data.hpp"
#include "support_modules/corpus.hpp"
#include "support_modules/module_maker.hpp"

#include <gmock/gmock.h>

namespace leanhost::module {
namespace {

using test::corpus;
using test::ModuleMaker;
using test::TempDir;
using test::write_module;
using testing::HasSubstr;

// One module alone, without what it imports.
ImportClosure alone(const test::ModuleFiles& files, RegionRegistry& registry) {
    RegionHandle region = registry.acquire(test::open_module(files), Trust::stable);
    const object::ModuleDataRef data(region->root(files.size() - 1));
    const std::string name = files[0].stem().string();
    return ImportClosure({{name, name, std::move(region), data, {}}}, {});
}

std::size_t count_not_at_their_place(const ImportClosure& closure, const ConstantIndex& index) {
    std::size_t count = 0;
    for (std::uint32_t m = 0; m < closure.modules().size(); ++m) {
        const std::size_t constants = closure.modules()[m].data.constants().size();
        for (std::uint32_t i = 0; i < constants; ++i) {
            const ConstantPlace place{m, i};
            const Name name = constant_at(closure, place).name().to_name();
            if (index.find(name) != place)
                ++count;
            if (index.find(Name(name.to_string() + ".absent")).has_value())
                ++count;
        }
    }
    return count;
}

class ConstantIndexTest : public testing::Test {
protected:
    ImportClosure load(const std::filesystem::path& root, const ImportSet& imports) {
        return load_closure({SearchPath({root}), imports}, registry, monitor);
    }
    // Makes modules A and B with one constant each, and indexes both.
    Expected<std::uint64_t> index_pair(const std::function<void(ModuleMaker&)>& in_a,
                                       const std::function<void(ModuleMaker&)>& in_b) {
        ModuleMaker a("A");
        in_a(a);
        std::move(a).write(folder.path());
        ModuleMaker b("B");
        in_b(b);
        std::move(b).write(folder.path());
        return guarded("test", [&] {
            const ImportClosure closure = load(folder.path(), {"A", "B"});
            const ConstantIndex index(closure, 0, monitor);
            EXPECT_EQ(index.find("c"), (ConstantPlace{0, 0}));
            return index.num_constants();
        });
    }
    // The error's code, or nothing.
    std::optional<ErrorCode> clash(const std::function<void(ModuleMaker&)>& in_a,
                                   const std::function<void(ModuleMaker&)>& in_b) {
        const auto indexed = index_pair(in_a, in_b);
        return indexed ? std::nullopt : std::optional(indexed.error().code());
    }

    TempDir folder;
    RegionRegistry registry;
    Monitor monitor;
};

constexpr auto duplicate = ErrorCode::duplicate_constant;

TEST_F(ConstantIndexTest, EveryConstantOfEveryRealModuleIsFoundAtItsPlace) {
    LEANHOST_NEEDS_DATA("olean");
    std::uint64_t constants = 0;
    for (const test::ModuleFiles& files : test::find_modules(test::test_data("olean"))) {
        const ImportClosure closure = alone(files, registry);
        const ConstantIndex index(closure, 0, monitor);
        EXPECT_EQ(index.num_constants(), closure.num_constants()) << files[0];
        EXPECT_EQ(count_not_at_their_place(closure, index), 0U) << files[0];
        constants += index.num_constants();
    }
    EXPECT_GT(constants, 7'000U);
}

TEST_F(ConstantIndexTest, EveryConstantOfTheCorpusIsFoundAtItsPlace) {
    for (const std::string_view library :
         {test::v0_library, test::v0b_library, test::v1_library, test::batteries}) {
        for (const test::ModuleFiles& files : test::find_modules(corpus(library))) {
            const ImportClosure closure = alone(files, registry);
            EXPECT_EQ(count_not_at_their_place(closure, ConstantIndex(closure, 0, monitor)), 0U)
                << files[0];
        }
    }
}

TEST_F(ConstantIndexTest, ManyModulesAndThreadsGiveTheSameIndex) {
    std::vector<Name> modules;
    for (int m = 0; m < 100; ++m) {
        std::vector<Name> axioms;
        for (int i = 0; i < 50; ++i)
            axioms.push_back("x" + std::to_string(m) + "." + std::to_string(i));
        modules.push_back("M" + std::to_string(m));
        write_module(folder.path(), modules.back(), {}, axioms);
    }
    const ImportClosure closure = load(folder.path(), ImportSet(modules));
    for (const unsigned threads : {1U, 2U, 8U}) {
        const ConstantIndex index(closure, threads, monitor);
        EXPECT_EQ(index.num_constants(), 5000U);
        EXPECT_EQ(count_not_at_their_place(closure, index), 0U);
        EXPECT_EQ(index.size_bytes(), 8192U * 8) << "a power of two, at most 3/4 of it used";
    }
}

TEST_F(ConstantIndexTest, AbsentNamesAreNotFound) {
    write_module(folder.path(), "A", {}, {"a", "b.c"});
    const ImportClosure closure = load(folder.path(), {"A"});
    const ConstantIndex index(closure, 0, monitor);
    EXPECT_TRUE(index.find("b.c").has_value());
    for (const Name& name : {Name(), Name("b"), Name("c"), Name("a.a"), Name("«b.c»"), Name("A")}) {
        EXPECT_EQ(index.find(name), std::nullopt) << name.to_string();
    }
    const ImportClosure empty({}, {});
    EXPECT_EQ(ConstantIndex(empty, 0, monitor).find("a"), std::nullopt);
}

TEST_F(ConstantIndexTest, ConstantDefinedTwiceIsReportedWithBothModules) {
    // Two real modules of one program, each with its own copy of some helpers.
    const ImportClosure closure =
        load(corpus(test::v2_library),
             ImportSet({"zkEVM.EVMDiv", "zkEVM.EVMAddMod"}, Profile::all, true));
    std::set<std::string> messages;
    for (int i = 0; i < 10; ++i) {
        const auto indexed =
            guarded("test", [&] { return ConstantIndex(closure, 2, monitor).num_constants(); });
        ASSERT_FALSE(indexed);
        EXPECT_EQ(indexed.error().code(), duplicate);
        EXPECT_EQ(std::get<std::string>(*indexed.error().find_fact("first_module")),
                  "zkEVM.EVMDiv");
        EXPECT_EQ(std::get<std::string>(*indexed.error().find_fact("second_module")),
                  "zkEVM.EVMAddMod");
        messages.insert(indexed.error().message());
    }
    EXPECT_EQ(messages.size(), 1U) << "what is reported must not depend on timing";
}

TEST_F(ConstantIndexTest, ConstantDefinedTwiceInOneModuleIsReported) {
    // Two axioms of one statement would be accepted, so these differ.
    ModuleMaker maker("B");
    maker.add_axiom("a", maker.prop());
    maker.add_axiom("a", maker.constant("Nat"));
    std::move(maker).write(folder.path());
    const ImportClosure closure = load(folder.path(), {"B"});
    const auto indexed =
        guarded("test", [&] { return ConstantIndex(closure, 0, monitor).num_constants(); });
    ASSERT_FALSE(indexed);
    EXPECT_THAT(indexed.error().message(), HasSubstr("'a' is defined in 'B' and in 'B'"));
}

TEST_F(ConstantIndexTest, TheoremStatedTwiceIsAcceptedAndCountedOnce) {
    const auto theorem = [](ModuleMaker& m) {
        m.add_theorem("c", m.constant("True"), m.constant("True.intro"));
    };
    const auto other_proof = [](ModuleMaker& m) {
        m.add_theorem("c", m.constant("True"), m.constant("trivial"));
    };
    const auto indexed = index_pair(theorem, other_proof);
    ASSERT_TRUE(indexed) << indexed.error().message();
    EXPECT_EQ(*indexed, 1U);
}

TEST_F(ConstantIndexTest, TheoremAndItsPublicFaceAreAccepted) {
    const auto theorem = [](ModuleMaker& m) {
        m.add_theorem("c", m.constant("True"), m.constant("trivial"));
    };
    const auto axiom = [](ModuleMaker& m) { m.add_axiom("c", m.constant("True")); };
    EXPECT_EQ(clash(theorem, axiom), std::nullopt);
    EXPECT_EQ(clash(axiom, theorem), std::nullopt);
}

TEST_F(ConstantIndexTest, StatementsThatDifferAreRefused) {
    const auto theorem = [](ModuleMaker& m) {
        m.add_theorem("c", m.constant("True"), m.constant("trivial"));
    };
    const auto other_type = [](ModuleMaker& m) {
        m.add_theorem("c", m.constant("False"), m.constant("trivial"));
    };
    const auto unsafe_axiom = [](ModuleMaker& m) {
        m.add(m.constants().mk_axiom(m.head("c", m.constant("True")), true));
    };
    const auto with_universe = [](ModuleMaker& m) {
        const Name params[] = {"u"};
        m.add(m.constants().mk_axiom(m.head("c", m.constant("True"), params)));
    };
    const auto opaque = [](ModuleMaker& m) {
        m.add(m.constants().mk_opaque(m.head("c", m.constant("True")), m.constant("trivial"),
                                      m.terms().mk_list({})));
    };
    EXPECT_EQ(clash(theorem, other_type), duplicate);
    EXPECT_EQ(clash(theorem, unsafe_axiom), duplicate);
    EXPECT_EQ(clash(theorem, with_universe), duplicate);
    EXPECT_EQ(clash(theorem, opaque), duplicate);
    EXPECT_EQ(clash(opaque, opaque), duplicate);
}

// A file may state any hash beside its names: answers come from the text.
TEST_F(ConstantIndexTest, LyingCachedHashesDoNoHarm) {
    const auto original = corpus(test::v1_library) / "BPlusTreeLean/Basic.olean";
    std::vector<std::byte> bytes = test::file_bytes(original);
    const ImportClosure honest = alone({original}, registry);
    const Region& region = *honest.modules()[0].region;
    for (std::size_t i = 0; i < honest.num_constants(); ++i) {
        const auto name = honest.modules()[0].data.constant(i).name();
        const auto place = region.find(name.object().word());
        ASSERT_TRUE(place.has_value());
        constexpr std::size_t hash_offset = 8 + 2 * 8;
        std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(place->offset + hash_offset), 8,
                    std::byte{0x5a});
    }
    const auto path = folder.path() / "Basic.olean";
    test::replace_file(path, bytes);
    const ImportClosure lying = alone({path}, registry);
    ASSERT_EQ(lying.modules()[0].data.constant(0).name().cached_hash(), 0x5a5a5a5a5a5a5a5aU);
    EXPECT_EQ(count_not_at_their_place(lying, ConstantIndex(lying, 0, monitor)), 0U);
}

TEST_F(ConstantIndexTest, ConstantThatIsNoneEndsWithFileAndOffset) {
    const auto original = corpus(test::v1_library) / "BPlusTreeLean/Basic.olean";
    std::vector<std::byte> bytes = test::file_bytes(original);
    const ImportClosure good = alone({original}, registry);
    const auto place =
        good.modules()[0].region->find(good.modules()[0].data.constant(5).object().word());
    bytes[place->offset + offsetof(object::ObjectHeader, tag)] = std::byte{99};
    const auto path = folder.path() / "Basic.olean";
    test::replace_file(path, bytes);
    const ImportClosure bad = alone({path}, registry);
    const auto indexed =
        guarded("test", [&] { return ConstantIndex(bad, 0, monitor).num_constants(); });
    ASSERT_FALSE(indexed);
    EXPECT_EQ(indexed.error().code(), ErrorCode::invalid_input);
    EXPECT_THAT(indexed.error().message(), HasSubstr(path.string()));
    EXPECT_EQ(std::get<std::uint64_t>(*indexed.error().find_fact("offset")), place->offset);
}

TEST_F(ConstantIndexTest, CancellationEndsTheBuild) {
    write_module(folder.path(), "A", {}, {"a"});
    const ImportClosure closure = load(folder.path(), {"A"});
    CancellationSource source;
    source.cancel();
    Monitor cancelled({}, source.token());
    const auto indexed =
        guarded("test", [&] { return ConstantIndex(closure, 0, cancelled).num_constants(); });
    ASSERT_FALSE(indexed);
    EXPECT_EQ(indexed.error().code(), ErrorCode::cancelled);
}

} // namespace
} // namespace leanhost::module
