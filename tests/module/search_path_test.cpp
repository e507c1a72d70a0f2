#include "base/guard.hpp"
#include "module/search_path.hpp"
#include "support/temp_dir.hpp"

#include <gmock/gmock.h>

namespace leanhost::module {
namespace {

using test::TempDir;
using testing::HasSubstr;

Name one_component(std::string text) {
    return Name(std::vector<Name::Component>{{std::move(text), 0, false}});
}

Expected<std::optional<std::filesystem::path>> look_up(const SearchPath& path, const Name& module) {
    return guarded("test", [&] { return path.find(module); });
}

TEST(SearchPath, TextIsSplitAtColonsAndEmptyFoldersAreLeftOut) {
    const SearchPath path = SearchPath::from_text(":/a::b/c:");
    EXPECT_THAT(path.roots(), testing::ElementsAre("/a", "b/c"));
    EXPECT_EQ(path.to_string(), "/a:b/c");
    EXPECT_TRUE(SearchPath::from_text("").roots().empty());
}

TEST(SearchPath, ModuleIsAFileBelowTheFirstFolderThatHasIt) {
    const TempDir first;
    const TempDir second;
    second.write("A/B.olean", "");
    const SearchPath path({first.path(), second.path()});
    EXPECT_EQ(path.find("A.B"), second.path() / "A/B.olean");
    first.write("A/B.olean", "");
    EXPECT_EQ(path.find("A.B"), first.path() / "A/B.olean");
    EXPECT_EQ(path.find("A"), std::nullopt);
    EXPECT_EQ(SearchPath().find("A.B"), std::nullopt);
}

TEST(SearchPath, ComponentsMayHoldDotsAndNumbers) {
    const TempDir folder;
    folder.write("A.B/3.olean", "");
    EXPECT_EQ(SearchPath({folder.path()}).find("«A.B».3"), folder.path() / "A.B/3.olean");
}

// Names come from files and users: none may lead out of the search path.
TEST(SearchPath, NamesThatAreNoRelativePathAreRefused) {
    const TempDir folder;
    const SearchPath path({folder.path()});
    for (const char* text : {"..", ".", "", "a/b", "/etc"}) {
        const auto found = look_up(path, one_component(text));
        ASSERT_FALSE(found) << text;
        EXPECT_EQ(found.error().code(), ErrorCode::invalid_argument) << text;
        EXPECT_THAT(found.error().message(), HasSubstr("no module name"));
    }
    for (const Name& name :
         {one_component(std::string("a\0b", 3)), one_component(std::string(256, 'x')),
          one_component(std::string(1 << 20, 'x')), Name("A..B"), Name()}) {
        const auto found = look_up(path, name);
        ASSERT_FALSE(found) << name.to_string().substr(0, 300);
        EXPECT_EQ(found.error().code(), ErrorCode::invalid_argument);
        EXPECT_LE(found.error().message().size(), Error::max_message_bytes);
    }
}

TEST(SearchPath, NameTooLongForAFileIsNotFound) {
    const TempDir folder;
    const SearchPath path({folder.path()});
    // With ".olean" behind it the last component is over the 255 bytes of a file name.
    EXPECT_EQ(path.find(one_component(std::string(255, 'x'))), std::nullopt);
    std::string deep = "A";
    for (int i = 0; i < 5000; ++i)
        deep += ".A";
    EXPECT_EQ(path.find(deep), std::nullopt);
}

// What cannot be looked at is no missing module: saying so would send the user after the wrong
// fault.
TEST(SearchPath, FolderThatCannotBeReadIsAnErrorOfItsOwn) {
    const TempDir folder;
    std::filesystem::create_symlink(folder.path() / "A", folder.path() / "A");
    const auto found = look_up(SearchPath({folder.path()}), "A.B");
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code(), ErrorCode::io);
    EXPECT_THAT(found.error().message(), HasSubstr((folder.path() / "A/B.olean").string()));
}

TEST(SearchPath, FileWhereAFolderShouldBeMeansNotFound) {
    const TempDir folder;
    folder.write("A", "");
    EXPECT_EQ(SearchPath({folder.path()}).find("A.B"), std::nullopt);
}

TEST(SearchPath, FurtherPartsStandBesideThePublicOne) {
    EXPECT_EQ(part_path("x/A.olean", PartKind::olean), "x/A.olean");
    EXPECT_EQ(part_path("x/A.olean", PartKind::server), "x/A.olean.server");
    EXPECT_EQ(part_path("x/A.olean", PartKind::private_part), "x/A.olean.private");
    EXPECT_EQ(part_path("x/A.olean", PartKind::ir), "x/A.ir");
}

} // namespace
} // namespace leanhost::module
