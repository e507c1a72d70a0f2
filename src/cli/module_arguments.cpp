#include "cli/module_arguments.hpp"

#include "base/failure.hpp"
#include "module/search_path.hpp"

#include <CLI/CLI.hpp>

namespace leanhost::cli {

void add_module_arguments(CLI::App& command, ModuleArguments& arguments) {
    command
        .add_option("--path", arguments.paths,
                    "Folder with compiled modules (.olean); several are a search path")
        ->check(CLI::ExistingDirectory)
        ->allow_extra_args(false); // what follows is the command's own
    command
        .add_option("--module", arguments.names,
                    "Module to import, such as Batteries.Data.List; default: all in the folders")
        ->allow_extra_args(false);
    command.add_flag("--allow-missing", arguments.allow_missing,
                     "Leave out imported modules that are not in the search path");
}

void resolve_modules(const ModuleArguments& arguments,
                     std::vector<std::filesystem::path>& search_path,
                     std::vector<Name>& modules) {
    search_path = arguments.paths;
    modules.assign(arguments.names.begin(), arguments.names.end());
    if (!modules.empty())
        return;
    modules = module::SearchPath(search_path).list_modules();
    if (modules.empty()) {
        fail(ErrorCode::not_found,
             "no .olean file below " + module::SearchPath(search_path).to_string() +
                 "; --path takes the folder that holds the library's modules, such as "
                 ".lake/build/lib/lean");
    }
}

} // namespace leanhost::cli
