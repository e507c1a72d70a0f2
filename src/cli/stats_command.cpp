#include "base/guard.hpp"
#include "cli/command.hpp"
#include "cli/progress_line.hpp"
#include "cli/stats_json.hpp"
#include "module/region_registry.hpp"
#include "module/search_path.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <memory>

namespace leanhost::cli {
namespace {

using module::PartKind;

struct StatsOptions {
    std::vector<std::filesystem::path> files;
    bool as_json = false;
};

// The parts that must be there for `file` to be read, itself last: a later part points into earlier
// ones.
std::vector<module::PartFile> open_with_earlier_parts(const std::filesystem::path& file) {
    const std::string text = file.string();
    for (const PartKind kind : {PartKind::private_part, PartKind::server}) {
        if (!text.ends_with(part_suffix(kind)))
            continue;
        const std::filesystem::path olean = text.substr(0, text.size() - part_suffix(kind).size()) +
                                            std::string(part_suffix(PartKind::olean));
        std::vector<module::PartFile> parts;
        for (const PartKind earlier : {PartKind::olean, PartKind::server}) {
            if (earlier == kind)
                break;
            const auto path = part_path(olean, earlier);
            if (!module::identity_at(path)) {
                fail(ErrorCode::not_found,
                     fmt::format("{}: its {} part {} is not there, and a later part points into it",
                                 text, part_name(earlier), path.string()),
                     {{"file", text}, {"missing_part", path.string()}});
            }
            parts.push_back(open_part(path, earlier, module::Trust::stable));
        }
        parts.push_back(open_part(file, kind, module::Trust::stable));
        return parts;
    }
    std::vector<module::PartFile> parts;
    parts.push_back(open_part(file, PartKind::olean, module::Trust::stable));
    return parts;
}

bool is_export(const std::filesystem::path& file) {
    const std::string text = file.string();
    return text == "-" || text.ends_with(".ndjson") || text.ends_with(".ndjson.zst") ||
           text.ends_with(".export") || text.ends_with(".txt");
}

nlohmann::ordered_json export_stats_of(const std::filesystem::path& file) {
    namespace lean4export = module::lean4export;
    ProgressLine progress;
    Monitor monitor(progress.sink(file.string()), {});
    lean4export::ExportTable table;
    const lean4export::ReadFacts read = lean4export::read_export(file, table, monitor);
    return to_json(file.string(), lean4export::export_stats_of(table, read));
}

nlohmann::ordered_json stats_of(const std::filesystem::path& file,
                                module::RegionRegistry& registry) {
    if (is_export(file))
        return export_stats_of(file);
    const module::RegionHandle region =
        registry.acquire(open_with_earlier_parts(file), module::Trust::stable);
    return to_json(module::module_stats_of(*region, region->parts().size() - 1));
}

std::string dump(const nlohmann::ordered_json& value) {
    return value.is_string()
               ? value.get<std::string>()
               : value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

void print_for_people(const nlohmann::ordered_json& stats) {
    for (const auto& [name, value] : stats.items()) {
        if (!value.is_object()) {
            fmt::print("{:<18} {}\n", name, dump(value));
            continue;
        }
        for (const auto& [key, extra] : value.items())
            fmt::print("  {:<16} {}\n", key, dump(extra));
    }
    fmt::print("\n");
}

// A file that cannot be read does not keep the others from being counted; the first error is the
// status.
int run(const StatsOptions& options) {
    module::RegionRegistry registry;
    int status = 0;
    for (const auto& file : options.files) {
        const auto stats = guarded("stats", [&] { return stats_of(file, registry); });
        if (!stats) {
            fmt::print(stderr, "leanhost: {}\n", stats.error().message());
            if (status == 0)
                status = cli_exit_code(stats.error().code());
        } else if (options.as_json) {
            fmt::print("{}\n", dump(*stats));
        } else {
            print_for_people(*stats);
        }
    }
    return status;
}

} // namespace

void add_stats_command(CLI::App& app, CommandBody& chosen) {
    auto options = std::make_shared<StatsOptions>();
    CLI::App* command = app.add_subcommand(
        "stats", "What a module file or an export holds: constants, terms, objects");
    command
        ->add_option("FILE", options->files,
                     "Module files (.olean, .olean.server, .olean.private) and exports (.ndjson, "
                     "also .zst; -)")
        ->required();
    command->add_flag("--json", options->as_json, "Print one JSON object a line for each file");
    command->footer("Examples:\n  leanhost stats --json Batteries/Data/List.olean.private\n"
                    "  leanhost stats init.ndjson.zst");
    command->callback([options, &chosen] {
        chosen = [options] { return guarded("stats", [&] { return run(*options); }); };
    });
}

} // namespace leanhost::cli
