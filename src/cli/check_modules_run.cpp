#include "cli/check_modules_run.hpp"

#include "cli/check_words.hpp"
#include "module/region_registry.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace leanhost::cli {
namespace {

using kernel::ModulesReport;
using kernel::Outcome;

std::vector<std::uint32_t> places_of(const CheckedModules& what,
                                     const module::ImportClosure& closure) {
    const auto& modules = closure.modules();
    std::vector<std::uint32_t> places;
    for (std::uint32_t i = 0; i < modules.size(); ++i) {
        if (what.with_closure || std::find(what.modules.begin(), what.modules.end(),
                                           modules[i].name) != what.modules.end())
            places.push_back(i);
    }
    return places;
}

std::string shortened(const std::vector<std::string>& names) {
    constexpr std::size_t most = 8;
    const std::size_t shown = std::min(names.size(), most);
    std::string text = fmt::format("{}", fmt::join(names.begin(), names.begin() + shown, ", "));
    if (shown < names.size())
        text += fmt::format(" and {} more (--json names all)", names.size() - shown);
    return text;
}

} // namespace

ModulesReport
check_modules(const CheckedModules& what, const kernel::CheckOptions& options, Monitor& monitor) {
    module::RegionRegistry registry;
    module::ClosureRequest request;
    request.search_path = module::SearchPath(what.search_path);
    request.imports = ImportSet(what.modules, Profile::all, true);
    request.max_threads = options.jobs;
    const module::ImportClosure closure = module::load_closure(request, registry, monitor);
    const module::ConstantIndex index(closure, options.jobs, monitor);
    return kernel::check_modules(closure, index, places_of(what, closure), options, monitor);
}

void print_modules_report(const ModulesReport& report) {
    for (const kernel::ModuleFinding& finding : report.findings) {
        fmt::print("{}{}{}: {}\n", finding.module, finding.module.empty() ? "" : ": ",
                   outcome_name(finding.verdict.outcome),
                   describe(finding.declaration, finding.verdict));
    }
    if (report.num_not_accepted > report.findings.size())
        fmt::print("… and {} more\n", report.num_not_accepted - report.findings.size());
    fmt::print("{}: {} declarations in {} module{} accepted", outcome_name(report.outcome),
               report.num_declarations, report.num_modules, report.num_modules == 1 ? "" : "s");
    if (report.num_not_accepted != 0)
        fmt::print(", {} not", report.num_not_accepted);
    fmt::print("\n");
    if (report.num_assumed_modules != 0)
        fmt::print("  {} imported modules taken as given (--closure checks them)\n",
                   report.num_assumed_modules);
    if (report.num_not_checked != 0)
        fmt::print("  {} unsafe or partial constants not checked\n", report.num_not_checked);
    if (!report.axioms.empty())
        fmt::print("  {} axioms: {}\n", report.axioms.size(), shortened(report.axioms));
}

void print_modules_report_json(const ModulesReport& report) {
    nlohmann::ordered_json json;
    json["schema"] = "leanhost.check_modules/1";
    json["verdict"] = outcome_name(report.outcome);
    json["findings"] = nlohmann::ordered_json::array();
    for (const kernel::ModuleFinding& finding : report.findings) {
        nlohmann::ordered_json one;
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
    json["peak_bytes"] = report.peak_bytes;
    json["plan_bytes"] = report.plan_bytes;
    fmt::print("{}\n", dump_json_line(json));
}

} // namespace leanhost::cli
