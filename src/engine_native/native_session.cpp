#include "engine_native/native_session.hpp"

#include "engine_native/declaration_row.hpp"
#include "engine_native/declaration_search.hpp"
#include "engine_native/file_checks.hpp"
#include "engine_native/kernel_calls.hpp"
#include "kernel/check_modules.hpp"
#include "object/expr_printer.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace leanhost::engine_native {
namespace {

using module::ConstantPlace;
using object::ConstantInfoRef;

// Between looks at the cancellation token and calls of the progress sink.
constexpr std::size_t items_between_reports = 256;

// A constant of a loaded closure. Keeps the closure, and so its regions and the runtime.
class NativeObjHolder final : public ObjHolder {
public:
    NativeObjHolder(const Name& name,
                    DeclarationKind kind,
                    std::shared_ptr<const LoadedClosure> loaded,
                    ConstantPlace place)
        : ObjHolder(name, kind), loaded_(std::move(loaded)), place_(place) {}

    std::string do_type_text(std::size_t max_bytes) const override {
        const module::ImportClosure& closure = loaded_->closure();
        return module::reading(*closure.modules()[place_.module].region, "constant", [&] {
            return object::print_term(module::constant_at(closure, place_).type(), max_bytes).text;
        });
    }

private:
    const std::shared_ptr<const LoadedClosure> loaded_;
    const ConstantPlace place_;
};

} // namespace

NativeSession::NativeSession(std::shared_ptr<const LoadedClosure> loaded,
                             ImportSet imports,
                             bool was_shared)
    : loaded_(std::move(loaded)), imports_(std::move(imports)), facts_(loaded_->facts()) {
    facts_.was_shared = was_shared;
}

DeclarationRows NativeSession::do_query_declarations(std::span<const Name> names,
                                                     const DeclarationFields& fields,
                                                     const CallOptions& options) const {
    Monitor monitor(options.progress, options.cancellation);
    std::vector<DeclarationRow> rows;
    rows.reserve(names.size());
    for (const Name& name : names) {
        if (rows.size() % items_between_reports == 0)
            monitor.report("query", rows.size(), names.size());
        const std::optional<ConstantPlace> place = loaded_->index().find(name);
        rows.push_back(place ? DeclarationRow(declaration_at(*loaded_, *place, fields))
                             : std::nullopt);
    }
    monitor.report("query", rows.size(), names.size());
    return DeclarationRows(std::move(rows), loaded_);
}

std::vector<Name> NativeSession::do_list_declarations(std::uint64_t offset,
                                                      std::uint64_t limit,
                                                      const CallOptions& options) const {
    Monitor monitor(options.progress, options.cancellation);
    std::vector<Name> names;
    for (const module::ClosureModule& module : loaded_->closure().modules()) {
        monitor.check();
        const std::uint64_t count = module.data.constants().size();
        if (offset >= count) {
            offset -= count;
            continue;
        }
        module::reading(*module.region, "constants", [&] {
            for (std::uint64_t i = offset; i < count && names.size() < limit; ++i) {
                names.push_back(module.data.constant(i).name().to_name());
            }
        });
        offset = 0;
        if (names.size() == limit)
            break;
    }
    return names;
}

ConstantPlace NativeSession::place_of(const Name& name) const {
    const std::optional<ConstantPlace> place = loaded_->index().find(name);
    if (!place) {
        fail(ErrorCode::not_found,
             fmt::format("no imported module declares '{}'", name.to_string()),
             {{"declaration", name.to_string()}});
    }
    return *place;
}

Obj NativeSession::do_find_object(const Name& name) const {
    const ConstantPlace place = place_of(name);
    const module::ClosureModule& module = loaded_->closure().modules()[place.module];
    const DeclarationKind kind = module::reading(*module.region, "constant", [&] {
        return public_kind(module::constant_at(loaded_->closure(), place).kind());
    });
    return Obj(std::make_shared<const NativeObjHolder>(name, kind, loaded_, place));
}

SearchSummary NativeSession::do_search_declarations(const DeclarationFilter& filter,
                                                    const DeclarationFields& fields,
                                                    const DeclarationSink& sink,
                                                    const CallOptions& options) const {
    Monitor monitor(options.progress, options.cancellation);
    return search(*loaded_, filter, fields, sink, monitor);
}

Name NativeSession::name_at(const module::ReferenceGraph& graph,
                            module::ReferenceGraph::Number number) const {
    const ConstantPlace place = graph.place_of(number);
    return module::reading(*loaded_->closure().modules()[place.module].region, "constant", [&] {
        return module::constant_at(loaded_->closure(), place).name().to_name();
    });
}

std::vector<Answer<std::vector<Reference>>> NativeSession::do_references(
    Direction direction, std::span<const Name> names, const CallOptions& options) const {
    Monitor monitor(options.progress, options.cancellation);
    const module::ReferenceGraph& graph = loaded_->references(monitor);
    std::vector<Answer<std::vector<Reference>>> answers;
    for (const Name& name : names) {
        monitor.check();
        const std::optional<ConstantPlace> place = loaded_->index().find(name);
        if (!place) {
            answers.emplace_back(std::nullopt);
            continue;
        }
        const module::ReferenceGraph::Number number = graph.number_of(*place);
        std::vector<Reference>& references = answers.emplace_back().emplace();
        for (const auto edge : direction == Direction::dependencies ? graph.dependencies(number)
                                                                    : graph.dependents(number)) {
            if (edge.is_by_name())
                references.push_back({name_at(graph, edge.constant()), edge.is_in_type()});
        }
    }
    return answers;
}

std::vector<Answer<AxiomReport>> NativeSession::do_axioms(std::span<const Name> names,
                                                          const CallOptions& options) const {
    Monitor monitor(options.progress, options.cancellation);
    const module::AxiomSets& sets = loaded_->axioms(monitor);
    const module::ReferenceGraph& graph = loaded_->references(monitor);
    std::vector<Answer<AxiomReport>> answers;
    for (const Name& name : names) {
        const std::optional<ConstantPlace> place = loaded_->index().find(name);
        if (!place) {
            answers.emplace_back(std::nullopt);
            continue;
        }
        const module::ReferenceGraph::Number number = graph.number_of(*place);
        AxiomReport& report = answers.emplace_back().emplace();
        report.is_complete = sets.is_complete(number);
        for (const module::ReferenceGraph::Number axiom : sets.axioms(number))
            report.axioms.push_back(name_at(graph, axiom));
    }
    return answers;
}

// Of all of them together, each once.
AxiomReport NativeSession::axioms_of(std::span<const Name> names,
                                     const CallOptions& options) const {
    AxiomReport all;
    for (const Answer<AxiomReport>& answer : do_axioms(names, options)) {
        all.is_complete = all.is_complete && answer && answer->is_complete;
        if (answer)
            all.axioms.insert(all.axioms.end(), answer->axioms.begin(), answer->axioms.end());
    }
    std::sort(all.axioms.begin(), all.axioms.end());
    all.axioms.erase(std::unique(all.axioms.begin(), all.axioms.end()), all.axioms.end());
    return all;
}

Verdict NativeSession::do_kernel_check(const Name& name,
                                       const KernelOptions& kernel,
                                       const CallOptions& options) const {
    Monitor monitor(options.progress, options.cancellation);
    Verdict verdict = check_constant(*loaded_, place_of(name), kernel, monitor);
    if (kernel.axioms && verdict.kind == VerdictKind::accepted)
        verdict.axioms = axioms_of(std::span(&name, 1), options);
    return verdict;
}

ModulesReport NativeSession::do_check_modules(std::span<const Name> modules,
                                              const CheckOptions& check,
                                              const CallOptions& options) const {
    Monitor monitor(options.progress, options.cancellation);
    const module::ImportClosure& closure = loaded_->closure();
    return kernel::check_modules(closure, loaded_->index(), places_of(closure, modules),
                                 file_check_options(check), monitor);
}

Verdict NativeSession::do_check_candidate(const CandidateDeclaration& candidate,
                                          const KernelOptions& kernel,
                                          const CallOptions& options) const {
    Monitor monitor(options.progress, options.cancellation);
    Verdict verdict = check_candidate(*loaded_, candidate, kernel, monitor);
    if (kernel.axioms && verdict.kind == VerdictKind::accepted)
        verdict.axioms = axioms_of(mentioned_constants(*loaded_, candidate), options);
    return verdict;
}

DeclarationTerms NativeSession::do_declaration_terms(const Name& name,
                                                     const CallOptions& options) const {
    Monitor monitor(options.progress, options.cancellation);
    return engine_native::declaration_terms(*loaded_, place_of(name), monitor);
}

TermAnswer NativeSession::do_term_operation(TermOperation operation,
                                            const Term& term,
                                            const KernelOptions& kernel,
                                            const CallOptions& options) const {
    Monitor monitor(options.progress, options.cancellation);
    switch (operation) {
    case TermOperation::whnf:
        return engine_native::whnf(*loaded_, term, kernel, monitor);
    case TermOperation::infer_type:
        return engine_native::infer_type(*loaded_, term, kernel, monitor);
    case TermOperation::unfold:
        return engine_native::unfold(*loaded_, term, kernel, monitor);
    }
    fail(ErrorCode::internal, "a term operation of no kind");
}

EqualityAnswer NativeSession::do_is_def_eq(const Term& t,
                                           const Term& s,
                                           const KernelOptions& kernel,
                                           const CallOptions& options) const {
    Monitor monitor(options.progress, options.cancellation);
    return engine_native::is_def_eq(*loaded_, t, s, kernel, monitor);
}

} // namespace leanhost::engine_native
