// What the model keeps is kept to the process's end, so these modules have names, and with them
// base addresses, that no other test uses. Growth is measured in tests/engine_native, in a program
// of its own.
#include "base/guard.hpp"
#include "module/lean_loader_model.hpp"
#include "module/region_registry.hpp"
#include "object/expr_equal.hpp"
#include "object/module_data.hpp"
#include "support/temp_dir.hpp"
#include "support_modules/mapped_files.hpp"
#include "support_modules/module_maker.hpp"

#include <gmock/gmock.h>

namespace leanhost::module {
namespace {

using object::ModuleDataRef;
using test::TempDir;
using testing::HasSubstr;

std::vector<PartFile> open(const std::filesystem::path& path) {
    std::vector<PartFile> parts;
    parts.push_back(open_part(path, PartKind::olean, Trust::stable));
    return parts;
}

bool hold_the_same_terms(const Region& a, const Region& b) {
    const ModuleDataRef in_a(a.root(0));
    const ModuleDataRef in_b(b.root(0));
    if (in_a.constants().size() != in_b.constants().size())
        return false;
    for (std::size_t i = 0; i < in_a.constants().size(); ++i) {
        const bool is_same = in_a.constant(i).name() == in_b.constant(i).name() &&
                             object::is_same_term(in_a.constant(i).type(), in_b.constant(i).type());
        if (!is_same)
            return false;
    }
    return true;
}

class LeanLoaderModelTest : public testing::Test {
protected:
    RegionHandle load(const std::filesystem::path& path) {
        return model.acquire(open(path), Trust::stable);
    }
    TempDir folder;
    LeanLoaderModel model;
};

#ifdef LEANHOST_SANITIZED
#define NEEDS_ITS_BASE_ADDRESS() GTEST_SKIP() << "the sanitizer may hold the base address"
#else
#define NEEDS_ITS_BASE_ADDRESS() static_cast<void>(0)
#endif

TEST_F(LeanLoaderModelTest, FirstLoadIsMappedAndLaterOnesAreRelocated) {
    NEEDS_ITS_BASE_ADDRESS();
    const auto path = test::write_module(folder.path(), "LoaderModel.First", {}, {"a", "b"});
    const std::uint64_t bytes = std::filesystem::file_size(path);
    const RegionHandle first = load(path);
    EXPECT_FALSE(first->is_relocated());
    const RegionHandle second = load(path);
    const RegionHandle third = load(path);
    EXPECT_TRUE(second->is_relocated());
    EXPECT_TRUE(third->is_relocated());
    EXPECT_NE(second->parts()[0].bytes.data(), third->parts()[0].bytes.data());
    const LoaderModelStats stats = model.stats();
    EXPECT_EQ(stats.modules_mapped, 1U);
    EXPECT_EQ(stats.modules_relocated, 2U);
    EXPECT_EQ(stats.mapped_bytes, bytes);
    EXPECT_EQ(stats.relocated_bytes, 2 * bytes);
}

TEST_F(LeanLoaderModelTest, NothingIsEverGivenBack) {
    NEEDS_ITS_BASE_ADDRESS();
    const auto path = test::write_module(folder.path(), "LoaderModel.Kept", {}, {"a"});
    const Region* first = nullptr;
    {
        const RegionHandle handle = load(path);
        first = &*handle;
    }
    EXPECT_EQ(test::mapped_files(folder.path()).size(), 1U);
    EXPECT_EQ(ModuleDataRef(first->root(0)).constant(0).name().to_string(), "a");
    EXPECT_TRUE(load(path)->is_relocated()) << "the place is still taken";
    {
        LeanLoaderModel other;
        EXPECT_TRUE(other.acquire(open(path), Trust::stable)->is_relocated());
    }
    EXPECT_EQ(test::mapped_files(folder.path()).size(), 1U);
}

TEST_F(LeanLoaderModelTest, ContentsAreThoseOfASharedRegion) {
    test::ModuleMaker maker("LoaderModel.Contents");
    auto& terms = maker.terms();
    const auto nat = maker.constant("Nat");
    maker.add_axiom("f", terms.mk_forall({terms.mk_name("n"), nat}, nat));
    maker.add_axiom("s", terms.mk_app(maker.constant("g"), terms.mk_string_lit("text → text")));
    maker.add_axiom("n", terms.mk_nat_lit(UINT64_MAX));
    const auto path = std::move(maker).write(folder.path());
    RegionRegistry registry;
    const RegionHandle mapped = load(path);
    const RegionHandle relocated = load(path);
    const RegionHandle shared = registry.acquire(open(path), Trust::stable);
    EXPECT_TRUE(hold_the_same_terms(*mapped, *shared));
    EXPECT_TRUE(hold_the_same_terms(*relocated, *shared));
}

TEST_F(LeanLoaderModelTest, DamagedModuleIsRefusedAndLeavesNothing) {
    const auto path = test::write_module(folder.path(), "LoaderModel.Damaged", {}, {"a"});
    auto bytes = test::file_bytes(path);
    bytes.resize(bytes.size() - 8);
    test::replace_file(path, bytes);
    for (int i = 0; i < 2; ++i) {
        const auto loaded = guarded("test", [&] { return load(path); });
        ASSERT_FALSE(loaded);
        EXPECT_EQ(loaded.error().code(), ErrorCode::invalid_input);
        EXPECT_THAT(loaded.error().message(), HasSubstr(path.string()));
    }
    EXPECT_TRUE(test::mapped_files(folder.path()).empty());
    EXPECT_EQ(model.stats().modules_mapped + model.stats().modules_relocated, 0U);
}

} // namespace
} // namespace leanhost::module
