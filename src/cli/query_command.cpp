#include "base/guard.hpp"
#include "cli/command.hpp"
#include "cli/declaration_json.hpp"
#include "cli/module_arguments.hpp"
#include "cli/progress_line.hpp"

#include <leanhost/runtime.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <map>
#include <memory>

namespace leanhost::cli {
namespace {

using nlohmann::ordered_json;

struct QueryOptions {
    ModuleArguments modules;
    std::vector<std::string> names;
    std::string prefix;
    std::string pattern;
    std::vector<DeclarationKind> kinds;
    std::string module;
    std::vector<std::string> mentions;
    DeclarationFields fields;
    bool with_dependencies = false;
    bool with_dependents = false;
    bool with_axioms = false;
    bool only_count = false;
    bool as_json = false;
    std::uint64_t limit = 0;
    unsigned max_threads = 0;
};

std::map<std::string, DeclarationKind> kinds_by_name() {
    std::map<std::string, DeclarationKind> kinds;
    for (int i = 0; i <= static_cast<int>(DeclarationKind::recursor); ++i) {
        const auto kind = static_cast<DeclarationKind>(i);
        kinds.emplace(declaration_kind_name(kind), kind);
    }
    return kinds;
}

DeclarationFilter filter_of(const QueryOptions& options) {
    DeclarationFilter filter;
    filter.prefix = Name(options.prefix);
    filter.pattern = options.pattern;
    filter.kinds = options.kinds;
    filter.module = Name(options.module);
    for (const std::string& name : options.mentions)
        filter.type_mentions.emplace_back(name);
    return filter;
}

// Rows are answered and printed as many at a time: results come while the search goes on.
constexpr std::size_t rows_at_once = 256;

class Query {
public:
    Query(const QueryOptions& options, const Session& session, ProgressLine& progress)
        : options_(options), session_(session), progress_(progress) {}

    int run() {
        if (options_.names.empty())
            search();
        else
            look_up();
        flush();
        progress_.clear();
        if (options_.only_count)
            fmt::print("{}\n", found_);
        return unknown_ == 0 ? 0 : cli_exit_code(ErrorCode::not_found);
    }

private:
    CallOptions call(std::string_view what) { return {.progress = progress_.sink(what)}; }

    void search() {
        const auto take = [&](const Name& name, const Declaration& declaration) {
            ++found_;
            if (!options_.only_count)
                add(name, declaration);
            return options_.limit != 0 && found_ >= options_.limit ? SinkAnswer::stop
                                                                   : SinkAnswer::proceed;
        };
        value_or_throw(session_.search_declarations(filter_of(options_), options_.fields, take,
                                                    call("search")));
    }

    void look_up() {
        std::vector<Name> names(options_.names.begin(), options_.names.end());
        const DeclarationRows rows =
            value_or_throw(session_.query_declarations(names, options_.fields, call("query")));
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (rows[i]) {
                ++found_;
                add(names[i], *rows[i]);
            } else {
                ++unknown_;
                fmt::print(stderr, "leanhost: no imported module declares '{}'\n",
                           names[i].to_string());
            }
        }
    }

    void add(const Name& name, const Declaration& declaration) {
        names_.push_back(name);
        rows_.push_back(to_json(name, declaration, options_.fields));
        if (rows_.size() == rows_at_once)
            flush();
    }

    void flush() {
        if (rows_.empty())
            return;
        if (options_.with_dependencies) {
            add_references("dependencies",
                           value_or_throw(session_.dependencies(names_, call("dependencies"))));
        }
        if (options_.with_dependents) {
            add_references("dependents",
                           value_or_throw(session_.dependents(names_, call("dependents"))));
        }
        if (options_.with_axioms)
            add_axioms(value_or_throw(session_.axioms(names_, call("axioms"))));
        progress_.clear();
        for (const ordered_json& row : rows_)
            print(row);
        rows_.clear();
        names_.clear();
    }

    void add_references(const char* field,
                        const std::vector<Answer<std::vector<Reference>>>& answers) {
        for (std::size_t i = 0; i < answers.size(); ++i) {
            ordered_json list = ordered_json::array();
            for (const Reference& reference : *answers[i]) {
                list.push_back(
                    {{"name", reference.name.to_string()}, {"is_in_type", reference.is_in_type}});
            }
            rows_[i][field] = std::move(list);
        }
    }

    void add_axioms(const std::vector<Answer<AxiomReport>>& answers) {
        for (std::size_t i = 0; i < answers.size(); ++i) {
            ordered_json list = ordered_json::array();
            for (const Name& axiom : answers[i]->axioms)
                list.push_back(axiom.to_string());
            rows_[i]["axioms"] = std::move(list);
            rows_[i]["axioms_are_complete"] = answers[i]->is_complete;
        }
    }

    void print(const ordered_json& row) {
        if (options_.as_json) {
            fmt::print("{}\n", row.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
            return;
        }
        if (!has_head_) {
            fmt::print("{:<12} {:<48} {}\n", "kind", "name", "module");
            has_head_ = true;
        }
        fmt::print("{}", declaration_text(row));
    }

    const QueryOptions& options_;
    const Session& session_;
    ProgressLine& progress_;
    std::vector<Name> names_;
    std::vector<ordered_json> rows_;
    std::uint64_t found_ = 0;
    std::uint64_t unknown_ = 0;
    bool has_head_ = false;
};

int run(const QueryOptions& options) {
    std::vector<std::filesystem::path> search_path;
    std::vector<Name> modules;
    resolve_modules(options.modules, search_path, modules);
    ProgressLine progress;
    const Runtime runtime = value_or_throw(
        Runtime::init({.search_path = search_path, .max_import_threads = options.max_threads}));
    const ImportSet imports(modules, Profile::all, options.modules.allow_missing);
    const auto session =
        value_or_throw(runtime.open_session(imports, {.progress = progress.sink("import")}));
    return Query(options, *session, progress).run();
}

} // namespace

void add_query_command(CLI::App& app, CommandBody& chosen) {
    auto options = std::make_shared<QueryOptions>();
    CLI::App* command = app.add_subcommand(
        "query", "Look declarations up: by name, or all that match; their types, facts, "
                 "dependencies, dependents and axioms");
    // clang-format off
    command->add_option("NAME", options->names, "Declarations to look up; without one, all that match the conditions");
    command->add_option("--prefix", options->prefix, "Only this name and those below it");
    command->add_option("--pattern", options->pattern, "Only names that match: * any text, ? any byte");
    command->add_option("--kind", options->kinds, "Only these kinds: axiom, definition, theorem, opaque, quotient, inductive, constructor, recursor")
        ->transform(CLI::CheckedTransformer(kinds_by_name()).description(""))->delimiter(',')->allow_extra_args(false);
    command->add_option("--in-module", options->module, "Only declarations of this module and those below it");
    command->add_option("--mentions", options->mentions, "Only types that mention this constant; several: all of them")
        ->allow_extra_args(false);
    command->add_flag("--types", options->fields.type, "Print types, fully explicit");
    command->add_flag("--facts", options->fields.facts, "Safety, reducibility, and what inductive types, constructors and recursors have");
    command->add_flag("--value-size", options->fields.value_size, "Distinct terms of the value");
    command->add_flag("--dependencies", options->with_dependencies, "What it mentions directly");
    command->add_flag("--dependents", options->with_dependents, "What mentions it directly");
    command->add_flag("--axioms", options->with_axioms, "The axioms that it rests on, through everything");
    command->add_option("--limit", options->limit, "Stop after as many; 0: all")->capture_default_str();
    command->add_flag("--count", options->only_count, "Print only how many match");
    command->add_flag("--json", options->as_json, "Print one JSON object a line for each");
    command->add_option("--threads", options->max_threads, "Threads that reading may use; 0: one a core")
        ->envname("LEANHOST_NUM_THREADS")->check(CLI::Range(0, 1024))->capture_default_str();
    // clang-format on
    add_module_arguments(*command, options->modules);
    command->footer(
        "Examples:\n"
        "  leanhost query --path build Nat.add_comm --types --axioms\n"
        "  leanhost query --path build --prefix List --kind theorem --mentions List.map\n"
        "  leanhost query --path build --kind theorem --axioms --json\n"
        "Exit status 66: a NAME is not declared.");
    command->callback([options, &chosen] {
        chosen = [options] { return guarded("query", [&] { return run(*options); }); };
    });
}

} // namespace leanhost::cli
