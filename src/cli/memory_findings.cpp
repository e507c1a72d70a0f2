#include "cli/memory_findings.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace leanhost::cli {
namespace {

using nlohmann::ordered_json;

constexpr double mib = 1024.0 * 1024.0;
constexpr double max_fresh_growth_bytes = mib;
constexpr double max_second_session_bytes = 64.0 * 1024.0;
constexpr double max_second_session_share = 0.01;
constexpr double max_second_session_us_per_module = 5.0;
constexpr double max_flat_growth_bytes = mib;

// One column's events, looked up by name.
class Column {
public:
    explicit Column(const ordered_json& json) : json_(json) {}

    std::optional<double> gauge_at(std::string_view checkpoint) const {
        for (const auto& c : json_["checkpoints"]) {
            if (c["name"] == checkpoint)
                return bytes(c["sample"]["gauge_bytes"]);
        }
        return std::nullopt;
    }
    std::optional<double> gauge_after_rounds(std::uint64_t rounds) const {
        return gauge_at("fresh_import_drop_" + std::to_string(rounds));
    }
    // The phase's facts, or null when it did not come to an end.
    ordered_json phase(std::string_view name) const { return phase_part(name, "facts"); }
    // Its pool's counters.
    ordered_json pool(std::string_view name) const { return phase_part(name, "pool"); }
    // Files of regions still mapped or copied at a checkpoint.
    std::optional<double> region_bytes_at(std::string_view checkpoint) const {
        for (const auto& c : json_["checkpoints"]) {
            if (c["name"] != checkpoint)
                continue;
            return c["regions"]["mapped_bytes"].get<double>() +
                   c["regions"]["relocated_bytes"].get<double>();
        }
        return std::nullopt;
    }
    const ordered_json& import() const { return json_["import"]; }
    const ordered_json& second_session() const { return json_["second_session"]; }
    const ordered_json& sharing() const { return json_["region_sharing"]; }

    std::optional<double> growth(std::string_view from, std::string_view to) const {
        const auto a = gauge_at(from);
        const auto b = gauge_at(to);
        if (!a || !b)
            return std::nullopt;
        return *b - *a;
    }
    // Growth over all fresh imports after the first.
    std::optional<double> fresh_growth() const {
        const ordered_json facts = phase("fresh_import_drop");
        if (facts.is_null())
            return std::nullopt;
        const auto first = gauge_after_rounds(1);
        const auto last = gauge_after_rounds(facts["rounds"]);
        if (!first || !last)
            return std::nullopt;
        return *last - *first;
    }
    std::uint64_t fresh_rounds() const {
        const ordered_json facts = phase("fresh_import_drop");
        return facts.is_null() ? 0 : facts["rounds"].get<std::uint64_t>();
    }

    static std::optional<double> bytes(const ordered_json& value) {
        if (!value.is_number())
            return std::nullopt;
        return value.get<double>();
    }

private:
    ordered_json phase_part(std::string_view name, const char* part) const {
        for (const auto& p : json_["phases"]) {
            if (p["name"] == name)
                return p[part];
        }
        return nullptr;
    }
    const ordered_json& json_;
};

std::string in_mib(double bytes) {
    return fmt::format("{:.2f} MiB", bytes / mib);
}

Finding unknown(std::string name, std::string what) {
    return {std::move(name), std::move(what) + ": not available in this run", "must be known",
            std::nullopt};
}

Finding native_fresh(const Column& native) {
    const auto growth = native.fresh_growth();
    if (!growth)
        return unknown("native_fresh_imports", "native: growth over fresh imports");
    const std::uint64_t rounds = native.fresh_rounds();
    // Were an import shared with one before it, something was kept, and nothing would have been
    // measured.
    const bool all_fresh = native.pool("fresh_import_drop")["imports_shared"] == 0 && rounds > 1;
    return {
        "native_fresh_imports",
        fmt::format(
            "native: {} fresh imports, each dropped, moved anonymous bytes by {} from what they "
            "were after the first ({:.1f} KiB an import)",
            rounds, in_mib(*growth),
            *growth / 1024.0 / static_cast<double>(std::max<std::uint64_t>(1, rounds - 1))),
        "every one fresh, at most 1 MiB either way",
        all_fresh && std::abs(*growth) <= max_fresh_growth_bytes};
}

Finding native_second_session(const Column& native) {
    const ordered_json& second = native.second_session();
    const ordered_json fresh = native.phase("fresh_import_drop");
    const auto bytes =
        second.is_object() ? Column::bytes(second["anonymous_bytes"]) : std::optional<double>();
    if (!bytes || fresh.is_null() || !native.import().is_object()) {
        return unknown("native_second_session", "native: a second session over a loaded closure");
    }
    const double us = second["median_us"].get<double>();
    const double share = us / 1000.0 / fresh["first_ms"].get<double>();
    const double per_module = us / std::max(1.0, native.import()["modules"].get<double>());
    return {"native_second_session",
            fmt::format(
                "native: a second session over the loaded closure took {:.0f} µs ({:.3f} % of the "
                "first import, {:.3f} µs a module) and {:.1f} KiB",
                us, share * 100, per_module, *bytes / 1024.0),
            "under 1 % of the first import, 5 µs a module and 64 KiB",
            share < max_second_session_share && per_module < max_second_session_us_per_module &&
                *bytes < max_second_session_bytes};
}

// `did_the_work` keeps an empty phase from passing for a flat one.
Finding native_flat(const Column& native,
                    std::string name,
                    std::string_view what,
                    std::string_view from,
                    std::string_view to,
                    bool did_the_work) {
    const auto growth = native.growth(from, to);
    if (!growth || !did_the_work)
        return unknown(std::move(name), fmt::format("native: {}", what));
    return {std::move(name),
            fmt::format("native: {} moved anonymous bytes by {}", what, in_mib(*growth)),
            "at most 1 MiB", *growth <= max_flat_growth_bytes};
}

bool all_reused(const Column& native) {
    const ordered_json pool = native.pool("bounded_pool");
    const ordered_json facts = native.phase("bounded_pool");
    return pool.is_object() && pool["reused"] == facts["rounds"] && facts["rounds"] > 0;
}

bool all_found(const Column& native) {
    const ordered_json facts = native.phase("introspection");
    if (!facts.is_object())
        return false;
    const auto wanted =
        facts["calls"].get<std::uint64_t>() * facts["names_per_call"].get<std::uint64_t>();
    return wanted > 0 && facts["rows_found"] == wanted;
}

// Where modules are missing the kernel may decline all; that it was asked is what counts then.
bool any_accepted(const Column& native) {
    const ordered_json facts = native.phase("kernel");
    if (!facts.is_object() || !native.import().is_object())
        return false;
    return native.import()["missing_modules"] != 0 || (facts["accepted"].get<std::uint64_t>() > 0 &&
                                                       facts["reduced"].get<std::uint64_t>() > 0);
}

Finding native_drop(const Column& native) {
    const auto held = native.gauge_at("mixed_before_drop");
    const auto first = native.gauge_after_rounds(1);
    const auto steady = native.gauge_at("steady_state");
    const auto regions = native.region_bytes_at("after_drops");
    if (!held || !first || !steady || !regions) {
        return unknown("native_drop", "native: what the last drop gave back");
    }
    return {
        "native_drop",
        fmt::format("native: dropping everything gave back {} and left {} over the state after the "
                    "first import, and {} of regions",
                    in_mib(*held - *steady), in_mib(*steady - *first), in_mib(*regions)),
        "at most 1 MiB left, and no region",
        *steady - *first <= max_flat_growth_bytes && *regions == 0};
}

Finding model_fresh(const Column& model) {
    const auto growth = model.fresh_growth();
    const std::uint64_t rounds = model.fresh_rounds();
    if (!growth || rounds < 2 || !model.import().is_object()) {
        return {"model_fresh_imports",
                "model of Lean's loader: too few imports to tell its growth",
                "",
                {}};
    }
    const double each = *growth / static_cast<double>(rounds - 1);
    const double files = model.import()["region_bytes"].get<double>();
    const ordered_json facts = model.phase("fresh_import_drop");
    const std::string stopped =
        facts["stopped"].is_null()
            ? ""
            : fmt::format("; stopped after {} of {} imports at {}", rounds,
                          facts["wanted_rounds"].get<std::uint64_t>(),
                          in_mib(model.gauge_after_rounds(rounds).value_or(0)));
    return {
        "model_fresh_imports",
        fmt::format(
            "model of Lean's loader: each fresh import after the first kept {}, {:.3f} times the "
            "{} of files that it imports{}",
            in_mib(each), each / files, in_mib(files), stopped),
        "",
        {}};
}

Finding model_drop(const Column& model) {
    const auto held = model.gauge_at("mixed_before_drop");
    const auto start = model.gauge_at("after_runtime_init");
    const auto steady = model.gauge_at("steady_state");
    if (!held || !start || !steady) {
        return {"model_drop", "model of Lean's loader: what drops gave back is not known", "", {}};
    }
    return {"model_drop",
            fmt::format("model of Lean's loader: dropping everything gave back {} of {}",
                        in_mib(*held - *steady), in_mib(*held - *start)),
            "",
            {}};
}

// The same model, its process under libleanhost_regions: how much of its growth was regions.
Finding shared_fresh(const Column& shared) {
    const auto growth = shared.fresh_growth();
    const std::uint64_t rounds = shared.fresh_rounds();
    if (!growth || rounds < 2 || !shared.sharing().is_object())
        return unknown("shared_fresh_imports", "shared model: growth over fresh imports");
    const ordered_json& sharing = shared.sharing();
    std::uint64_t refused = 0;
    for (const auto& count : sharing["refused"])
        refused += count.get<std::uint64_t>();
    return {"shared_fresh_imports",
            fmt::format("shared model: {} fresh imports moved anonymous bytes by {} from what they "
                        "were after the first; {} mappings shared, {} of copies not made, {} "
                        "mappings not shared",
                        rounds, in_mib(*growth), sharing["shares"].get<std::uint64_t>(),
                        in_mib(sharing["shared_bytes"].get<double>()), refused),
            "at most 1 MiB, none refused", *growth <= max_fresh_growth_bytes && refused == 0};
}

} // namespace

std::vector<Finding> find_memory_findings(const ordered_json& columns) {
    std::vector<Finding> findings;
    if (columns.contains("native")) {
        const Column native(columns["native"]);
        findings.push_back(native_fresh(native));
        findings.push_back(native_second_session(native));
        findings.push_back(native_flat(native, "native_reuse", "reusing pooled sessions",
                                       "bounded_pool_filled", "bounded_pool_reused",
                                       all_reused(native)));
        findings.push_back(native_flat(native, "native_introspection", "bulk introspection",
                                       "introspection_before", "introspection_after",
                                       all_found(native)));
        findings.push_back(native_flat(native, "native_kernel", "kernel_check and whnf calls",
                                       "kernel_before", "kernel_reduced", any_accepted(native)));
        findings.push_back(native_drop(native));
    }
    if (columns.contains("model")) {
        const Column model(columns["model"]);
        findings.push_back(model_fresh(model));
        findings.push_back(model_drop(model));
    }
    if (columns.contains("shared"))
        findings.push_back(shared_fresh(Column(columns["shared"])));
    return findings;
}

bool any_bound_failed(const std::vector<Finding>& findings) {
    return std::any_of(findings.begin(), findings.end(), [](const Finding& f) {
        return !f.bound.empty() && !f.holds.value_or(false);
    });
}

} // namespace leanhost::cli
