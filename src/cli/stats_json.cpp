#include "cli/stats_json.hpp"

namespace leanhost::cli {
namespace {

using nlohmann::ordered_json;

ordered_json to_json(const module::StatsValue& value) {
    struct Visitor {
        ordered_json operator()(std::monostate) const { return nullptr; }
        ordered_json operator()(std::uint64_t number) const { return number; }
        ordered_json operator()(const std::string& text) const { return text; }
        ordered_json operator()(const std::vector<std::string>& texts) const { return texts; }
    };
    return std::visit(Visitor{}, value);
}

ordered_json to_json(std::span<const module::StatsColumn> columns,
                     const module::ModuleStats& stats) {
    ordered_json object = ordered_json::object();
    for (const module::StatsColumn& column : columns) {
        object[std::string(column.name)] = to_json(column.value(stats));
    }
    return object;
}

} // namespace

ordered_json to_json(const module::ModuleStats& stats) {
    ordered_json object = to_json(module::stats_columns(), stats);
    object["extra"] = to_json(module::stats_extra_columns(), stats);
    return object;
}

} // namespace leanhost::cli
