#pragma once

#include <leanhost/worker_pool.hpp>

#include <nlohmann/json_fwd.hpp>

namespace leanhost::cli {

/// A pool's snapshot as JSON; field names are those of PoolSnapshot and stable.
nlohmann::ordered_json to_json(const PoolSnapshot& snapshot);

} // namespace leanhost::cli
