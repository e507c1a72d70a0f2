#include "base/guard.hpp"
#include "engine_native/native_engine.hpp"
#include "support/temp_dir.hpp"
#include "support_modules/corpus.hpp"
#include "support_modules/mapped_files.hpp"
#include "support_modules/module_maker.hpp"

#include <gmock/gmock.h>

namespace leanhost::engine_native {
namespace {

using namespace std::chrono_literals;
using test::mapped_files;
using test::TempDir;
using test::write_module;
using testing::IsEmpty;

bool holds(const Session& session, const Name& name) {
    const auto rows = session.query_declarations(std::span(&name, 1));
    return rows && (*rows)[0].has_value();
}

class NativeEngineTest : public testing::Test {
protected:
    NativeEngineTest() {
        write_module(folder.path(), "B", {}, {"b"});
        write_module(folder.path(), "A", {"B"}, {"a"});
    }
    NativeEngineOptions options(std::chrono::milliseconds revalidate_after = 0ms) const {
        NativeEngineOptions result;
        result.search_path = {folder.path()};
        result.revalidate_after = revalidate_after;
        return result;
    }
    TempDir folder;
};

TEST_F(NativeEngineTest, SessionsOfOneImportSetShareOneClosure) {
    NativeEngine engine(options());
    const auto first = engine.open({"A"}, {});
    const auto second = engine.open({"A"}, {});
    EXPECT_FALSE(first->import_facts().was_shared);
    EXPECT_TRUE(second->import_facts().was_shared);
    EXPECT_EQ(first->loaded(), second->loaded()) << "no second index";
    EXPECT_EQ(engine.registry_stats().acquired, 2U) << "no region is asked for again";
}

TEST_F(NativeEngineTest, OrderProfileAndAllowMissingMakeAnotherClosureOverTheSameRegions) {
    NativeEngine engine(options());
    const auto both = engine.open({"A", "B"}, {});
    for (const ImportSet& other :
         {ImportSet({"B", "A"}), ImportSet({"A"}), ImportSet({"A", "B"}, Profile::exported),
          ImportSet({"A", "B"}, Profile::all, true)}) {
        const auto session = engine.open(other, {});
        EXPECT_FALSE(session->import_facts().was_shared);
        EXPECT_NE(session->loaded(), both->loaded());
        EXPECT_EQ(engine.registry_stats().regions, 2U);
    }
}

TEST_F(NativeEngineTest, FactsSayWhatAnImportBroughtIn) {
    NativeEngine engine(options());
    const auto session = engine.open(ImportSet({"A", "C"}, Profile::all, true), {});
    const ImportFacts& facts = session->import_facts();
    EXPECT_EQ(facts.modules, 2U);
    EXPECT_EQ(facts.constants, 2U);
    EXPECT_EQ(facts.region_bytes, std::filesystem::file_size(folder.path() / "A.olean") +
                                      std::filesystem::file_size(folder.path() / "B.olean"));
    EXPECT_GT(facts.index_bytes, 0U);
    EXPECT_THAT(facts.missing_modules, testing::ElementsAre(Name("C")));
}

TEST_F(NativeEngineTest, LastSessionGivesEverythingBack) {
    NativeEngine engine(options());
    auto first = engine.open({"A"}, {});
    auto second = engine.open({"A"}, {});
    first.reset();
    EXPECT_TRUE(holds(*second, "a"));
    EXPECT_EQ(engine.registry_stats().regions, 2U);
    second.reset();
    EXPECT_EQ(engine.registry_stats().regions, 0U);
    EXPECT_EQ(engine.registry_stats().mapped_bytes + engine.registry_stats().relocated_bytes, 0U);
    EXPECT_THAT(mapped_files(folder.path()), IsEmpty());
    EXPECT_FALSE(engine.open({"A"}, {})->import_facts().was_shared);
}

TEST_F(NativeEngineTest, SessionOutlivesTheEngine) {
    auto engine = std::make_unique<NativeEngine>(options());
    const auto session = engine->open({"A"}, {});
    engine.reset();
    EXPECT_TRUE(holds(*session, "a"));
}

TEST_F(NativeEngineTest, AnchorIsKeptAsLongAsAnythingUsesTheClosure) {
    auto engine = std::make_unique<NativeEngine>(options());
    const auto anchor = std::make_shared<int>(0);
    auto session = engine->open({"A"}, {}, anchor);
    auto rows = session->query_declarations(std::vector<Name>{"a"});
    auto object = session->find_object("a");
    ASSERT_TRUE(rows && object);
    session.reset();
    EXPECT_EQ(anchor.use_count(), 2);
    rows = Error(ErrorCode::internal, "");
    EXPECT_EQ(anchor.use_count(), 2);
    object = Error(ErrorCode::internal, "");
    EXPECT_EQ(anchor.use_count(), 1);
}

TEST_F(NativeEngineTest, RebuiltModuleIsLoadedAnewAndOldSessionsKeepTheirs) {
    NativeEngine engine(options(0ms));
    const auto old_session = engine.open({"A"}, {});
    write_module(folder.path(), "B", {}, {"b", "b2"});
    const auto new_session = engine.open({"A"}, {});
    EXPECT_FALSE(new_session->import_facts().was_shared);
    EXPECT_TRUE(holds(*new_session, "b2"));
    EXPECT_FALSE(holds(*old_session, "b2"));
    EXPECT_TRUE(holds(*old_session, "b"));
    EXPECT_TRUE(engine.open({"A"}, {})->import_facts().was_shared);
}

TEST_F(NativeEngineTest, FilesAreTakenForUnchangedForAWhile) {
    NativeEngine engine(options(1h));
    const auto session = engine.open({"A"}, {});
    write_module(folder.path(), "B", {}, {"b", "b2"});
    EXPECT_TRUE(engine.open({"A"}, {})->import_facts().was_shared);
    EXPECT_FALSE(session->loaded()->is_current(0ms)) << "whoever wants to know, knows";
}

TEST_F(NativeEngineTest, MissingModuleThatAppearsMakesTheClosureOld) {
    NativeEngine engine(options(0ms));
    const ImportSet imports({"A", "C"}, Profile::all, true);
    const auto without = engine.open(imports, {});
    EXPECT_TRUE(without->loaded()->is_current(0ms));
    write_module(folder.path(), "C", {}, {"c"});
    EXPECT_FALSE(without->loaded()->is_current(0ms));
    EXPECT_TRUE(holds(*engine.open(imports, {}), "c"));
}

TEST_F(NativeEngineTest, ImportThatFailedCanBeTriedAgain) {
    NativeEngine engine(options());
    const auto open = [&] { return guarded("test", [&] { return engine.open({"D"}, {}); }); };
    write_module(folder.path(), "D", {"E"});
    const auto failed = open();
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code(), ErrorCode::missing_module);
    EXPECT_EQ(engine.registry_stats().regions, 0U) << "what had been mapped is given back";
    write_module(folder.path(), "E");
    EXPECT_TRUE(open());
}

// It would wait for itself.
TEST_F(NativeEngineTest, SinkMayImportOtherSetsButNotItsOwn) {
    NativeEngine engine(options());
    std::vector<std::optional<ErrorCode>> answers;
    const auto open = [&](const ImportSet& imports) {
        const auto opened = guarded("test", [&] { return engine.open(imports, {}); });
        answers.push_back(opened ? std::nullopt : std::optional(opened.error().code()));
    };
    const auto session = engine.open({"A"}, {.progress = [&](const Progress&) {
                                         if (answers.empty()) {
                                             open({"A"});
                                             open({"B"});
                                         }
                                         return SinkAnswer::proceed;
                                     }});
    EXPECT_TRUE(holds(*session, "a"));
    EXPECT_THAT(answers, testing::ElementsAre(ErrorCode::invalid_argument, std::nullopt));
    EXPECT_TRUE(engine.open({"A"}, {})->import_facts().was_shared);
}

TEST_F(NativeEngineTest, ModelOfLeansLoaderSharesNothing) {
    NativeEngineOptions model = options();
    model.region_policy = RegionPolicy::lean_compatible;
    // What the model maps stays, so these names are this test's own.
    write_module(folder.path(), "EngineModel.A", {}, {"a"});
    NativeEngine engine(model);
    const auto first = engine.open({"EngineModel.A"}, {});
    const auto second = engine.open({"EngineModel.A"}, {});
    EXPECT_FALSE(second->import_facts().was_shared);
    EXPECT_NE(first->loaded(), second->loaded());
    EXPECT_EQ(second->import_facts().relocated_bytes, second->import_facts().region_bytes);
    EXPECT_TRUE(holds(*first, "a"));
    EXPECT_TRUE(holds(*second, "a"));
    EXPECT_EQ(engine.registry_stats().acquired, 0U);
}

TEST_F(NativeEngineTest, HostileSearchPathIsReadOnceIntoSealedMemory) {
    NativeEngineOptions hostile = options();
    hostile.trust = SearchPathTrust::hostile;
    NativeEngine engine(hostile);
    const auto session = engine.open({"A"}, {});
    EXPECT_THAT(mapped_files(folder.path()), IsEmpty());
    // In place, which a search path that is trusted would not survive.
    std::filesystem::resize_file(folder.path() / "B.olean", 0);
    EXPECT_TRUE(holds(*session, "b"));
    EXPECT_FALSE(session->loaded()->is_current(0ms));
}

} // namespace
} // namespace leanhost::engine_native
