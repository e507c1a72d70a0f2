#include "kernel/export_text.hpp"
#include "support/test_data.hpp"

#include <gtest/gtest.h>

#include <algorithm>

// Built and run under the thread sanitizer as well.

namespace leanhost::kernel::test {
namespace {

using leanhost::test::test_data;

ExportReport check_file(const std::filesystem::path& path) {
    Monitor monitor;
    return check_export(path, {}, monitor);
}

std::vector<std::filesystem::path> exports_in(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
}

/// nat_add and many theorems about it, the one at `wrong` with a wrong sum.
ExportText sums(unsigned count, unsigned wrong) {
    ExportText text;
    text.nat_type().eq_type().nat_add(false);
    const auto nat = text.constant("Nat");
    const auto one = text.level_succ(0);
    for (unsigned i = 0; i < count; ++i) {
        const auto sum = text.app(text.constant("Nat.add"),
                                  {text.nat(std::to_string(i)), text.nat("1000000000000")});
        const auto result = text.nat(std::to_string(1000000000000 + i + (i == wrong ? 1 : 0)));
        const auto type = text.app(text.constant("Eq", {one}), {nat, sum, result});
        text.theorem("sum." + std::to_string(i), type,
                     text.app(text.constant("Eq.refl", {one}), {nat, result}));
    }
    return text;
}

TEST(CheckExportThreads, AllDeclarationsAreCheckedOnce) {
    CheckOptions options;
    options.jobs = 4;
    const ExportReport report = sums(500, 500).check(options);
    EXPECT_EQ(report.verdict.kind, VerdictKind::accepted) << report.verdict.message;
    EXPECT_EQ(report.num_declarations, 503U);
}

TEST(CheckExportThreads, TheFirstRefusalIsTold) {
    CheckOptions options;
    options.jobs = 4;
    for (const unsigned wrong : {0U, 3U, 250U, 499U}) {
        const ExportReport report = sums(500, wrong).check(options);
        EXPECT_EQ(report.verdict.reason, "value_type_mismatch");
        EXPECT_EQ(report.declaration, "sum." + std::to_string(wrong));
        EXPECT_EQ(report.num_declarations, 3U + wrong);
    }
}

// Too little for a thread each, enough for one: what is declined is checked again alone.
TEST(CheckExportThreads, MemoryIsSharedAndGivenToOneInTheEnd) {
    LEANHOST_NEEDS_DATA("init-prelude.ndjson");
    const auto file = test_data("init-prelude.ndjson");
    const ExportReport plenty = check_file(file);
    CheckOptions options;
    options.jobs = 4;
    options.max_memory_bytes = plenty.reading_bytes + plenty.peak_scratch_bytes + (1U << 20U);
    options.on_axioms = [](const auto&, const auto&) {};
    Monitor monitor;
    const ExportReport report = check_export(file, options, monitor);
    EXPECT_EQ(report.verdict.kind, VerdictKind::accepted)
        << report.declaration << ": " << report.verdict.message;
}

// The order guard holds, and the first refusal is the one that is told, whoever finds it.
TEST(CheckExportThreads, SeveralSayWhatOneSays) {
    LEANHOST_NEEDS_DATA("arena/bad");
    CheckOptions options;
    options.jobs = 3;
    std::vector<std::filesystem::path> files = exports_in(test_data("arena/bad"));
    for (const auto& file : exports_in(test_data("arena/good")))
        files.push_back(file);
    files.push_back(test_data("init-prelude.ndjson"));
    for (const auto& file : files) {
        Monitor monitor;
        const ExportReport one = check_file(file);
        const ExportReport several = check_export(file, options, monitor);
        EXPECT_EQ(several.verdict.kind, one.verdict.kind) << file;
        EXPECT_EQ(several.verdict.reason, one.verdict.reason) << file;
        EXPECT_EQ(several.declaration, one.declaration) << file;
        EXPECT_EQ(several.num_declarations, one.num_declarations) << file;
        EXPECT_EQ(several.axioms, one.axioms) << file;
    }
}

} // namespace
} // namespace leanhost::kernel::test
