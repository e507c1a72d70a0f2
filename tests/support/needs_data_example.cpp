// Run by ctest without test data, with a folder that lacks the file, and with one that has it.
#include "support/test_data.hpp"

TEST(NeedsDataExample, NeedsAFile) {
    LEANHOST_NEEDS_DATA("CMakeLists.txt");
    EXPECT_TRUE(std::filesystem::exists(leanhost::test::test_data("CMakeLists.txt")));
}
