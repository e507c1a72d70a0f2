#include "base/guard.hpp"
#include "cli/command.hpp"
#include "cli/memory_json.hpp"
#include "cli/system_memory.hpp"
#include "module/olean_versions.hpp"
#include "worker/parent/memory_cgroup.hpp"
#include "worker/parent/spawn.hpp"

#include <leanhost/memory_sample.hpp>
#include <leanhost/version.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <unistd.h>

#include <memory>
#include <thread>

namespace leanhost::cli {
namespace {

using nlohmann::ordered_json;

// A closure of real size maps one file a part: Mathlib's is about 24,000 files.
constexpr std::uint64_t mappings_wanted = 100'000;

// One thing that was looked at. A value that cannot be had is null; `advice` says what to do about
// it.
ordered_json finding(const char* name, ordered_json value, std::string advice = "") {
    return {{"name", name}, {"value", std::move(value)}, {"advice", std::move(advice)}};
}

ordered_json resource_limit(int resource) {
    struct rlimit limit;
    if (::getrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0)
        return nullptr;
    if (limit.rlim_cur == RLIM_INFINITY)
        return "unlimited";
    return static_cast<std::uint64_t>(limit.rlim_cur);
}

ordered_json engine_findings() {
    std::string versions;
    for (const auto& version : module::olean_versions()) {
        versions += fmt::format("{}{} ({} to {})", versions.empty() ? "" : ", ", version.id,
                                version.first_release, version.last_release);
    }
    return {finding("engine_native", "available"),
            finding("engine_lean", "not part of this version"),
            finding("olean_versions", versions)};
}

ordered_json gauge_findings() {
    const MemorySample sample = sample_this_process();
    const auto advice = [](const auto& value, const char* text) {
        return value ? std::string() : std::string(text);
    };
    ordered_json findings;
    findings.push_back(finding("gauge_anonymous",
                               sample.gauge_bytes() ? "available" : "unavailable",
                               advice(sample.gauge_bytes(), "/proc/self/status must be readable")));
    findings.push_back(
        finding("gauge_pss", sample.pss_bytes ? "available" : "unavailable",
                advice(sample.pss_bytes, "/proc/self/smaps_rollup must be readable (Linux 4.14)")));
    const auto attribution = attribute_this_process();
    findings.push_back(finding("gauge_attribution", attribution ? "available" : "unavailable",
                               advice(attribution, "/proc/self/smaps must be readable")));
    return findings;
}

ordered_json worker_findings() {
    const auto program = guarded("doctor", [] { return worker::find_worker_executable(); });
    ordered_json findings;
    findings.push_back(finding("worker_program", program ? program->string() : "not found",
                               program ? "" : program.error().message()));
    const auto confinement = guarded("doctor", [] { return worker::probe_confinement(); });
    const bool is_weak = !confinement || *confinement == Confinement::none;
    findings.push_back(finding(
        "worker_confinement", confinement ? ordered_json(confinement_name(*confinement)) : nullptr,
        is_weak ? "what a worker starts may outlive it: allow user namespaces "
                  "(sysctl user.max_user_namespaces) or seccomp"
                : ""));
    const CgroupStatus cgroup = worker::probe_memory_cgroup();
    findings.push_back(finding(
        "worker_cgroup", cgroup.holds ? "available" : "unavailable",
        cgroup.holds ? "" : "no limit of the kernel can be put around workers: " + cgroup.why_not));
    return findings;
}

ordered_json limit_findings() {
    const auto mappings = number_in_file("/proc/sys/vm/max_map_count");
    const bool too_few = mappings && *mappings < mappings_wanted;
    return {finding("cores", std::thread::hardware_concurrency()),
            finding("page_bytes", ::sysconf(_SC_PAGESIZE)),
            finding("memory_available_bytes", optional_json(available_memory_bytes())),
            finding("vm_max_map_count", optional_json(mappings),
                    too_few ? fmt::format(
                                  "a closure maps each file once: above {} files, raise it with "
                                  "'sysctl vm.max_map_count={}'",
                                  *mappings, mappings_wanted)
                            : ""),
            finding("vm_overcommit_memory",
                    optional_json(number_in_file("/proc/sys/vm/overcommit_memory"))),
            finding("limit_data_bytes", resource_limit(RLIMIT_DATA)),
            finding("limit_address_space_bytes", resource_limit(RLIMIT_AS),
                    resource_limit(RLIMIT_AS) == "unlimited"
                        ? ""
                        : "it counts mapped modules, which cost nothing: prefer RLIMIT_DATA"),
            finding("limit_open_files", resource_limit(RLIMIT_NOFILE))};
}

void print_findings(std::string_view title, const ordered_json& findings) {
    fmt::print("{}\n", title);
    for (const auto& f : findings) {
        const ordered_json& value = f["value"];
        fmt::print("  {:<26} {}\n", f["name"].get<std::string>(),
                   value.is_null()     ? "unavailable"
                   : value.is_string() ? value.get<std::string>()
                                       : value.dump());
        if (f["advice"] != "")
            fmt::print("  {:<26} ↳ {}\n", "", f["advice"].get<std::string>());
    }
}

int run(bool as_json) {
    const ordered_json report{{"schema", "leanhost.doctor/1"}, {"version", version},
                              {"engines", engine_findings()},  {"workers", worker_findings()},
                              {"gauges", gauge_findings()},    {"limits", limit_findings()}};
    if (as_json) {
        fmt::print("{}\n", report.dump(2));
        return 0;
    }
    fmt::print("leanhost {}\n", version);
    for (const char* group : {"engines", "workers", "gauges", "limits"})
        print_findings(group, report[group]);
    return 0;
}

} // namespace

void add_doctor_command(CLI::App& app, CommandBody& chosen) {
    auto as_json = std::make_shared<bool>(false);
    CLI::App* command =
        app.add_subcommand("doctor", "What was found on this machine: engines, gauges, limits");
    command->add_flag("--json", *as_json, "Print JSON");
    command->footer("Example:\n  leanhost doctor --json");
    command->callback([as_json, &chosen] {
        chosen = [as_json] { return guarded("doctor", [&] { return run(*as_json); }); };
    });
}

} // namespace leanhost::cli
