#include "host/runtime_fixture.hpp"
#include "support_modules/mapped_files.hpp"

#include <leanhost/library.hpp>

namespace leanhost {
namespace {

using test::mapped_files;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class LibraryTest : public test::RuntimeFixture {
protected:
    // A copy that no other test has loaded.
    std::filesystem::path own_copy() const {
        const auto path = folder.path() / "own.so";
        std::filesystem::copy_file(LEANHOST_NOT_A_CAPABILITY, path);
        return path;
    }
};

TEST_F(LibraryTest, SymbolsAreFoundAndCanBeCalled) {
    const auto library = Library::open(runtime(), LEANHOST_NOT_A_CAPABILITY);
    ASSERT_TRUE(library) << library.error().message();
    const auto symbol = library->find_symbol("leanhost_test_answer");
    ASSERT_TRUE(symbol);
    EXPECT_EQ(reinterpret_cast<int (*)()>(*symbol)(), 42);
}

TEST_F(LibraryTest, MissingSymbolIsAnErrorThatNamesIt) {
    const auto library = Library::open(runtime(), LEANHOST_NOT_A_CAPABILITY);
    ASSERT_TRUE(library);
    const auto symbol = library->find_symbol("no_such_symbol");
    ASSERT_FALSE(symbol);
    EXPECT_EQ(symbol.error().code(), ErrorCode::linking);
    EXPECT_THAT(symbol.error().message(), HasSubstr("'no_such_symbol'"));
    EXPECT_THAT(symbol.error().message(), HasSubstr("undefined symbol"));
}

TEST_F(LibraryTest, WhatCannotBeLoadedIsAnErrorWithTheLinkersWords) {
    const auto absent = Library::open(runtime(), folder.path() / "absent.so");
    ASSERT_FALSE(absent);
    EXPECT_EQ(absent.error().code(), ErrorCode::linking);
    EXPECT_THAT(absent.error().message(), HasSubstr("No such file"));
    EXPECT_EQ(test::fact<std::string>(absent.error(), "library"), folder.path() / "absent.so");
    const auto text = folder.write("text.so", "no library");
    const auto no_library = Library::open(runtime(), text);
    ASSERT_FALSE(no_library);
    EXPECT_EQ(no_library.error().code(), ErrorCode::linking);
    EXPECT_FALSE(Library::open(runtime(), ""));
    EXPECT_TRUE(is_free());
}

// dlopen would look for a bare name among the system's libraries.
TEST_F(LibraryTest, BareNameIsAFileOfTheCurrentFolder) {
    const auto library = Library::open(runtime(), "libc.so.6");
    ASSERT_FALSE(library);
    EXPECT_EQ(test::fact<std::string>(library.error(), "library"),
              std::filesystem::current_path() / "libc.so.6");
}

TEST_F(LibraryTest, LastCopyUnloads) {
    const auto path = own_copy();
    std::optional<Library> first = *Library::open(runtime(), path);
    std::optional<Library> copy = first;
    EXPECT_THAT(mapped_files(path), Not(IsEmpty()));
    first.reset();
    EXPECT_TRUE(copy->find_symbol("leanhost_test_answer"));
    copy.reset();
    EXPECT_THAT(mapped_files(path), IsEmpty());
    EXPECT_TRUE(is_free());
}

} // namespace
} // namespace leanhost
