// What imports leave behind in this process, by its anonymous bytes: a program of its own. Real
// modules.
#include "engine_native/native_engine.hpp"
#include "memory/live.hpp"
#include "support/test_data.hpp"

#include <gmock/gmock.h>
#include <sys/prctl.h>

#include <chrono>

namespace leanhost::engine_native {
namespace {

using memory::test::growth;
using memory::test::mebibyte;
using test::test_data;

constexpr const char* library = "olean/4.28.0/batteries";

std::optional<std::uint64_t> anonymous() {
    return sample_this_process().gauge_bytes();
}

NativeEngineOptions options(RegionPolicy policy) {
    NativeEngineOptions result;
    result.search_path = {test_data(library)};
    result.region_policy = policy;
    return result;
}

const ImportSet& everything() {
    static const ImportSet imports({"Batteries"}, Profile::all, true);
    return imports;
}

std::vector<Name> names_in(const Session& session) {
    return *session.list_declarations(0, UINT64_MAX);
}

std::vector<std::string> types_in(const Session& session) {
    const auto rows =
        session.query_declarations(names_in(session), {.universe_params = false, .type = true});
    std::vector<std::string> types;
    for (const auto& row : *rows)
        types.push_back(row->type);
    return types;
}

TEST(NativeMemory, FreshImportsGiveBackWhatTheyTook) {
    LEANHOST_NEEDS_DATA(library);
    LEANHOST_NEEDS_TRUE_SIZES();
    NativeEngine engine(options(RegionPolicy::shared));
    engine.open(everything(), {});
    const auto after_first = anonymous();
    for (int i = 1; i < 192; ++i) {
        EXPECT_FALSE(engine.open(everything(), {})->import_facts().was_shared);
    }
    EXPECT_LT(growth(after_first, anonymous()), static_cast<double>(mebibyte));
    EXPECT_EQ(engine.registry_stats().regions, 0U);
}

TEST(NativeMemory, SecondSessionCostsNextToNothing) {
    LEANHOST_NEEDS_DATA(library);
    LEANHOST_NEEDS_TRUE_SIZES();
    NativeEngine engine(options(RegionPolicy::shared));
    const auto first = engine.open(everything(), {});
    const auto before = anonymous();
    const auto second = engine.open(everything(), {});
    EXPECT_LT(growth(before, anonymous()), 64.0 * 1024);
    EXPECT_TRUE(second->import_facts().was_shared);
}

// Last, since what the model maps and copies stays to the end of the process.
TEST(NativeMemory, ModelKeepsOneCopyOfTheFilesForEachFurtherImport) {
    LEANHOST_NEEDS_DATA(library);
    LEANHOST_NEEDS_TRUE_SIZES();
    // A system may give all memory pages of 2 MiB, which would round each copy up.
    ASSERT_EQ(::prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0), 0);
    NativeEngine shared(options(RegionPolicy::shared));
    const std::vector<std::string> types = types_in(*shared.open(everything(), {}));
    NativeEngine model(options(RegionPolicy::lean_compatible));
    const auto first = model.open(everything(), {});
    EXPECT_EQ(first->import_facts().relocated_bytes, 0U);
    EXPECT_EQ(types_in(*first), types);
    const std::uint64_t file_bytes = first->import_facts().region_bytes;
    static_cast<void>(model.open(everything(), {}));
    const auto before = anonymous();
    constexpr int imports = 8;
    for (int i = 0; i < imports; ++i) {
        const auto session = model.open(everything(), {});
        EXPECT_EQ(session->import_facts().relocated_bytes, file_bytes);
        if (i > 0)
            continue;
        EXPECT_EQ(types_in(*session), types);
    }
    const double growth_per_import = growth(before, anonymous()) / imports;
    EXPECT_NEAR(growth_per_import / static_cast<double>(file_bytes), 1.0, 0.05);
    RecordProperty("growth_per_import_bytes", std::to_string(growth_per_import));
    RecordProperty("file_bytes", std::to_string(file_bytes));
}

} // namespace
} // namespace leanhost::engine_native
