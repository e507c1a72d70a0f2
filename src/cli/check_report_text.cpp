#include "cli/check_report_text.hpp"

#include <leanhost/declaration.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <span>

namespace leanhost::cli {
namespace {

using nlohmann::ordered_json;

// "declaration (reason, at where)" and the message below.
std::string describe(const std::string& declaration, const Verdict& verdict) {
    std::string text = declaration;
    if (!text.empty())
        text += ' ';
    text += "(" + verdict.reason;
    if (!verdict.where.empty())
        text += ", at " + verdict.where;
    return text + ")\n  " + verdict.message;
}

std::string shortened(const std::vector<std::string>& names) {
    constexpr std::size_t most = 8;
    const std::size_t shown = std::min(names.size(), most);
    std::string text = fmt::format("{}", fmt::join(std::span(names).first(shown), ", "));
    if (shown < names.size())
        text += fmt::format(" and {} more (--json names all)", names.size() - shown);
    return text;
}

void add_verdict(ordered_json& json, const Verdict& verdict) {
    json["verdict"] = verdict_kind_name(verdict.kind);
    if (verdict.kind == VerdictKind::accepted)
        return;
    json["reason"] = verdict.reason;
    json["message"] = verdict.message;
    json["where"] = verdict.where;
}

ordered_json constants_json(const CountsByKind& by_kind) {
    ordered_json constants;
    for (std::size_t kind = 0; kind < by_kind.size(); ++kind) {
        const auto name = declaration_kind_name(static_cast<DeclarationKind>(kind));
        constants[std::string(name)] = by_kind[kind];
    }
    return constants;
}

ordered_json unlisted_axioms_json(const std::vector<UnlistedAxiom>& axioms) {
    auto rows = ordered_json::array();
    for (const UnlistedAxiom& unlisted : axioms)
        rows.push_back({{"axiom", unlisted.axiom},
                        {"num_declarations", unlisted.num_declarations},
                        {"declarations", unlisted.declarations}});
    return rows;
}

// Text that is no UTF-8 is replaced.
std::string json_line(const ordered_json& json) {
    return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

double seconds(std::chrono::microseconds time) {
    return std::chrono::duration<double>(time).count();
}

ordered_json to_json(const std::string& file, const ExportReport& report) {
    ordered_json json;
    json["schema"] = "leanhost.check/1";
    json["file"] = file;
    if (report.verdict.kind != VerdictKind::accepted)
        json["declaration"] = report.declaration;
    add_verdict(json, report.verdict);
    json["lean_version"] = report.lean_version;
    json["format_version"] = report.format_version;
    json["declarations"] = report.num_declarations;
    json["constants"] = constants_json(report.constants);
    json["unsafe_or_partial"] = report.num_unsafe;
    json["axioms"] = report.axioms;
    if (!report.unlisted_axioms.empty())
        json["unlisted_axioms"] = unlisted_axioms_json(report.unlisted_axioms);
    json["heartbeats"] = report.heartbeats;
    json["wall_seconds"] = seconds(report.wall_time);
    json["read_bytes"] = report.read_bytes;
    json["peak_bytes"] = report.peak_bytes;
    json["reading_bytes"] = report.reading_bytes;
    json["persistent_bytes"] = report.persistent_bytes;
    json["index_bytes"] = report.index_bytes;
    json["peak_scratch_bytes"] = report.peak_scratch_bytes;
    return json;
}

ordered_json to_json(const std::string& label, const ModulesReport& report) {
    ordered_json json;
    json["schema"] = "leanhost.check_modules/1";
    if (!label.empty())
        json["module"] = label;
    json["verdict"] = verdict_kind_name(report.kind);
    json["findings"] = ordered_json::array();
    for (const ModuleFinding& finding : report.findings) {
        ordered_json one;
        one["module"] = finding.module;
        one["declaration"] = finding.declaration;
        add_verdict(one, finding.verdict);
        json["findings"].push_back(one);
    }
    json["not_accepted"] = report.num_not_accepted;
    json["modules"] = report.num_modules;
    json["modules_taken_as_given"] = report.num_assumed_modules;
    json["declarations"] = report.num_declarations;
    json["constants"] = constants_json(report.constants);
    json["not_checked"] = report.num_not_checked;
    json["axioms"] = report.axioms;
    if (!report.unlisted_axioms.empty())
        json["unlisted_axioms"] = unlisted_axioms_json(report.unlisted_axioms);
    json["heartbeats"] = report.heartbeats;
    json["reductions"] = report.reductions;
    json["wall_seconds"] = seconds(report.wall_time);
    json["peak_bytes"] = report.peak_bytes;
    json["plan_bytes"] = report.plan_bytes;
    return json;
}

std::string text_for_people(const std::string& file, const ExportReport& report) {
    std::string text = fmt::format("{}: {}: {} declarations", file,
                                   verdict_kind_name(report.verdict.kind), report.num_declarations);
    if (report.num_unsafe != 0)
        text += fmt::format(", {} unsafe or partial", report.num_unsafe);
    if (!report.axioms.empty())
        text += fmt::format("; axioms: {}", fmt::join(report.axioms, ", "));
    text += "\n";
    if (report.verdict.kind != VerdictKind::accepted)
        text += fmt::format("  {}\n", describe(report.declaration, report.verdict));
    return text;
}

std::string text_for_people(const std::string& label, const ModulesReport& report) {
    std::string text;
    for (const ModuleFinding& finding : report.findings) {
        text += fmt::format("{}{}{}: {}\n", finding.module, finding.module.empty() ? "" : ": ",
                            verdict_kind_name(finding.verdict.kind),
                            describe(finding.declaration, finding.verdict));
    }
    if (report.num_not_accepted > report.findings.size())
        text += fmt::format("… and {} more\n", report.num_not_accepted - report.findings.size());
    text += fmt::format("{}{}{}: {} declarations in {} module{} accepted", label,
                        label.empty() ? "" : ": ", verdict_kind_name(report.kind),
                        report.num_declarations, report.num_modules,
                        report.num_modules == 1 ? "" : "s");
    if (report.num_not_accepted != 0)
        text += fmt::format(", {} not", report.num_not_accepted);
    text += "\n";
    if (report.num_assumed_modules != 0)
        text += fmt::format("  {} imported modules taken as given (--closure checks them)\n",
                            report.num_assumed_modules);
    if (report.num_not_checked != 0)
        text +=
            fmt::format("  {} unsafe or partial constants not checked\n", report.num_not_checked);
    if (!report.axioms.empty())
        text += fmt::format("  {} axioms: {}\n", report.axioms.size(), shortened(report.axioms));
    return text;
}

} // namespace

std::string report_text(const std::string& file, const ExportReport& report, bool as_json) {
    return as_json ? json_line(to_json(file, report)) : text_for_people(file, report);
}

std::string report_text(const std::string& label, const ModulesReport& report, bool as_json) {
    return as_json ? json_line(to_json(label, report)) : text_for_people(label, report);
}

std::string
axioms_text(const std::string& declaration, const std::vector<std::string>& axioms, bool as_json) {
    if (as_json)
        return json_line({{"schema", "leanhost.check.axioms/1"},
                          {"declaration", declaration},
                          {"axioms", axioms}});
    return axioms.empty() ? declaration + ": no axioms\n"
                          : fmt::format("{}: {}\n", declaration, fmt::join(axioms, ", "));
}

} // namespace leanhost::cli
