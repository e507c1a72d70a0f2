#include "cli/memory_report.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <iterator>

namespace leanhost::cli {
namespace {

using nlohmann::ordered_json;

constexpr double mib = 1024.0 * 1024.0;

std::string in_mib(const ordered_json& value) {
    return value.is_number() ? fmt::format("{:.2f}", value.get<double>() / mib) : "unavailable";
}

class Text {
public:
    template <class... Args>
    void line(fmt::format_string<Args...> format, Args&&... args) {
        fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
        text_ += '\n';
    }
    std::string take() && { return std::move(text_); }

private:
    std::string text_;
};

const ordered_json* find_named(const ordered_json& list, const std::string& name) {
    for (const auto& item : list) {
        if (item["name"] == name)
            return &item;
    }
    return nullptr;
}

// Checkpoints of all columns: the native ones in order, then those that only the model has where it
// had them.
std::vector<std::string> checkpoint_names(const ordered_json& columns) {
    std::vector<std::string> names;
    for (const auto& [column, data] : columns.items()) {
        std::size_t at = 0;
        for (const auto& checkpoint : data["checkpoints"]) {
            const std::string name = checkpoint["name"];
            const auto it = std::find(names.begin(), names.end(), name);
            if (it != names.end()) {
                at = static_cast<std::size_t>(it - names.begin()) + 1;
            } else {
                names.insert(names.begin() + static_cast<std::ptrdiff_t>(at++), name);
            }
        }
    }
    return names;
}

std::string sample_cell(const ordered_json& column, const std::string& name, const char* field) {
    const ordered_json* checkpoint = find_named(column["checkpoints"], name);
    return checkpoint == nullptr ? "-" : in_mib((*checkpoint)["sample"][field]);
}

void add_workload(Text& text, const ordered_json& report) {
    const ordered_json& w = report["workload"];
    text.line(
        "{} fresh import/drop rounds, {} pooled acquires (capacity {}), {} introspection calls",
        w["imports"].get<std::uint64_t>(), w["imports"].get<std::uint64_t>(),
        w["pool_capacity"].get<std::uint64_t>(), w["bulk_calls"].get<std::uint64_t>());
    for (const auto& [name, column] : report["columns"].items()) {
        const ordered_json& import = column["import"];
        if (!import.is_object())
            continue;
        text.line("{} modules, {} constants, {} MiB of module files{}",
                  import["modules"].get<std::uint64_t>(), import["constants"].get<std::uint64_t>(),
                  in_mib(import["region_bytes"]),
                  import["missing_modules"] == 0
                      ? ""
                      : fmt::format(" ({} missing modules left out)",
                                    import["missing_modules"].get<std::uint64_t>()));
        break;
    }
}

void add_checkpoints(Text& text, const ordered_json& columns) {
    text.line("");
    text.line("MiB; anonymous (private, with swap) is the gauge: what dropping must give back");
    std::string head = fmt::format("{:<26}", "checkpoint");
    for (const auto& [name, column] : columns.items()) {
        head += fmt::format(" | {:>22} {:>9} {:>9}",
                            column["title"].get<std::string>() + " anonymous", "RSS", "PSS");
    }
    text.line("{}", head);
    for (const std::string& name : checkpoint_names(columns)) {
        std::string row = fmt::format("{:<26}", name);
        for (const auto& [key, column] : columns.items()) {
            row += fmt::format(" | {:>22} {:>9} {:>9}", sample_cell(column, name, "gauge_bytes"),
                               sample_cell(column, name, "rss_bytes"),
                               sample_cell(column, name, "pss_bytes"));
        }
        text.line("{}", row);
    }
    text.line("{:<26} | not available yet (the native engine has no elaborator)", "elaboration");
}

void add_attribution(Text& text, const ordered_json& columns) {
    text.line("");
    text.line("where it sits with an environment held (checkpoint mixed_before_drop), MiB; tracked "
              "is what the "
              "owners' meters say");
    std::string head = fmt::format("{:<26}", "class");
    for (const auto& [name, column] : columns.items()) {
        head += fmt::format(" | {:>22} {:>9} {:>9}",
                            column["title"].get<std::string>() + " anonymous", "RSS", "tracked");
    }
    text.line("{}", head);
    for (const char* name :
         {"mapped_modules", "relocated_copies", "index", "heap", "stacks", "other"}) {
        std::string row = fmt::format("{:<26}", name);
        for (const auto& [key, column] : columns.items()) {
            const ordered_json* checkpoint = find_named(column["checkpoints"], "mixed_before_drop");
            const bool known = checkpoint != nullptr && (*checkpoint)["attribution"].is_object();
            const ordered_json empty;
            const ordered_json& bytes = known ? (*checkpoint)["attribution"][name] : empty;
            const bool tracked = known && (*checkpoint)["tracked_bytes"].contains(name);
            row += fmt::format(" | {:>22} {:>9} {:>9}",
                               known ? in_mib(bytes["anonymous_bytes"]) : "unavailable",
                               known ? in_mib(bytes["rss_bytes"]) : "unavailable",
                               tracked ? in_mib((*checkpoint)["tracked_bytes"][name]) : "-");
        }
        text.line("{}", row);
    }
}

void add_counters(Text& text, const ordered_json& columns) {
    text.line("");
    for (const auto& [name, column] : columns.items()) {
        for (const auto& phase : column["phases"]) {
            const ordered_json& pool = phase["pool"];
            text.line("{:<7} {:<18} imports={} reused={} acquired={} released_to_pool={} "
                      "released_dropped={} "
                      "drains={} drained={}",
                      name, phase["name"].get<std::string>(), pool["imports"].dump(),
                      pool["reused"].dump(), pool["acquired"].dump(),
                      pool["released_to_pool"].dump(), pool["released_dropped"].dump(),
                      pool["drains"].dump(), pool["drained"].dump());
        }
    }
}

void add_times(Text& text, const ordered_json& columns) {
    text.line("");
    for (const auto& [name, column] : columns.items()) {
        const ordered_json* fresh = find_named(column["phases"], "fresh_import_drop");
        const ordered_json* pooled = find_named(column["phases"], "bounded_pool");
        const ordered_json* bulk = find_named(column["phases"], "introspection");
        if (fresh == nullptr || pooled == nullptr || bulk == nullptr)
            continue;
        text.line("{:<7} first import {:.1f} ms, later ones {:.1f} ms; pooled acquire {:.2f} µs; "
                  "introspection call of {} names with types {:.1f} µs",
                  name, (*fresh)["facts"]["first_ms"].get<double>(),
                  (*fresh)["facts"]["mean_later_ms"].get<double>(),
                  (*pooled)["facts"]["us_per_acquire"].get<double>(),
                  (*bulk)["facts"]["names_per_call"].get<std::uint64_t>(),
                  (*bulk)["facts"]["us_per_call"].get<double>());
        if (const ordered_json* kernel = find_named(column["phases"], "kernel")) {
            text.line("{:<7} kernel_check of one declaration after another {:.1f} µs ({} of {} "
                      "accepted), whnf of its value {:.1f} µs",
                      name, (*kernel)["facts"]["us_per_check"].get<double>(),
                      (*kernel)["facts"]["accepted"].get<std::uint64_t>(),
                      (*kernel)["facts"]["calls"].get<std::uint64_t>(),
                      (*kernel)["facts"]["us_per_whnf"].get<double>());
        }
    }
}

void add_findings(Text& text, const std::vector<Finding>& findings) {
    text.line("");
    text.line("findings");
    for (const Finding& finding : findings) {
        const char* mark = finding.bound.empty()           ? "    "
                           : finding.holds.value_or(false) ? " ok "
                                                           : "FAIL";
        text.line("  [{}] {}{}", mark, finding.text,
                  finding.bound.empty() ? "" : fmt::format(" (bound: {})", finding.bound));
    }
}

} // namespace

std::string memory_report_text(const ordered_json& report, const std::vector<Finding>& findings) {
    Text text;
    const ordered_json& columns = report["columns"];
    add_workload(text, report);
    add_checkpoints(text, columns);
    add_attribution(text, columns);
    add_counters(text, columns);
    add_times(text, columns);
    add_findings(text, findings);
    return std::move(text).take();
}

} // namespace leanhost::cli
