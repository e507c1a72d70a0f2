#include "base/guard.hpp"
#include "cli/command.hpp"
#include "cli/progress_line.hpp"
#include "module/lean4export/convert_export.hpp"
#include "module/lean4export/export_reader.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

namespace leanhost::cli {
namespace {

namespace lean4export = module::lean4export;

struct ConvertCommandOptions {
    std::filesystem::path file;
    std::string root_module = "Export";
    lean4export::ConvertOptions convert;
    bool as_json = false;
};

void print_report(const ConvertCommandOptions& options,
                  const lean4export::ConvertReport& report,
                  std::uint64_t table_bytes) {
    if (options.as_json) {
        const nlohmann::ordered_json json{
            {"schema", "leanhost.convert/1"},
            {"directory", options.convert.directory.string()},
            {"root_module", options.root_module},
            {"modules", report.modules},
            {"constants", report.constants},
            {"objects", report.objects},
            {"file_bytes", report.file_bytes},
            {"table_bytes", table_bytes},
            {"unknown_constants", report.unknown_constants},
            {"first_unknown_constant", report.first_unknown_constant}};
        fmt::print("{}\n",
                   json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
        return;
    }
    fmt::print("{}: {} constants in {} modules, {:.2f} MiB; import {}\n",
               options.convert.directory.string(), report.constants, report.modules,
               static_cast<double>(report.file_bytes) / (1024.0 * 1024.0), options.root_module);
    if (report.unknown_constants > 0) {
        fmt::print("{} terms mention constants that no declaration before them has, the first is "
                   "{}: a checker will refuse them\n",
                   report.unknown_constants, report.first_unknown_constant);
    }
}

int run(ConvertCommandOptions& options) {
    options.convert.root_module = Name(options.root_module);
    ProgressLine progress;
    Monitor monitor(progress.sink("convert"), {});
    lean4export::ExportTable table;
    lean4export::read_export(options.file, table, monitor);
    const lean4export::ConvertReport report =
        lean4export::convert_export(table, options.convert, monitor);
    progress.clear();
    print_report(options, report, table.memory_bytes());
    return 0;
}

} // namespace

void add_convert_command(CLI::App& app, CommandBody& chosen) {
    auto options = std::make_shared<ConvertCommandOptions>();
    CLI::App* command = app.add_subcommand(
        "convert", "Write an export of lean4export as module files that can be imported");
    command
        ->add_option("FILE", options->file,
                     "The export: .ndjson, also packed with zstd; - is standard input")
        ->required();
    command
        ->add_option("--out", options->convert.directory,
                     "Folder to write into; put it on a search path")
        ->required();
    command
        ->add_option("--root", options->root_module,
                     "The module that imports all others; they stand below it")
        ->capture_default_str();
    command
        ->add_option("--constants-per-module", options->convert.constants_per_module,
                     "A new module begins after as many; a declaration is never divided")
        ->check(CLI::Range(1, 1 << 30))
        ->capture_default_str();
    command->add_flag("--json", options->as_json, "Print JSON");
    command->footer("Example:\n"
                    "  leanhost convert init.ndjson --out modules --root Init\n"
                    "  leanhost memory --path modules --module Init");
    command->callback([options, &chosen] {
        chosen = [options] { return guarded("convert", [&] { return run(*options); }); };
    });
}

} // namespace leanhost::cli
