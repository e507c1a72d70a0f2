#include "cli/memory_json.hpp"

#include <nlohmann/json.hpp>

#include <iterator>

namespace leanhost::cli {

using nlohmann::ordered_json;

ordered_json optional_json(std::optional<std::uint64_t> value) {
    return value ? ordered_json(*value) : ordered_json();
}

ordered_json to_json(const MemorySample& sample) {
    return {{"gauge_bytes", optional_json(sample.gauge_bytes())},
            {"anonymous_bytes", optional_json(sample.anonymous_bytes)},
            {"swap_bytes", optional_json(sample.swap_bytes)},
            {"rss_bytes", optional_json(sample.rss_bytes)},
            {"pss_bytes", optional_json(sample.pss_bytes)},
            {"uss_bytes", optional_json(sample.uss_bytes)},
            {"private_dirty_bytes", optional_json(sample.private_dirty_bytes)}};
}

ordered_json to_json(const std::optional<MemoryAttribution>& attribution) {
    if (!attribution)
        return nullptr;
    ordered_json json;
    for (std::size_t i = 0; i < mapping_class_count; ++i) {
        const MappingClassBytes& bytes = attribution->classes[i];
        json[mapping_class_name(static_cast<MappingClass>(i))] = {
            {"anonymous_bytes", bytes.gauge_bytes()},
            {"rss_bytes", bytes.rss_bytes},
            {"pss_bytes", bytes.pss_bytes},
            {"mapped_bytes", bytes.mapped_bytes}};
    }
    return json;
}

ordered_json to_json(const PoolStats& stats) {
    return {{"imports", stats.imports},
            {"imports_shared", stats.imports_shared},
            {"reused", stats.reused},
            {"acquired", stats.acquired},
            {"released_to_pool", stats.released_to_pool},
            {"released_dropped", stats.released_dropped},
            {"evicted", stats.evicted},
            {"drains", stats.drains},
            {"drained", stats.drained},
            {"stale", stats.stale},
            {"refused", stats.refused},
            {"miss_empty_pool", stats.miss_empty_pool},
            {"miss_reuse_disabled", stats.miss_reuse_disabled},
            {"miss_no_matching_key", stats.miss_no_matching_key},
            {"miss_files_changed", stats.miss_files_changed},
            {"last_miss", pool_miss_name(stats.last_miss)}};
}

ordered_json to_json(const ImportFacts& facts) {
    return {{"modules", facts.modules},           {"constants", facts.constants},
            {"region_bytes", facts.region_bytes}, {"relocated_bytes", facts.relocated_bytes},
            {"index_bytes", facts.index_bytes},   {"missing_modules", facts.missing_modules.size()},
            {"was_shared", facts.was_shared}};
}

ordered_json to_json(const RegionFacts& facts) {
    return {{"regions", facts.regions},
            {"mapped_bytes", facts.mapped_bytes},
            {"relocated_bytes", facts.relocated_bytes},
            {"sealed_bytes", facts.sealed_bytes},
            {"validated_bytes", facts.validated_bytes}};
}

ordered_json to_json(const LeanhostRegionsStats& stats) {
    constexpr const char* refusals[LEANHOST_REGIONS_REFUSALS] = {
        "not_a_module", "address_taken", "other_file", "other_length", "altered",
        "unverified",   "no_memory",     "not_moved",  "writable"};
    ordered_json refused;
    for (std::size_t i = 0; i < std::size(refusals); ++i)
        refused[refusals[i]] = stats.refused[i];
    return {{"maps", stats.maps},
            {"mapped_bytes", stats.mapped_bytes},
            {"shares", stats.shares},
            {"shared_bytes", stats.shared_bytes},
            {"releases", stats.releases},
            {"unmaps", stats.unmaps},
            {"live_regions", stats.live_regions},
            {"live_bytes", stats.live_bytes},
            {"live_shared_bytes", stats.live_shared_bytes},
            {"table_bytes", stats.table_bytes},
            {"refused", std::move(refused)}};
}

} // namespace leanhost::cli
