#include "worker/protocol/check_values.hpp"

#include "worker/protocol/field_error.hpp"
#include "worker/protocol/kernel_values.hpp"

#include <algorithm>

namespace leanhost::worker {
namespace {

using Texts = google::protobuf::RepeatedPtrField<std::string>;

void add_texts(const std::vector<std::string>& texts, Texts& out) {
    for (const std::string& text : texts)
        *out.Add() = text;
}

std::vector<std::string> texts_from(const Texts& texts) {
    return {texts.begin(), texts.end()};
}

// What both reports have.
template <class Report>
wire::CheckFacts facts_of(const Report& report) {
    wire::CheckFacts facts;
    facts.set_num_declarations(report.num_declarations);
    for (const std::uint64_t count : report.constants)
        facts.add_constants(count);
    add_texts(report.axioms, *facts.mutable_axioms());
    for (const UnlistedAxiom& unlisted : report.unlisted_axioms) {
        wire::UnlistedAxiom& message = *facts.add_unlisted_axioms();
        message.set_axiom(unlisted.axiom);
        message.set_num_declarations(unlisted.num_declarations);
        add_texts(unlisted.declarations, *message.mutable_declarations());
    }
    facts.set_heartbeats(report.heartbeats);
    facts.set_peak_bytes(report.peak_bytes);
    facts.set_wall_time_us(static_cast<std::uint64_t>(report.wall_time.count()));
    return facts;
}

template <class Report>
void read_facts(const wire::CheckFacts& facts, Report& report) {
    report.num_declarations = facts.num_declarations();
    if (facts.constants_size() != static_cast<int>(report.constants.size()))
        bad_field("facts.constants", "not as many counts as there are kinds");
    std::copy(facts.constants().begin(), facts.constants().end(), report.constants.begin());
    report.axioms = texts_from(facts.axioms());
    for (const wire::UnlistedAxiom& message : facts.unlisted_axioms())
        report.unlisted_axioms.push_back(
            {message.axiom(), message.num_declarations(), texts_from(message.declarations())});
    report.heartbeats = facts.heartbeats();
    report.peak_bytes = facts.peak_bytes();
    report.wall_time = std::chrono::microseconds(facts.wall_time_us());
}

} // namespace

wire::CheckOptions to_wire(const CheckOptions& options) {
    wire::CheckOptions message;
    message.set_max_heartbeats(options.max_heartbeats);
    message.set_max_memory_bytes(options.max_memory_bytes);
    message.set_jobs(options.jobs);
    message.set_has_axiom_policy(options.allowed_axioms.has_value());
    if (options.allowed_axioms)
        add_texts(*options.allowed_axioms, *message.mutable_allowed_axioms());
    return message;
}

CheckOptions check_options_from(const wire::CheckOptions& message) {
    CheckOptions options;
    options.max_heartbeats = message.max_heartbeats();
    options.max_memory_bytes = message.max_memory_bytes();
    options.jobs = message.jobs();
    if (message.has_axiom_policy())
        options.allowed_axioms = texts_from(message.allowed_axioms());
    else if (message.allowed_axioms_size() != 0)
        bad_field("check.allowed_axioms", "axioms without a policy");
    return options;
}

wire::ExportReport to_wire(const ExportReport& report) {
    wire::ExportReport message;
    *message.mutable_verdict() = to_wire(report.verdict);
    message.set_declaration(report.declaration);
    message.set_lean_version(report.lean_version);
    message.set_format_version(report.format_version);
    *message.mutable_facts() = facts_of(report);
    message.set_num_unsafe(report.num_unsafe);
    message.set_read_bytes(report.read_bytes);
    message.set_persistent_bytes(report.persistent_bytes);
    message.set_index_bytes(report.index_bytes);
    message.set_peak_scratch_bytes(report.peak_scratch_bytes);
    message.set_reading_bytes(report.reading_bytes);
    return message;
}

ExportReport export_report_from(const wire::ExportReport& message) {
    ExportReport report;
    report.verdict = verdict_from(message.verdict());
    report.declaration = message.declaration();
    report.lean_version = message.lean_version();
    report.format_version = message.format_version();
    read_facts(message.facts(), report);
    if (report.verdict.kind == VerdictKind::accepted && !report.unlisted_axioms.empty())
        bad_field("export_report.verdict", "accepted, with axioms that are not allowed");
    report.num_unsafe = message.num_unsafe();
    report.read_bytes = message.read_bytes();
    report.persistent_bytes = message.persistent_bytes();
    report.index_bytes = message.index_bytes();
    report.peak_scratch_bytes = message.peak_scratch_bytes();
    report.reading_bytes = message.reading_bytes();
    return report;
}

wire::ModulesReport to_wire(const ModulesReport& report) {
    wire::ModulesReport message;
    message.set_kind(1 + static_cast<std::uint32_t>(report.kind));
    for (const ModuleFinding& finding : report.findings) {
        wire::ModuleFinding& row = *message.add_findings();
        row.set_module(finding.module);
        row.set_declaration(finding.declaration);
        *row.mutable_verdict() = to_wire(finding.verdict);
    }
    *message.mutable_facts() = facts_of(report);
    message.set_num_not_accepted(report.num_not_accepted);
    message.set_num_modules(report.num_modules);
    message.set_num_assumed_modules(report.num_assumed_modules);
    message.set_num_not_checked(report.num_not_checked);
    message.set_reductions(report.reductions);
    message.set_plan_bytes(report.plan_bytes);
    return message;
}

ModulesReport modules_report_from(const wire::ModulesReport& message) {
    ModulesReport report;
    report.kind = verdict_kind_from(message.kind(), "modules_report.kind");
    for (const wire::ModuleFinding& row : message.findings()) {
        report.findings.push_back({row.module(), row.declaration(), verdict_from(row.verdict())});
        if (report.findings.back().verdict.kind == VerdictKind::accepted)
            bad_field("modules_report.findings", "one that was accepted");
    }
    read_facts(message.facts(), report);
    report.num_not_accepted = message.num_not_accepted();
    if (report.num_not_accepted < report.findings.size() ||
        (report.kind == VerdictKind::accepted) != (report.num_not_accepted == 0))
        bad_field("modules_report.num_not_accepted", "a number that does not fit the verdict");
    report.num_modules = message.num_modules();
    report.num_assumed_modules = message.num_assumed_modules();
    report.num_not_checked = message.num_not_checked();
    report.reductions = message.reductions();
    report.plan_bytes = message.plan_bytes();
    return report;
}

} // namespace leanhost::worker
