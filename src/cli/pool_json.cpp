#include "cli/pool_json.hpp"

#include "cli/memory_json.hpp"

#include <nlohmann/json.hpp>

namespace leanhost::cli {
namespace {

using nlohmann::ordered_json;

ordered_json counts(const std::map<std::string, std::uint64_t>& values) {
    ordered_json json = ordered_json::object();
    for (const auto& [name, value] : values)
        json[name] = value;
    return json;
}

ordered_json to_json(const WorkerSnapshot& child) {
    return {{"imports", child.imports},
            {"generation", child.generation},
            {"is_leased", child.is_leased},
            {"requests", child.requests},
            {"anonymous_bytes", optional_json(child.anonymous_bytes)},
            {"reserved_bytes", child.reserved_bytes},
            {"age_ms", child.age.count()},
            {"idle_for_ms", child.idle_for.count()}};
}

ordered_json to_json(const CgroupStatus& cgroup) {
    return {{"holds", cgroup.holds},
            {"why_not", cgroup.why_not},
            {"path", cgroup.path},
            {"limit_bytes", cgroup.limit_bytes},
            {"used_bytes", optional_json(cgroup.used_bytes)},
            {"kills", optional_json(cgroup.kills)}};
}

} // namespace

ordered_json to_json(const PoolSnapshot& s) {
    ordered_json json{{"max_workers", s.max_workers},
                      {"workers", s.workers},
                      {"leased", s.leased},
                      {"idle", s.idle},
                      {"templates", s.templates},
                      {"waiting", s.waiting},
                      {"keys", s.keys},
                      {"max_total_bytes", optional_json(s.max_total_bytes)},
                      {"reserved_bytes", s.reserved_bytes},
                      {"anonymous_bytes", s.anonymous_bytes},
                      {"samples_unavailable", s.samples_unavailable},
                      {"acquired", s.acquired},
                      {"acquired_by_source", counts(s.acquired_by_source)},
                      {"refused", s.refused},
                      {"refused_by_rule", counts(s.refused_by_rule)},
                      {"evicted", s.evicted},
                      {"requests", s.requests},
                      {"generations", s.generations},
                      {"generations_forked", s.generations_forked},
                      {"ended_by_reason", counts(s.ended_by_reason)},
                      {"last_exit", s.last_exit},
                      {"confinement", s.confinement ? ordered_json(confinement_name(*s.confinement))
                                                    : ordered_json()},
                      {"cgroup", s.cgroup ? to_json(*s.cgroup) : ordered_json()},
                      {"children", ordered_json::array()}};
    for (const WorkerSnapshot& child : s.children)
        json["children"].push_back(to_json(child));
    return json;
}

} // namespace leanhost::cli
