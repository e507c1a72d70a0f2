#include "base/guard.hpp"
#include "cli/command.hpp"
#include "cli/declaration_json.hpp"
#include "cli/drain_wait.hpp"
#include "cli/module_arguments.hpp"
#include "cli/pool_sweep.hpp"
#include "cli/progress_line.hpp"

#include <leanhost/runtime.hpp>
#include <leanhost/worker_pool.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <atomic>
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
    std::size_t workers = 0;
    std::uint64_t drain_wait_ms = default_drain_wait_ms;
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

// Takes what is to be printed, a piece at a time.
using Output = std::function<void(std::string_view)>;

class Query {
public:
    Query(const QueryOptions& options,
          const Session& session,
          std::string_view import,
          ProgressLine* progress,
          Output output)
        : options_(options), session_(session), import_(import), progress_(progress),
          output_(std::move(output)) {}

    /// The number of names that are not declared.
    std::uint64_t run() {
        if (options_.names.empty())
            search();
        else
            look_up();
        flush();
        if (progress_ != nullptr)
            progress_->clear();
        if (options_.only_count)
            output_(import_.empty() ? fmt::format("{}\n", found_)
                                    : fmt::format("{:>10} {}\n", found_, import_));
        return unknown_;
    }

private:
    CallOptions call(std::string_view what) {
        return progress_ == nullptr ? CallOptions()
                                    : CallOptions{.progress = progress_->sink(what)};
    }

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
                fmt::print(stderr, "leanhost: {}no imported module declares '{}'\n",
                           import_.empty() ? "" : import_ + ": ", names[i].to_string());
            }
        }
    }

    void add(const Name& name, const Declaration& declaration) {
        names_.push_back(name);
        rows_.push_back(to_json(name, declaration, options_.fields));
        if (!import_.empty())
            rows_.back()["import"] = import_;
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
        if (progress_ != nullptr)
            progress_->clear();
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
            output_(row.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n");
            return;
        }
        if (!has_head_) {
            if (!import_.empty())
                output_(fmt::format("import {}\n", import_));
            output_(fmt::format("{:<12} {:<48} {}\n", "kind", "name", "module"));
            has_head_ = true;
        }
        output_(declaration_text(row));
    }

    const QueryOptions& options_;
    const Session& session_;
    const std::string import_; // of several; empty when there is one
    ProgressLine* const progress_;
    const Output output_;
    std::vector<Name> names_;
    std::vector<ordered_json> rows_;
    std::uint64_t found_ = 0;
    std::uint64_t unknown_ = 0;
    bool has_head_ = false;
};

void print_out(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
}

// Every module is an import set of its own, and asked in a worker.
int run_sweep(const QueryOptions& options,
              std::vector<std::filesystem::path> search_path,
              const std::vector<Name>& modules) {
    WorkerPoolOptions pool_options;
    pool_options.max_workers = options.workers;
    pool_options.max_wait = std::chrono::hours(1);
    pool_options.worker.runtime.search_path = std::move(search_path);
    pool_options.worker.runtime.max_import_threads = options.max_threads;
    pool_options.worker.use_template = false; // each import set is wanted once
    WorkerPool workers = value_or_throw(WorkerPool::make(std::move(pool_options)));
    std::vector<std::string> labels;
    for (const Name& module : modules)
        labels.push_back(module.to_string());
    std::atomic<std::uint64_t> unknown = 0;
    const auto ask = [&](WorkerPool& pool, std::size_t at, std::string& text) {
        const WorkerLease lease = value_or_throw(
            pool.acquire(ImportSet({modules[at]}, Profile::all, options.modules.allow_missing)));
        const auto add = [&](std::string_view piece) { text.append(piece); };
        unknown += Query(options, *lease, labels[at], nullptr, add).run();
    };
    PoolSweep sweep(workers, std::chrono::milliseconds(options.drain_wait_ms), "import sets",
                    labels);
    if (const int status = sweep.run(options.workers, ask); status != 0)
        return status;
    return unknown == 0 ? 0 : cli_exit_code(ErrorCode::not_found);
}

int run(const QueryOptions& options) {
    std::vector<std::filesystem::path> search_path;
    std::vector<Name> modules;
    resolve_modules(options.modules, search_path, modules);
    if (options.workers > 0)
        return run_sweep(options, std::move(search_path), std::move(modules));
    ProgressLine progress;
    const Runtime runtime = value_or_throw(
        Runtime::init({.search_path = search_path, .max_import_threads = options.max_threads}));
    const ImportSet imports(modules, Profile::all, options.modules.allow_missing);
    const auto session =
        value_or_throw(runtime.open_session(imports, {.progress = progress.sink("import")}));
    const std::uint64_t unknown = Query(options, *session, {}, &progress, print_out).run();
    return unknown == 0 ? 0 : cli_exit_code(ErrorCode::not_found);
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
    command->add_option("--workers", options->workers, "Take every module as an import set of its own, and ask as many worker processes at once; 0: all in one set, here")
        ->check(CLI::Range(0, 1024))->capture_default_str();
    add_drain_wait(*command, options->drain_wait_ms);
    // clang-format on
    add_module_arguments(*command, options->modules);
    command->footer(
        "Examples:\n"
        "  leanhost query --path build Nat.add_comm --types --axioms\n"
        "  leanhost query --path build --prefix List --kind theorem --mentions List.map\n"
        "  leanhost query --path build --kind theorem --axioms --json\n"
        "  leanhost query --path build --workers 4 --count --kind axiom\n"
        "Exit status 66: a NAME is not declared; with --workers also 143, 130: ended by SIGTERM, "
        "SIGINT, import sets that were begun having been finished.");
    command->callback([options, &chosen] {
        chosen = [options] { return guarded("query", [&] { return run(*options); }); };
    });
}

} // namespace leanhost::cli
