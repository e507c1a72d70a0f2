#include "base/failure.hpp"
#include "worker/protocol/check_values.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leanhost::worker {
namespace {

using testing::HasSubstr;

template <class Body>
std::string failure_of(Body&& body) {
    try {
        body();
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.error().code(), ErrorCode::protocol_error);
        return failure.error().message();
    }
    return {};
}

ExportReport sample_export() {
    ExportReport report;
    report.verdict = refusal(VerdictKind::rejected, "bad_block", "why", "value");
    report.declaration = "A.b";
    report.lean_version = "4.29.0";
    report.format_version = "3.1.0";
    report.num_declarations = 1;
    report.constants = {1, 2, 3, 4, 5, 6, 7, 8};
    report.num_unsafe = 2;
    report.axioms = {"propext", "mine"};
    report.unlisted_axioms = {{"mine", 7, {"A.b", "A.c"}}};
    report.heartbeats = 3;
    report.read_bytes = 4;
    report.persistent_bytes = 5;
    report.index_bytes = 6;
    report.peak_scratch_bytes = 7;
    report.reading_bytes = 8;
    report.peak_bytes = 9;
    report.wall_time = std::chrono::microseconds(10);
    return report;
}

TEST(CheckValues, OptionsComeBackAsTheyWere) {
    CheckOptions options;
    options.max_heartbeats = 5;
    options.max_memory_bytes = 6;
    options.jobs = 7;
    EXPECT_FALSE(check_options_from(to_wire(options)).allowed_axioms);
    options.allowed_axioms.emplace(); // none at all: not the same as no policy
    EXPECT_EQ(check_options_from(to_wire(options)).allowed_axioms, options.allowed_axioms);
    options.allowed_axioms = {"propext", "Quot.sound"};
    const CheckOptions back = check_options_from(to_wire(options));
    EXPECT_EQ(back.max_heartbeats, 5U);
    EXPECT_EQ(back.max_memory_bytes, 6U);
    EXPECT_EQ(back.jobs, 7U);
    EXPECT_EQ(back.allowed_axioms, options.allowed_axioms);

    wire::CheckOptions lost = to_wire(options);
    lost.set_has_axiom_policy(false);
    EXPECT_THAT(failure_of([&] { check_options_from(lost); }), HasSubstr("check.allowed_axioms"));
}

TEST(CheckValues, ExportReportComesBackAsItWas) {
    const ExportReport report = sample_export();
    const ExportReport back = export_report_from(to_wire(report));
    EXPECT_EQ(back.verdict.kind, VerdictKind::rejected);
    EXPECT_EQ(back.verdict.where, "value");
    EXPECT_EQ(back.declaration, report.declaration);
    EXPECT_EQ(back.lean_version, report.lean_version);
    EXPECT_EQ(back.format_version, report.format_version);
    EXPECT_EQ(back.num_declarations, report.num_declarations);
    EXPECT_EQ(back.constants, report.constants);
    EXPECT_EQ(back.num_unsafe, report.num_unsafe);
    EXPECT_EQ(back.axioms, report.axioms);
    ASSERT_EQ(back.unlisted_axioms.size(), 1U);
    EXPECT_EQ(back.unlisted_axioms[0].axiom, "mine");
    EXPECT_EQ(back.unlisted_axioms[0].num_declarations, 7U);
    EXPECT_EQ(back.unlisted_axioms[0].declarations, report.unlisted_axioms[0].declarations);
    EXPECT_EQ(back.heartbeats, report.heartbeats);
    EXPECT_EQ(back.read_bytes, report.read_bytes);
    EXPECT_EQ(back.persistent_bytes, report.persistent_bytes);
    EXPECT_EQ(back.index_bytes, report.index_bytes);
    EXPECT_EQ(back.peak_scratch_bytes, report.peak_scratch_bytes);
    EXPECT_EQ(back.reading_bytes, report.reading_bytes);
    EXPECT_EQ(back.peak_bytes, report.peak_bytes);
    EXPECT_EQ(back.wall_time, report.wall_time);
}

TEST(CheckValues, ModulesReportComesBackAsItWas) {
    ModulesReport report;
    report.kind = VerdictKind::rejected;
    report.findings = {{"M", "M.a", refusal(VerdictKind::rejected, "positivity", "why")}};
    report.num_not_accepted = 4;
    report.num_modules = 5;
    report.num_assumed_modules = 6;
    report.num_not_checked = 7;
    report.reductions = 8;
    report.plan_bytes = 9;
    const ModulesReport back = modules_report_from(to_wire(report));
    EXPECT_EQ(back.kind, VerdictKind::rejected);
    ASSERT_EQ(back.findings.size(), 1U);
    EXPECT_EQ(back.findings[0].module, "M");
    EXPECT_EQ(back.findings[0].declaration, "M.a");
    EXPECT_EQ(back.findings[0].verdict.reason, "positivity");
    EXPECT_EQ(back.num_not_accepted, 4U);
    EXPECT_EQ(back.num_modules, 5U);
    EXPECT_EQ(back.num_assumed_modules, 6U);
    EXPECT_EQ(back.num_not_checked, 7U);
    EXPECT_EQ(back.reductions, 8U);
    EXPECT_EQ(back.plan_bytes, 9U);
}

TEST(CheckValues, WhatWasNotSaidIsNoAcceptance) {
    EXPECT_THAT(failure_of([] { export_report_from(wire::ExportReport()); }),
                HasSubstr("verdict.kind"));
    EXPECT_THAT(failure_of([] { modules_report_from(wire::ModulesReport()); }),
                HasSubstr("modules_report.kind"));
    wire::ExportReport without_counts;
    without_counts.mutable_verdict()->set_kind(1);
    EXPECT_THAT(failure_of([&] { export_report_from(without_counts); }),
                HasSubstr("facts.constants"));
}

TEST(CheckValues, AcceptanceThatContradictsItselfIsRefused) {
    ExportReport report = sample_export();
    report.verdict = acceptance();
    EXPECT_THAT(failure_of([&] { export_report_from(to_wire(report)); }),
                HasSubstr("axioms that are not allowed"));

    ModulesReport modules;
    modules.kind = VerdictKind::accepted;
    modules.num_not_accepted = 1;
    EXPECT_THAT(failure_of([&] { modules_report_from(to_wire(modules)); }),
                HasSubstr("num_not_accepted"));
    modules.kind = VerdictKind::declined;
    modules.num_not_accepted = 0;
    EXPECT_THAT(failure_of([&] { modules_report_from(to_wire(modules)); }),
                HasSubstr("num_not_accepted"));
    modules.num_not_accepted = 1;
    modules.findings = {{"M", "M.a", acceptance()}};
    EXPECT_THAT(failure_of([&] { modules_report_from(to_wire(modules)); }),
                HasSubstr("one that was accepted"));
}

} // namespace
} // namespace leanhost::worker
