// Several threads check an export while one of them still reads it.
#include "base/failure.hpp"
#include "kernel/export_text.hpp"
#include "support/temp_dir.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <thread>

namespace leanhost::kernel::test {
namespace {

constexpr unsigned job_counts[] = {1, 2, 4};

CheckOptions with_jobs(unsigned jobs) {
    CheckOptions options;
    options.jobs = jobs;
    return options;
}

// def d : Prop := Type, which is none.
void add_wrong_definition(ExportText& text) {
    text.definition("wrong", text.sort(0), text.sort(text.level_succ(0)));
}

// So many that the reader publishes what it has; `first` tells runs of them apart.
void add_axioms(ExportText& text, unsigned first, unsigned count) {
    auto type = text.sort(0);
    for (unsigned i = first; i < first + count; ++i) {
        type = text.pi(text.sort(0), type);
        text.axiom(fmt::format("a{}", i), type);
    }
}

TEST(StreamedCheck, WhatStandsBeforeABrokenLineIsRefusedFirst) {
    for (const unsigned jobs : job_counts) {
        ExportText text;
        add_axioms(text, 0, 100);
        add_wrong_definition(text);
        text.line("{\"broken\"");
        const ExportReport report = text.check(with_jobs(jobs));
        EXPECT_EQ(report.verdict.kind, VerdictKind::rejected) << jobs;
        EXPECT_EQ(report.declaration, "wrong") << jobs;
        EXPECT_EQ(report.num_declarations, 100U) << jobs;
    }
}

TEST(StreamedCheck, ABrokenLineIsAnErrorWhereAllBeforeItIsAccepted) {
    for (const unsigned jobs : job_counts) {
        ExportText text;
        add_axioms(text, 0, 100);
        text.line("{\"broken\"");
        add_wrong_definition(text);
        try {
            text.check(with_jobs(jobs));
            FAIL() << jobs;
        } catch (const Failure& failure) {
            EXPECT_EQ(failure.error().code(), ErrorCode::invalid_input) << jobs;
        }
    }
}

TEST(StreamedCheck, ThreadsGrowTheirViewOfTermsAsTheyAreRead) {
    for (const unsigned jobs : job_counts) {
        ExportText text;
        text.nat_type().eq_type().nat_add(false);
        const auto nat = text.constant("Nat");
        const auto one = text.level_succ(0);
        constexpr unsigned count = 6000; // tables grow, too: they are made for lines, not for names
        for (unsigned i = 0; i < count; ++i) {
            const auto sum =
                text.app(text.constant("Nat.add"), {text.nat(std::to_string(i)), text.nat("1")});
            const auto next = text.nat(std::to_string(i + 1));
            const auto type = text.app(text.constant("Eq", {one}), {nat, sum, next});
            text.theorem(fmt::format("t{}", i), type,
                         text.app(text.constant("Eq.refl", {one}), {nat, next}));
        }
        const ExportReport report = text.check(with_jobs(jobs));
        EXPECT_EQ(report.verdict.kind, VerdictKind::accepted) << report.verdict.message;
        EXPECT_EQ(report.num_declarations, count + 3) << jobs;
    }
}

// The export has no end: it is written until somebody closes the other side.
TEST(StreamedCheck, ChecksBeforeTheFileHasBeenReadToItsEnd) {
    std::signal(SIGPIPE, SIG_IGN); // NOLINT
    for (const unsigned jobs : {2U, 3U}) {
        const leanhost::test::TempDir dir;
        const auto pipe = dir.path() / "export.ndjson";
        ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
        constexpr unsigned most_rounds = 2000;
        unsigned rounds = 0;
        std::thread writer([&] {
            std::ofstream out(pipe);
            ExportText text;
            add_wrong_definition(text);
            std::size_t written = 0;
            for (; out.good() && rounds < most_rounds; ++rounds) {
                add_axioms(text, rounds * 100, 100);
                out << text.text().substr(written) << std::flush;
                written = text.text().size();
            }
        });
        Monitor monitor;
        const ExportReport report = check_export(pipe, with_jobs(jobs), monitor);
        writer.join();
        EXPECT_EQ(report.declaration, "wrong");
        EXPECT_LT(rounds, most_rounds) << "it was read to its end";
    }
}

} // namespace
} // namespace leanhost::kernel::test
