#include "kernel/module_library.hpp"
#include "module/fixture/fixture_library.hpp"

#include <gtest/gtest.h>

namespace leanhost::kernel::test {
namespace {

using leanhost::test::TempDir;

// The library that every measurement is made with is what it says: well typed throughout, and work
// for a checker.
TEST(DefaultFixture, IsAcceptedWholeWithAMillionReductions) {
    const TempDir folder;
    module::fixture::FixtureOptions options;
    options.directory = folder.path();
    ASSERT_TRUE(module::fixture::write_fixture(options));
    CheckOptions check;
    check.jobs = 2;
    const ModulesReport report = ModuleLibrary(folder.path()).check(check);
    EXPECT_EQ(report.kind, VerdictKind::accepted);
    EXPECT_EQ(report.num_modules, 256U);
    std::uint64_t constants = 0;
    for (const std::uint64_t count : report.constants)
        constants += count;
    EXPECT_EQ(constants, 20'000U);
    EXPECT_EQ(report.num_not_checked, 0U);
    EXPECT_GE(report.reductions, 1'000'000U);
}

} // namespace
} // namespace leanhost::kernel::test
