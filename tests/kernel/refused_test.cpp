// Exports that prove what is not so. Each was accepted once; why, its name says.
#include "kernel/export_text.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

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
            EXPECT_EQ(report.verdict.kind, VerdictKind::rejected)
                << entry.path() << ", " << jobs << " jobs";
        }
    }
    EXPECT_EQ(files, 14);
}

// What an adversary would try, one thing in each: its name says what it asks and what must become
// of it. For most that must be refused there is one beside it, just within what is allowed.
TEST(Refused, EachDoubtIsSettledForItsReason) {
    const std::filesystem::path folder = LEANHOST_SOURCE_DIR "/tests/kernel/doubts";
    std::ifstream outcomes(folder / "outcomes.tsv");
    std::string name;
    std::string expected; // "accepted", or the reason
    std::getline(outcomes, name);
    int count = 0;
    while (outcomes >> name >> expected) {
        ++count;
        EXPECT_EQ(name.starts_with("accepted_"), expected == "accepted") << name;
        for (const unsigned jobs : {1U, 2U}) {
            Monitor monitor;
            CheckOptions options;
            options.jobs = jobs;
            const Verdict verdict =
                check_export(folder / (name + ".ndjson"), options, monitor).verdict;
            const bool is_accepted = verdict.kind == VerdictKind::accepted;
            EXPECT_EQ(is_accepted ? "accepted" : verdict.reason, expected)
                << name << ", " << jobs << " jobs: " << verdict.message;
        }
    }
    EXPECT_EQ(count, 74);
}

} // namespace
} // namespace leanhost::kernel::test
