#include "base/guard.hpp"
#include "module/import_closure.hpp"
#include "module/region_registry.hpp"
#include "support/temp_dir.hpp"
#include "support_modules/corpus.hpp"
#include "support_modules/module_maker.hpp"

#include <gmock/gmock.h>

namespace leanhost::module {
namespace {

using test::corpus;
using test::TempDir;
using test::write_module;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ImportClosureTest : public testing::Test {
protected:
    Expected<ImportClosure> load(const ImportSet& imports) {
        return load(imports, SearchPath({folder.path()}));
    }
    Expected<ImportClosure> load(const ImportSet& imports, const SearchPath& path) {
        return guarded("test", [&] { return load_closure({path, imports}, registry, monitor); });
    }
    std::vector<std::string> order(const ImportSet& imports) { return names(load(imports)); }
    static std::vector<std::string> names(const Expected<ImportClosure>& closure) {
        if (!closure)
            return {closure.error().message()};
        std::vector<std::string> result;
        for (const ClosureModule& module : closure->modules())
            result.push_back(module.text);
        return result;
    }
    static std::string fact(const Error& error, std::string_view key) {
        const auto* const value = error.find_fact(key);
        return value == nullptr ? "no such fact" : std::get<std::string>(*value);
    }

    TempDir folder;
    RegionRegistry registry;
    Monitor monitor;
};

TEST_F(ImportClosureTest, ImportsComeFirstAndEachModuleOnce) {
    write_module(folder.path(), "D");
    write_module(folder.path(), "B", {"D"});
    write_module(folder.path(), "C", {"D"});
    write_module(folder.path(), "A", {"B", "C", "B"});
    EXPECT_THAT(order({"A"}), ElementsAre("D", "B", "C", "A"));
    const auto closure = load({"A"});
    ASSERT_TRUE(closure);
    EXPECT_THAT(closure->modules()[3].imports, ElementsAre(1U, 2U, 1U));
    EXPECT_THAT(closure->modules()[0].imports, IsEmpty());
}

TEST_F(ImportClosureTest, OrderAskedForIsKept) {
    for (const char* name : {"A", "B", "C"})
        write_module(folder.path(), name);
    write_module(folder.path(), "D", {"C", "A"});
    EXPECT_THAT(order({"C", "B", "A"}), ElementsAre("C", "B", "A"));
    EXPECT_THAT(order({"A", "B", "C"}), ElementsAre("A", "B", "C"));
    EXPECT_THAT(order({"B", "D", "A", "B"}), ElementsAre("B", "C", "A", "D"));
}

TEST_F(ImportClosureTest, EmptyImportSetIsAnEmptyClosure) {
    EXPECT_THAT(order({}), IsEmpty());
}

TEST_F(ImportClosureTest, CycleIsReportedWithTheCycleAlone) {
    write_module(folder.path(), "A", {"B"});
    write_module(folder.path(), "B", {"C"});
    write_module(folder.path(), "C", {"B"});
    write_module(folder.path(), "S", {"S"});
    const auto closure = load({"A"});
    ASSERT_FALSE(closure);
    EXPECT_EQ(closure.error().code(), ErrorCode::import_cycle);
    EXPECT_EQ(fact(closure.error(), "cycle"), "B → C → B");
    const auto self = load({"S"});
    ASSERT_FALSE(self);
    EXPECT_EQ(fact(self.error(), "cycle"), "S → S");
}

TEST_F(ImportClosureTest, MissingModuleNamesItsImporter) {
    write_module(folder.path(), "A", {"B.C"});
    const auto closure = load({"A"});
    ASSERT_FALSE(closure);
    EXPECT_EQ(closure.error().code(), ErrorCode::missing_module);
    EXPECT_EQ(fact(closure.error(), "module"), "B.C");
    EXPECT_EQ(fact(closure.error(), "imported_by"), "A");
    EXPECT_EQ(fact(closure.error(), "search_path"), folder.path().string());
    const auto direct = load({"B.C"});
    ASSERT_FALSE(direct);
    EXPECT_EQ(fact(direct.error(), "imported_by"), "");
}

TEST_F(ImportClosureTest, AllowMissingLeavesModulesOutAndListsThem) {
    write_module(folder.path(), "B");
    write_module(folder.path(), "A", {"X", "B", "Y"});
    const auto closure = load(ImportSet({"A", "Z", "X"}, Profile::all, true));
    ASSERT_TRUE(closure);
    EXPECT_THAT(names(closure), ElementsAre("B", "A"));
    EXPECT_THAT(closure->modules()[1].imports, ElementsAre(0U));
    std::vector<std::pair<Name, Name>> missing;
    for (const MissingModule& m : closure->missing())
        missing.emplace_back(m.name, m.imported_by);
    EXPECT_THAT(missing,
                ElementsAre(std::pair<Name, Name>("X", "A"), std::pair<Name, Name>("Y", "A"),
                            std::pair<Name, Name>("Z", Name())));
}

TEST_F(ImportClosureTest, UnsafeModuleNamesAreRefusedWhoeverStatesThem) {
    const auto component = [](std::string text) {
        return Name(std::vector<Name::Component>{{std::move(text), 0, false}});
    };
    for (const char* text : {"..", ".", "", "a/b"}) {
        write_module(folder.path(), "Importer", {component(text)});
        for (const ImportSet& imports : {ImportSet({component(text)}), ImportSet({"Importer"}),
                                         ImportSet({"Importer"}, Profile::all, true)}) {
            const auto closure = load(imports);
            ASSERT_FALSE(closure) << text;
            EXPECT_EQ(closure.error().code(), ErrorCode::invalid_argument) << text;
        }
    }
}

// The depth of a closure is its files' choice: nothing here may recurse.
TEST_F(ImportClosureTest, ChainOfThreeThousandModulesIsLoaded) {
    constexpr int depth = 3000;
    write_module(folder.path(), "M0");
    for (int i = 1; i < depth; ++i) {
        write_module(folder.path(), "M" + std::to_string(i), {"M" + std::to_string(i - 1)});
    }
    const auto closure = load({"M" + std::to_string(depth - 1)});
    ASSERT_TRUE(closure);
    ASSERT_EQ(closure->modules().size(), std::size_t{depth});
    for (int i = 0; i < depth; ++i) {
        EXPECT_EQ(closure->modules()[static_cast<std::size_t>(i)].text, "M" + std::to_string(i));
    }
}

TEST_F(ImportClosureTest, OfSeveralFailuresTheFirstInOrderIsReported) {
    write_module(folder.path(), "A", {"B", "C"});
    write_module(folder.path(), "B", {"B1"});
    folder.write("B1.olean", "no module");
    folder.write("C.olean", "no module either");
    for (int i = 0; i < 20; ++i) {
        const auto closure = load({"A"});
        ASSERT_FALSE(closure);
        EXPECT_EQ(closure.error().code(), ErrorCode::invalid_input);
        EXPECT_THAT(closure.error().message(), HasSubstr("B1.olean"));
    }
    EXPECT_EQ(registry.stats().regions, 0U);
}

TEST_F(ImportClosureTest, FirstFolderOfTheSearchPathWins) {
    const TempDir other;
    write_module(folder.path(), "A", {}, {"from_first"});
    write_module(other.path(), "A", {}, {"from_second", "and_more"});
    write_module(other.path(), "B", {"A"});
    const auto closure = load({"B"}, SearchPath({folder.path(), other.path()}));
    ASSERT_TRUE(closure);
    EXPECT_EQ(closure->num_constants(), 1U);
}

TEST_F(ImportClosureTest, ProfileDecidesWhichPartsAreSeen) {
    const SearchPath path({corpus(test::batteries)});
    const auto seen = [&](Profile profile) {
        return load(ImportSet({"Batteries.Data.Nat.Bitwise"}, profile, true), path);
    };
    const auto exported = seen(Profile::exported);
    const auto server = seen(Profile::server);
    const auto all = seen(Profile::all);
    ASSERT_TRUE(exported && server && all);
    EXPECT_EQ(exported->num_constants(), 26U);
    EXPECT_EQ(server->num_constants(), 26U);
    EXPECT_EQ(all->num_constants(), 37U);
    EXPECT_EQ(exported->size_bytes(), 47216U);
    EXPECT_EQ(server->size_bytes(), 47216U + 7904);
    EXPECT_EQ(all->size_bytes(), 47216U + 7904 + 91488);
}

TEST_F(ImportClosureTest, ModuleSystemModuleWithoutPrivatePartIsMarked) {
    const auto from = corpus(test::batteries) / "Batteries/Data/Bool.olean";
    const auto to = folder.path() / "Batteries/Data/Bool.olean";
    std::filesystem::create_directories(to.parent_path());
    const auto lacks_private_part = [&] {
        const auto closure = load(ImportSet({"Batteries.Data.Bool"}, Profile::all, true));
        return closure && closure->modules()[0].lacks_private_part;
    };
    std::filesystem::copy_file(from, to);
    EXPECT_TRUE(lacks_private_part());
    // A later part points into all earlier ones: without the server part the private one is no use.
    std::filesystem::copy_file(part_path(from, PartKind::private_part),
                               part_path(to, PartKind::private_part));
    EXPECT_TRUE(lacks_private_part());
    std::filesystem::copy_file(part_path(from, PartKind::server), part_path(to, PartKind::server));
    EXPECT_FALSE(lacks_private_part());
}

TEST_F(ImportClosureTest, ClosureKnowsWhetherItsFilesAreStillThose) {
    write_module(folder.path(), "B");
    const auto path = write_module(folder.path(), "A", {"B"});
    const auto closure = load({"A"});
    ASSERT_TRUE(closure);
    EXPECT_TRUE(closure->is_current());
    write_module(folder.path(), "B");
    EXPECT_FALSE(closure->is_current()) << "the same bytes in a new file are a new file";
    const auto again = load({"A"});
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->is_current());
    std::filesystem::remove(path);
    EXPECT_FALSE(again->is_current());
}

TEST_F(ImportClosureTest, EveryContainerVersionOfTheCorpusIsLoaded) {
    const std::pair<std::string_view, const char*> modules[] = {
        {test::v0_library, "test"},
        {test::v0b_library, "Main"},
        {test::v1_library, "BPlusTreeLean"},
        {test::v2_library, "zkEVM.EVMDiv"},
        {test::batteries, "Batteries.Lean.SatisfiesM"}};
    for (const auto& [library, module] : modules) {
        const auto closure =
            load(ImportSet({module}, Profile::all, true), SearchPath({corpus(library)}));
        ASSERT_TRUE(closure) << closure.error().message();
        EXPECT_EQ(closure->modules().back().text, module);
        EXPECT_THAT(closure->missing(), testing::Not(IsEmpty())) << "Init is not in the corpus";
    }
}

TEST_F(ImportClosureTest, CancellationEndsTheImportAndNothingStays) {
    write_module(folder.path(), "A");
    CancellationSource source;
    source.cancel();
    monitor = Monitor({}, source.token());
    const auto closure = load({"A"});
    ASSERT_FALSE(closure);
    EXPECT_EQ(closure.error().code(), ErrorCode::cancelled);
    EXPECT_EQ(registry.stats().regions, 0U);
}

TEST_F(ImportClosureTest, ProgressSinkSeesTheModulesAndMayStop) {
    write_module(folder.path(), "B");
    write_module(folder.path(), "A", {"B"});
    Progress last{};
    monitor = Monitor(
        [&](const Progress& progress) {
            last = progress;
            return SinkAnswer::proceed;
        },
        {});
    ASSERT_TRUE(load({"A"}));
    EXPECT_EQ(last.current, 2U);
    EXPECT_EQ(last.total, 2U);
    monitor = Monitor([](const Progress&) { return SinkAnswer::stop; }, {});
    const auto stopped = load({"A"});
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().code(), ErrorCode::cancelled);
    monitor = Monitor([](const Progress&) -> SinkAnswer { throw std::runtime_error("full"); }, {});
    const auto failed = load({"A"});
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code(), ErrorCode::sink_failed);
    EXPECT_THAT(failed.error().message(), HasSubstr("full"));
    EXPECT_EQ(registry.stats().regions, 0U);
}

} // namespace
} // namespace leanhost::module
