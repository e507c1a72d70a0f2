#include "kernel/check_export.hpp"
#include "support/test_data.hpp"

#include <gtest/gtest.h>

namespace leanhost::kernel::test {
namespace {

using leanhost::test::test_data;

ExportReport check_within(std::uint64_t max_memory_bytes, unsigned jobs) {
    CheckOptions options;
    options.max_memory_bytes = max_memory_bytes;
    options.jobs = jobs;
    Monitor monitor;
    return check_export(test_data("init-prelude.ndjson"), options, monitor);
}

TEST(CheckMemory, PhasesAreReported) {
    LEANHOST_NEEDS_DATA("init-prelude.ndjson");
    for (const unsigned jobs : {1U, 2U}) {
        const ExportReport report = check_within(0, jobs);
        EXPECT_EQ(report.verdict.kind, VerdictKind::accepted);
        EXPECT_GE(report.reading_bytes, report.persistent_bytes);
        EXPECT_GE(report.peak_bytes, report.reading_bytes);
        EXPECT_LE(report.peak_bytes, report.reading_bytes + report.peak_scratch_bytes);
        EXPECT_GT(report.peak_scratch_bytes, 0U);
    }
}

// With less than what is kept when there is plenty, caches go; nothing is declined for them.
TEST(CheckMemory, CachesAreDroppedBeforeAnythingIsDeclined) {
    LEANHOST_NEEDS_DATA("init-prelude.ndjson");
    for (const unsigned jobs : {1U, 2U}) {
        const ExportReport plenty = check_within(0, jobs);
        const std::uint64_t little = plenty.reading_bytes + plenty.peak_scratch_bytes * 2 / 3;
        const ExportReport report = check_within(little, jobs);
        EXPECT_EQ(report.verdict.kind, VerdictKind::accepted)
            << jobs << " jobs: " << report.declaration << ": " << report.verdict.message;
        EXPECT_LE(report.peak_bytes, little + little / 8);
        EXPECT_EQ(report.num_declarations, plenty.num_declarations);
    }
}

TEST(CheckMemory, WhatNeedsMoreIsDeclinedAndNeverRejected) {
    LEANHOST_NEEDS_DATA("init-prelude.ndjson");
    for (const unsigned jobs : {1U, 2U}) {
        for (const std::uint64_t bytes : {1U << 16U, 1U << 19U, 1U << 20U}) {
            const ExportReport report = check_within(bytes, jobs);
            EXPECT_EQ(report.verdict.kind, VerdictKind::declined);
            EXPECT_EQ(report.verdict.reason, "leanhost.resource_exhausted");
            EXPECT_LE(report.peak_bytes, bytes + (std::uint64_t{1} << 18U)) << jobs << " jobs";
        }
    }
}

} // namespace
} // namespace leanhost::kernel::test
