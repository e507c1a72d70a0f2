#include "host/runtime_fixture.hpp"
#include "support_modules/mapped_files.hpp"

#include <leanhost/capabilities.hpp>
#include <leanhost/session_pool.hpp>

#include <cstdlib>

namespace leanhost {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RuntimeTest : public test::RuntimeFixture {};

// Sets an environment variable and puts back what was there.
class ScopedVariable {
public:
    ScopedVariable(const char* name, const char* value) : name_(name) {
        if (const char* const old = std::getenv(name))
            old_ = old;
        ::setenv(name, value, 1);
    }
    ~ScopedVariable() {
        if (old_) {
            ::setenv(name_, old_->c_str(), 1);
        } else {
            ::unsetenv(name_);
        }
    }

private:
    const char* name_;
    std::optional<std::string> old_;
};

TEST_F(RuntimeTest, SameOptionsGiveTheSameRuntime) {
    const Runtime first = runtime();
    const auto second = Runtime::init(first.options());
    ASSERT_TRUE(second);
    EXPECT_EQ(&first.options(), &second->options());
}

TEST_F(RuntimeTest, OtherOptionsConflictWhileOneLives) {
    std::optional<Runtime> first = runtime();
    const auto conflict = Runtime::init({.search_path = {"/other"}});
    ASSERT_FALSE(conflict);
    EXPECT_EQ(conflict.error().code(), ErrorCode::runtime_conflict);
    EXPECT_THAT(conflict.error().message(), HasSubstr("other options"));
    RuntimeOptions slower = first->options();
    slower.max_import_threads = 1;
    EXPECT_FALSE(Runtime::init(slower));
    first.reset();
    EXPECT_TRUE(Runtime::init(slower));
}

// Everything that was made from a runtime keeps it.
TEST_F(RuntimeTest, NewOneOnlyAfterTheLastThingMadeFromItWent) {
    auto session = runtime().open_session({"A"});
    ASSERT_TRUE(session);
    EXPECT_FALSE(is_free());
    auto rows = (*session)->query_declarations(std::vector<Name>{"a"});
    session = Error(ErrorCode::internal, "");
    EXPECT_FALSE(is_free()) << "rows";
    rows = Error(ErrorCode::internal, "");
    EXPECT_TRUE(is_free());

    std::optional<SessionPool> pool(runtime());
    EXPECT_FALSE(is_free()) << "pool";
    pool.reset();
    auto object = (*runtime().open_session({"A"}))->find_object("a");
    ASSERT_TRUE(object);
    EXPECT_FALSE(is_free()) << "object";
    object = Error(ErrorCode::internal, "");
    auto library = Library::open(runtime(), LEANHOST_NOT_A_CAPABILITY);
    ASSERT_TRUE(library);
    EXPECT_FALSE(is_free()) << "library";
    library = Error(ErrorCode::internal, "");
    auto capabilities = Capabilities::load(runtime(), LEANHOST_EXAMPLE_CAPABILITY);
    ASSERT_TRUE(capabilities);
    EXPECT_FALSE(is_free()) << "capabilities";
    capabilities = Error(ErrorCode::internal, "");
    EXPECT_TRUE(is_free());
}

TEST_F(RuntimeTest, LeanEngineIsNotPartOfThisVersion) {
    const auto lean = Runtime::init({.engine = EngineKind::lean});
    ASSERT_FALSE(lean);
    EXPECT_EQ(lean.error().code(), ErrorCode::unsupported);
    EXPECT_THAT(lean.error().message(), HasSubstr("EngineKind::native"));
    EXPECT_TRUE(is_free());
}

TEST_F(RuntimeTest, SearchPathIsThatOfTheEnvironmentUnlessOneIsGiven) {
    const ScopedVariable variable("LEAN_PATH", ("/nowhere:" + folder.path().string()).c_str());
    {
        const auto by_default = Runtime::init();
        ASSERT_TRUE(by_default);
        EXPECT_THAT(by_default->options().search_path, ElementsAre("/nowhere", folder.path()));
        EXPECT_TRUE(by_default->open_session({"A"}));
        EXPECT_TRUE(Runtime::init()) << "the same options, read the same way";
    }
    const auto given = Runtime::init({.search_path = {"/given"}});
    ASSERT_TRUE(given);
    EXPECT_THAT(given->options().search_path, ElementsAre("/given"));
}

TEST_F(RuntimeTest, WithoutAnySearchPathNothingIsFound) {
    const ScopedVariable variable("LEAN_PATH", "");
    const auto runtime = Runtime::init();
    ASSERT_TRUE(runtime);
    EXPECT_THAT(runtime->options().search_path, IsEmpty());
    const auto session = runtime->open_session({"A"});
    ASSERT_FALSE(session);
    EXPECT_EQ(session.error().code(), ErrorCode::missing_module);
}

TEST_F(RuntimeTest, FactsAreZeroAgainWhenTheLastSessionWent) {
    const Runtime runtime = this->runtime();
    {
        const auto session = runtime.open_session({"A"});
        ASSERT_TRUE(session);
        const RegionFacts facts = runtime.region_facts();
        EXPECT_EQ(facts.regions, 2U);
        EXPECT_EQ(facts.mapped_bytes + facts.relocated_bytes,
                  (*session)->import_facts().region_bytes);
        EXPECT_EQ(facts.validated_bytes, (*session)->import_facts().region_bytes);
        EXPECT_EQ(facts.sealed_bytes, 0U);
    }
    const RegionFacts facts = runtime.region_facts();
    EXPECT_EQ(facts.regions, 0U);
    EXPECT_EQ(facts.mapped_bytes, 0U);
    EXPECT_EQ(facts.relocated_bytes, 0U);
    EXPECT_THAT(test::mapped_files(folder.path()), IsEmpty());
}

TEST_F(RuntimeTest, ErrorsOfAnImportAreValues) {
    const Runtime runtime = this->runtime();
    folder.write("Bad.olean", "oleanfile");
    const auto bad = runtime.open_session({"Bad"});
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().code(), ErrorCode::invalid_input);
    EXPECT_THAT(bad.error().message(), HasSubstr("Bad.olean"));
    EXPECT_TRUE(bad.error().still_usable());
    EXPECT_TRUE(runtime.open_session({"A"}));
}

TEST_F(RuntimeTest, ImportIsCancelledByTokenAndBySink) {
    const Runtime runtime = this->runtime();
    CancellationSource source;
    source.cancel();
    const auto by_token = runtime.open_session({"A"}, {.cancellation = source.token()});
    ASSERT_FALSE(by_token);
    EXPECT_EQ(by_token.error().code(), ErrorCode::cancelled);
    const auto by_sink =
        runtime.open_session({"A"}, {.progress = [](const Progress&) { return SinkAnswer::stop; }});
    ASSERT_FALSE(by_sink);
    EXPECT_EQ(by_sink.error().code(), ErrorCode::cancelled);
    EXPECT_EQ(runtime.region_facts().regions, 0U);
    EXPECT_TRUE(runtime.open_session({"A"})) << "a cancelled import can be tried again";
}

} // namespace
} // namespace leanhost
