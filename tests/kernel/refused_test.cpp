// Exports that prove what is not so. Each was accepted once; why, its name says.
#include "kernel/export_text.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace leanhost::kernel::test {
namespace {

TEST(Refused, WhatWasOnceAcceptedIsRejectedByOneThreadAndByTwo) {
    int files = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(LEANHOST_SOURCE_DIR "/tests/kernel/refused")) {
        ++files;
        for (const unsigned jobs : {1U, 2U}) {
            Monitor monitor;
            CheckOptions options;
            options.jobs = jobs;
            const ExportReport report = check_export(entry.path(), options, monitor);
            EXPECT_EQ(report.verdict.outcome, Outcome::rejected)
                << entry.path() << ", " << jobs << " jobs";
        }
    }
    EXPECT_EQ(files, 12);
}

} // namespace
} // namespace leanhost::kernel::test
