#include "base/guard.hpp"
#include "cli/command.hpp"
#include "cli/module_arguments.hpp"
#include "cli/progress_line.hpp"
#include "cli/term_json.hpp"

#include <leanhost/runtime.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <iostream>
#include <map>
#include <memory>

namespace leanhost::cli {
namespace {

using nlohmann::ordered_json;

enum class Asked : std::uint8_t { whnf, type, unfold, check };

struct WhnfOptions {
    ModuleArguments modules;
    std::string name;
    Asked asked = Asked::whnf;
    KernelOptions kernel;
    std::uint64_t max_memory_mib = 512;
    std::uint64_t max_bytes = std::uint64_t{64} * 1024;
    bool as_json = false;
};

// From here on nobody would read it by hand.
constexpr std::size_t max_input_bytes = std::size_t{256} << 20;

std::string read_standard_input() {
    std::string text;
    char piece[1 << 16];
    while (std::cin.read(piece, sizeof piece) || std::cin.gcount() > 0) {
        text.append(piece, static_cast<std::size_t>(std::cin.gcount()));
        if (text.size() > max_input_bytes)
            fail(ErrorCode::invalid_input,
                 fmt::format("more than {} bytes on standard input", max_input_bytes));
    }
    return text;
}

// What a name stands for: its value, or else the constant itself.
Term term_of(const Session& session, const Name& name, const CallOptions& call) {
    DeclarationTerms terms = value_or_throw(session.declaration_terms(name, call));
    if (terms.value)
        return {std::move(terms.terms), *terms.value};
    TermTableBuilder builder;
    std::vector<LevelIndex> levels;
    for (const Name& param : terms.universe_params)
        levels.push_back(builder.level_param(param));
    const TermIndex root = builder.constant(name, levels);
    return value_or_throw(builder.take(root));
}

TermAnswer ask(const WhnfOptions& options, const Session& session, const CallOptions& call) {
    const Term term = options.name == "-" ? term_from_json(read_standard_input())
                                          : term_of(session, Name(options.name), call);
    switch (options.asked) {
    case Asked::type:
        return value_or_throw(session.infer_type(term, options.kernel, call));
    case Asked::unfold:
        return value_or_throw(session.unfold(term, options.kernel, call));
    case Asked::check: {
        if (options.name == "-")
            return value_or_throw(session.infer_type(term, options.kernel, call));
        return {value_or_throw(session.kernel_check(Name(options.name), options.kernel, call)),
                std::nullopt};
    }
    case Asked::whnf:
        break;
    }
    return value_or_throw(session.whnf(term, options.kernel, call));
}

void print_json(const TermAnswer& answer, std::size_t max_bytes) {
    ordered_json json{{"schema", "leanhost.whnf/1"}};
    json.update(to_json(answer.verdict));
    if (answer.term) {
        json["text"] = term_text(*answer.term, max_bytes);
        json["term"] = to_json(*answer.term);
    }
    fmt::print("{}\n", json.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
}

void print_for_people(const TermAnswer& answer, std::size_t max_bytes) {
    if (answer.term) {
        fmt::print("{}\n", term_text(*answer.term, max_bytes));
        return;
    }
    fmt::print("{}", verdict_kind_name(answer.verdict.kind));
    if (answer.verdict.kind != VerdictKind::accepted)
        fmt::print(": {}: {}", answer.verdict.reason, answer.verdict.message);
    fmt::print("\n");
    if (answer.verdict.axioms) {
        for (const Name& axiom : answer.verdict.axioms->axioms)
            fmt::print("  axiom {}\n", axiom.to_string());
    }
}

int run(WhnfOptions options) {
    std::vector<std::filesystem::path> search_path;
    std::vector<Name> modules;
    resolve_modules(options.modules, search_path, modules);
    options.kernel.max_memory_bytes = options.max_memory_mib << 20U;
    ProgressLine progress;
    const Runtime runtime = value_or_throw(Runtime::init({.search_path = search_path}));
    const ImportSet imports(modules, Profile::all, options.modules.allow_missing);
    const auto session =
        value_or_throw(runtime.open_session(imports, {.progress = progress.sink("import")}));
    const TermAnswer answer = ask(options, *session, {.progress = progress.sink("kernel")});
    progress.clear();
    if (options.as_json)
        print_json(answer, options.max_bytes);
    else
        print_for_people(answer, options.max_bytes);
    return static_cast<int>(answer.verdict.kind); // 0, 1, 2 as for `check`
}

} // namespace

void add_whnf_command(CLI::App& app, CommandBody& chosen) {
    auto options = std::make_shared<WhnfOptions>();
    CLI::App* command = app.add_subcommand(
        "whnf", "Compute with a term: its weak head normal form, its type, its head unfolded; or "
                "check a declaration with the kernel");
    // clang-format off
    command->add_option("NAME", options->name, "A declaration, whose value is meant (or it itself); -: a term as JSON on standard input")->required();
    auto* type = command->add_flag_callback("--type", [options] { options->asked = Asked::type; }, "Its type instead");
    auto* unfold = command->add_flag_callback("--unfold", [options] { options->asked = Asked::unfold; }, "The constant at its head unfolded once instead");
    auto* check = command->add_flag_callback("--check", [options] { options->asked = Asked::check; }, "Check the declaration instead, as its module states it");
    command->add_flag("--axioms", options->kernel.axioms, "With --check: the axioms it rests on");
    command->add_option("--max-heartbeats", options->kernel.max_heartbeats, "Decline beyond as many steps; 0: without limit")->capture_default_str();
    command->add_option("--max-memory", options->max_memory_mib, "Decline beyond as many MiB of terms; 0: without limit")->check(CLI::Range(0, 1 << 20))->capture_default_str();
    command->add_option("--max-bytes", options->max_bytes, "Cut the printed term behind as many bytes")->capture_default_str();
    command->add_flag("--json", options->as_json, "Print one JSON object: verdict, term as text and as a table");
    // clang-format on
    type->excludes(unfold)->excludes(check);
    unfold->excludes(check);
    add_module_arguments(*command, options->modules);
    command->footer(
        "Examples:\n"
        "  leanhost whnf --path build Nat.add --type\n"
        "  leanhost whnf --path build My.theorem --check --axioms\n"
        "  echo '{\"names\":[\"Bool.not\",\"Bool.true\"],\"terms\":[[\"constant\",0,0,0],"
        "[\"constant\",1,0,0],[\"app\",0,1]],\"root\":2}' | leanhost whnf --path build -\n"
        "Exit status: 0 accepted, 1 rejected, 2 declined, 66 no such declaration.");
    command->callback([options, &chosen] {
        chosen = [options] { return guarded("whnf", [&] { return run(*options); }); };
    });
}

} // namespace leanhost::cli
