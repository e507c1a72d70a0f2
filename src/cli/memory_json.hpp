#pragma once

#include <leanhost/memory_sample.hpp>
#include <leanhost/regions.h>
#include <leanhost/session_pool.hpp>

#include <nlohmann/json_fwd.hpp>

#include <optional>

namespace leanhost::cli {

// The stable field names of samples, counters and facts in every command's JSON. A value that is
// not available is null.
nlohmann::ordered_json optional_json(std::optional<std::uint64_t> value);
nlohmann::ordered_json to_json(const MemorySample& sample);
nlohmann::ordered_json to_json(const std::optional<MemoryAttribution>& attribution);
nlohmann::ordered_json to_json(const PoolStats& stats);
nlohmann::ordered_json to_json(const ImportFacts& facts);
nlohmann::ordered_json to_json(const RegionFacts& facts);
nlohmann::ordered_json to_json(const LeanhostRegionsStats& stats);

} // namespace leanhost::cli
