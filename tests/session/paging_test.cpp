#include "session/session_fixture.hpp"
#include "support/temp_dir.hpp"
#include "support_modules/module_maker.hpp"

namespace leanhost {
namespace {

using test::open_session;
using testing::ElementsAre;
using testing::IsEmpty;

class Paging : public testing::Test {
protected:
    Paging() {
        test::write_module(folder.path(), "A", {"B", "Empty"}, {"a1", "a2", "a3"});
        test::write_module(folder.path(), "B", {}, {"b1", "b2"});
        test::write_module(folder.path(), "Empty");
        test::write_module(folder.path(), "C", {}, {"c1"});
        session = open_session(folder.path(), {"A", "C"});
    }
    std::vector<std::string> page(std::uint64_t offset, std::uint64_t limit) const {
        std::vector<std::string> texts;
        const auto names = session->list_declarations(offset, limit);
        for (const Name& name : *names)
            texts.push_back(name.to_string());
        return texts;
    }
    test::TempDir folder;
    test::SessionHandle session;
};

TEST_F(Paging, NamesComeInImportOrder) {
    EXPECT_THAT(page(0, 100), ElementsAre("b1", "b2", "a1", "a2", "a3", "c1"));
}

TEST_F(Paging, PagesOfAnySizeCoverEverythingOnce) {
    const std::vector<std::string> all = page(0, UINT64_MAX);
    for (std::uint64_t size = 1; size <= all.size() + 1; ++size) {
        std::vector<std::string> together;
        for (std::uint64_t offset = 0; offset < all.size(); offset += size) {
            const auto part = page(offset, size);
            EXPECT_EQ(part.size(), std::min<std::uint64_t>(size, all.size() - offset));
            together.insert(together.end(), part.begin(), part.end());
        }
        EXPECT_EQ(together, all) << "pages of " << size;
    }
}

TEST_F(Paging, NothingIsAnAnswer) {
    EXPECT_THAT(page(0, 0), IsEmpty());
    EXPECT_THAT(page(2, 0), IsEmpty());
    EXPECT_THAT(page(6, 10), IsEmpty());
    EXPECT_THAT(page(UINT64_MAX, UINT64_MAX), IsEmpty());
}

TEST_F(Paging, TheoremOfTwoModulesIsListedWithEach) {
    for (const char* module : {"T1", "T2"}) {
        test::ModuleMaker maker(module);
        maker.add_theorem("shared", maker.constant("True"), maker.constant("trivial"));
        std::move(maker).write(folder.path());
    }
    session = open_session(folder.path(), {"T1", "T2"});
    EXPECT_THAT(page(0, 10), ElementsAre("shared", "shared"));
    EXPECT_EQ(session->import_facts().constants, 1U);
}

} // namespace
} // namespace leanhost
