#include "module/fixture/fixture_library.hpp"
#include "module/fixture/fixture_manifest.hpp"
#include "module/import_closure.hpp"
#include "module/raw_olean.hpp"
#include "module/region_registry.hpp"
#include "module/typed_objects.hpp"
#include "support/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

namespace leanhost::module::fixture {
namespace {

namespace fs = std::filesystem;
using object::ConstantKind;
using object::ExprRef;
using object::ObjectRef;
using testing::HasSubstr;

FixtureOptions
options_for(const fs::path& directory, std::uint64_t modules, std::uint64_t constants) {
    FixtureOptions options;
    options.modules = modules;
    options.constants = constants;
    options.directory = directory;
    return options;
}

ImportClosure closure_of(const fs::path& directory, RegionRegistry& registry) {
    Monitor monitor;
    ClosureRequest request;
    request.search_path = SearchPath({directory});
    request.imports = ImportSet{Name(root_module)};
    return load_closure(request, registry, monitor);
}

std::map<std::string, test::Bytes> files_in(const fs::path& directory) {
    std::map<std::string, test::Bytes> files;
    for (const auto& entry : fs::recursive_directory_iterator(directory)) {
        if (entry.is_regular_file())
            files[fs::relative(entry.path(), directory)] = test::read_file(entry.path());
    }
    return files;
}

std::vector<std::string> names_in(const fs::path& directory) {
    std::vector<std::string> names;
    for (const auto& [name, bytes] : files_in(directory))
        names.push_back(name);
    return names;
}

// What a middle-sized fixture is, made once for the tests that only look at it.
class Fixture : public testing::Test {
protected:
    static constexpr std::uint64_t modules = 24;
    static constexpr std::uint64_t constants = 2000;

    static void SetUpTestSuite() {
        folder_ = std::make_unique<test::TempDir>();
        registry_ = std::make_unique<RegionRegistry>();
        report_ = *write_fixture(options_for(folder_->path(), modules, constants));
        closure_.emplace(closure_of(folder_->path(), *registry_));
    }
    static void TearDownTestSuite() {
        closure_.reset();
        registry_.reset();
        folder_.reset();
    }

    static inline std::unique_ptr<test::TempDir> folder_;
    static inline std::unique_ptr<RegionRegistry> registry_;
    static inline std::optional<ImportClosure> closure_;
    static inline FixtureReport report_;
};

TEST_F(Fixture, HoldsWhatWasAskedFor) {
    EXPECT_EQ(report_.modules, modules);
    EXPECT_EQ(report_.constants, constants);
    EXPECT_FALSE(report_.was_there);
    EXPECT_EQ(closure_->modules().size(), modules) << "the root module reaches all others";
    EXPECT_EQ(closure_->num_constants(), constants);
    EXPECT_EQ(closure_->size_bytes(), report_.file_bytes);
}

TEST_F(Fixture, ModulesImportOneToSixEarlierOnes) {
    std::size_t chain = 0;
    std::vector<std::size_t> depth(modules);
    for (std::size_t i = 0; i < modules; ++i) {
        const ClosureModule& module = closure_->modules()[i];
        if (module.name == Name(root_module))
            continue;
        EXPECT_EQ(module.imports.empty(), module.name == Name("Fixture.Core")) << module.text;
        EXPECT_LE(module.imports.size(), 6U) << module.text;
        for (const std::uint32_t import : module.imports)
            depth[i] = std::max(depth[i], depth[import] + 1);
        chain = std::max(chain, depth[i]);
    }
    EXPECT_GE(chain, 8U);
}

// Every constant that a module's terms mention is its own or of a module that
// it imports, directly or not.
TEST_F(Fixture, EveryConstantRestsOnImportedOnes) {
    std::vector<std::set<std::string>> visible(modules);
    for (std::size_t i = 0; i < modules; ++i) {
        const ClosureModule& module = closure_->modules()[i];
        for (const std::uint32_t import : module.imports) {
            visible[i].insert(visible[import].begin(), visible[import].end());
        }
        for (std::size_t k = 0; k < module.data.constants().size(); ++k) {
            const std::string name = module.data.constant(k).name().to_string();
            EXPECT_TRUE(visible[i].insert(name).second) << name << " is defined twice";
        }
        const TypedObjects objects(*module.region, 0);
        objects.terms().sweep([&](ObjectRef object) {
            const ExprRef term(object);
            if (term.kind() != ExprRef::Kind::constant && term.kind() != ExprRef::Kind::proj)
                return;
            EXPECT_EQ(visible[i].count(term.name().to_string()), 1U)
                << module.text << " mentions " << term.name().to_string();
        });
    }
}

TEST_F(Fixture, TermsAreClosedAndSharedAndHaveLeansHashes) {
    for (const ClosureModule& module : closure_->modules()) {
        const TypedObjects objects(*module.region, 0);
        for (std::size_t i = 0; i < module.data.constants().size(); ++i) {
            constexpr unsigned loose_range_shift = 44;
            const object::ConstantInfoRef constant = module.data.constant(i);
            EXPECT_EQ(constant.type().cached_data() >> loose_range_shift, 0U);
            if (constant.has_value()) {
                EXPECT_EQ(constant.value().cached_data() >> loose_range_shift, 0U);
            }
        }
        objects.names().sweep([&](ObjectRef name) {
            EXPECT_EQ(object::NameRef(name).cached_hash(), object::NameRef(name).recomputed_hash());
        });
    }
}

// The figures that kind_mix.hpp gives for real modules.
TEST_F(Fixture, SizesAndKindsAreThoseOfRealModules) {
    const double real_bytes = 6641;
    const double bytes =
        static_cast<double>(report_.file_bytes) / static_cast<double>(report_.constants);
    EXPECT_LT(std::abs(bytes - real_bytes), 0.15 * real_bytes) << bytes << " bytes a constant";
    std::array<double, object::num_constant_kinds> per_mille{};
    for (const ClosureModule& module : closure_->modules()) {
        for (std::size_t i = 0; i < module.data.constants().size(); ++i) {
            per_mille[static_cast<std::size_t>(module.data.constant(i).kind())] +=
                1000.0 / constants;
        }
    }
    EXPECT_NEAR(per_mille[static_cast<std::size_t>(ConstantKind::definition)], 482, 40);
    EXPECT_NEAR(per_mille[static_cast<std::size_t>(ConstantKind::theorem)], 433, 40);
    EXPECT_NEAR(per_mille[static_cast<std::size_t>(ConstantKind::axiom)], 25, 10);
    EXPECT_NEAR(per_mille[static_cast<std::size_t>(ConstantKind::inductive)], 15, 7);
    EXPECT_NEAR(per_mille[static_cast<std::size_t>(ConstantKind::recursor)], 15, 7);
}

TEST(WriteFixture, EqualOptionsGiveEqualBytesAndAnotherSeedOthers) {
    const test::TempDir one;
    const test::TempDir two;
    const test::TempDir three;
    FixtureOptions options = options_for(one.path(), 8, 600);
    const FixtureReport report = *write_fixture(options);
    options.directory = two.path();
    EXPECT_EQ(write_fixture(options)->digest, report.digest);
    EXPECT_TRUE(files_in(one.path()) == files_in(two.path()));
    options.directory = three.path();
    options.seed = 2;
    EXPECT_NE(write_fixture(options)->digest, report.digest);
}

TEST(WriteFixture, ACompleteOneIsLeftAsItIs) {
    const test::TempDir folder;
    const FixtureOptions options = options_for(folder.path(), 5, 300);
    const FixtureReport first = *write_fixture(options);
    const fs::path core = folder.path() / "Fixture" / "Core.olean";
    const auto written = fs::last_write_time(core);
    const FixtureReport second = *write_fixture(options);
    EXPECT_TRUE(second.was_there);
    EXPECT_EQ(second.digest, first.digest);
    EXPECT_EQ(fs::last_write_time(core), written);
    fs::remove(core);
    const FixtureReport third = *write_fixture(options);
    EXPECT_FALSE(third.was_there) << "a file was missing";
    EXPECT_TRUE(fs::exists(core));
}

TEST(WriteFixture, AnotherOneInTheSameFolderLeavesNoOldModules) {
    const test::TempDir folder;
    const test::TempDir fresh;
    ASSERT_TRUE(write_fixture(options_for(folder.path(), 12, 500)));
    ASSERT_TRUE(write_fixture(options_for(folder.path(), 6, 300)));
    ASSERT_TRUE(write_fixture(options_for(fresh.path(), 6, 300)));
    EXPECT_EQ(names_in(folder.path()), names_in(fresh.path()));
    EXPECT_TRUE(files_in(folder.path()) == files_in(fresh.path()));
}

TEST(WriteFixture, ALibraryTooSmallForItsFirstModuleIsRefused) {
    const test::TempDir folder;
    const auto few = write_fixture(options_for(folder.path(), 8, 20));
    ASSERT_FALSE(few);
    EXPECT_EQ(few.error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(few.error().message(), HasSubstr("Fixture.Core"));
    const auto narrow = write_fixture(options_for(folder.path(), 2, 1000));
    ASSERT_FALSE(narrow);
    EXPECT_EQ(narrow.error().code(), ErrorCode::invalid_argument);
    EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(WriteFixture, AFolderThatCannotBeMadeIsNamed) {
    const test::TempDir folder;
    folder.write("taken", "a file");
    const auto report = write_fixture(options_for(folder.path() / "taken", 5, 300));
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code(), ErrorCode::io);
    EXPECT_THAT(report.error().message(), HasSubstr("taken"));
}

TEST(WriteFixture, StoppingLeavesNoManifest) {
    const test::TempDir folder;
    const FixtureOptions options = options_for(folder.path(), 8, 600);
    CancellationSource source;
    source.cancel();
    const auto cancelled = write_fixture(options, {}, source.token());
    ASSERT_FALSE(cancelled);
    EXPECT_EQ(cancelled.error().code(), ErrorCode::cancelled);
    const auto stopped = write_fixture(options, [](const Progress&) { return SinkAnswer::stop; });
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().code(), ErrorCode::cancelled);
    const auto threw = write_fixture(
        options, [](const Progress&) -> SinkAnswer { throw std::runtime_error("sink"); });
    ASSERT_FALSE(threw);
    EXPECT_EQ(threw.error().code(), ErrorCode::sink_failed);
    EXPECT_FALSE(fs::exists(folder.path() / "fixture.json"));
    for (const auto& [name, bytes] : files_in(folder.path()))
        EXPECT_TRUE(name.ends_with(".olean")) << name;
}

// Many small modules and a few big ones: the biggest has many times what the middle one has.
TEST(WriteFixture, LikeLeanSpreadsSizes) {
    test::TempDir even_folder;
    test::TempDir folder;
    FixtureOptions options = options_for(folder.path(), 60, 3000);
    options.shape = SizeShape::like_lean;
    const FixtureReport report = *write_fixture(options);
    EXPECT_EQ(report.constants, 3000U);
    RegionRegistry registry;
    const auto counts = [&](const ImportClosure& closure) {
        std::vector<std::size_t> result;
        for (const ClosureModule& module : closure.modules()) {
            if (module.text != "Fixture.Core")
                result.push_back(module.data.constants().size());
        }
        std::sort(result.begin(), result.end());
        return result;
    };
    const auto spread = counts(closure_of(folder.path(), registry));
    EXPECT_GE(spread.back(), 4 * spread[spread.size() / 2]);
    EXPECT_LE(spread[spread.size() / 10], spread[spread.size() / 2] / 3);
    ASSERT_TRUE(write_fixture(options_for(even_folder.path(), 60, 3000)));
    const auto even = counts(closure_of(even_folder.path(), registry));
    EXPECT_LT(even.back(), 3 * even[even.size() / 2]);
}

TEST(WriteFixture, AnotherShapeIsAnotherFixture) {
    test::TempDir folder;
    FixtureOptions options = options_for(folder.path(), 8, 600);
    const FixtureReport even = *write_fixture(options);
    options.shape = SizeShape::like_lean;
    const FixtureReport like_lean = *write_fixture(options);
    EXPECT_FALSE(like_lean.was_there);
    EXPECT_NE(even.digest, like_lean.digest);
}

// A folder that holds a fixture of the same version and options is left as it is: whoever changes
// what is written must raise generator_version, and then the digest here.
TEST(FixtureVersion, IsRaisedWhenTheContentChanges) {
    const test::TempDir dir;
    const auto report = write_fixture(options_for(dir.path(), 4, 400));
    ASSERT_TRUE(report);
    EXPECT_EQ(generator_version, 3U);
    EXPECT_EQ(report->digest, 14239412403460298274U);
}

} // namespace
} // namespace leanhost::module::fixture
