#include "host/runtime_fixture.hpp"
#include "support_modules/corpus.hpp"
#include "support_modules/mapped_files.hpp"

#include <leanhost/obj.hpp>
#include <leanhost/session_pool.hpp>

#include <thread>

namespace leanhost {
namespace {

using test::mapped_files;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class ObjTest : public test::RuntimeFixture {
protected:
    Obj object(const Name& name) {
        auto session = runtime().open_session({"A"});
        return *(*session)->find_object(name);
    }
};

TEST_F(ObjTest, SaysWhatTheDeclarationIs) {
    const Obj a = object("a");
    EXPECT_EQ(a.name(), Name("a"));
    EXPECT_EQ(a.kind(), DeclarationKind::axiom);
    EXPECT_EQ(*a.type_text(), "Prop");
}

TEST_F(ObjTest, UnknownNameIsAnError) {
    const auto session = runtime().open_session({"A"});
    ASSERT_TRUE(session);
    const auto object = (*session)->find_object("c");
    ASSERT_FALSE(object);
    EXPECT_EQ(object.error().code(), ErrorCode::not_found);
    EXPECT_THAT(object.error().message(), HasSubstr("'c'"));
    EXPECT_EQ(test::fact<std::string>(object.error(), "declaration"), "c");
}

TEST_F(ObjTest, CopiesBalance) {
    Obj first = object("a");
    EXPECT_EQ(first.use_count(), 1);
    {
        const Obj copy = first;
        Obj moved = std::move(first);
        EXPECT_EQ(copy.use_count(), 2);
        first = copy;
        moved = copy;
        EXPECT_EQ(copy.use_count(), 3);
    }
    EXPECT_EQ(first.use_count(), 1);
}

TEST_F(ObjTest, KeepsItsRegionsAndTheRuntimeAndNothingAfterwards) {
    std::optional<Obj> kept;
    {
        SessionPool pool(runtime(), {.capacity = 1});
        kept = *(*pool.acquire({"A"}))->find_object("a");
        pool.drain();
    }
    EXPECT_FALSE(is_free());
    EXPECT_THAT(mapped_files(folder.path()), Not(IsEmpty()));
    EXPECT_EQ(*kept->type_text(), "Prop");
    kept.reset();
    EXPECT_TRUE(is_free());
    EXPECT_THAT(mapped_files(folder.path()), IsEmpty());
}

TEST_F(ObjTest, KeepsTheOldEnvironmentWhenFilesAreReplaced) {
    const Obj old = object("b");
    test::ModuleMaker changed("B");
    changed.add_axiom("b", changed.constant("Other"));
    std::move(changed).write(folder.path());
    EXPECT_EQ(*old.type_text(), "Prop");
}

TEST_F(ObjTest, TypeIsCutWhereAsked) {
    const auto runtime = Runtime::init({.search_path = {test::corpus(test::batteries)}});
    const auto session =
        runtime->open_session(ImportSet({"Batteries.Classes.RatCast"}, Profile::all, true));
    ASSERT_TRUE(session);
    const auto constructor = (*session)->find_object("RatCast.mk");
    ASSERT_TRUE(constructor);
    EXPECT_EQ(constructor->kind(), DeclarationKind::constructor);
    EXPECT_EQ(*constructor->type_text(), "∀ {K : Type u}, (Rat → K) → @RatCast.{u} K");
    EXPECT_EQ(*constructor->type_text(10), "∀ {K : T…");
    EXPECT_EQ(*constructor->type_text(0), "…");
}

TEST_F(ObjTest, CopiesAreUsedAndDroppedOnManyThreads) {
    const Obj shared = object("a");
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([copy = shared] {
                for (int round = 0; round < 100; ++round) {
                    const Obj again = copy;
                    EXPECT_EQ(*again.type_text(), "Prop");
                }
            });
        }
    }
    EXPECT_EQ(shared.use_count(), 1);
}

} // namespace
} // namespace leanhost
