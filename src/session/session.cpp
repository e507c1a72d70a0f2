#include "base/guard.hpp"

#include <leanhost/session.hpp>

#include <fmt/format.h>

namespace leanhost {
namespace {

void require_in(const TermTable& table, TermIndex index, std::string_view what) {
    if (index >= table.terms().size()) {
        fail(ErrorCode::invalid_argument,
             fmt::format("{}: there is no term {} among {}", what, index, table.terms().size()));
    }
}

void require_submittable(DeclarationKind kind) {
    if (kind != DeclarationKind::theorem && kind != DeclarationKind::definition &&
        kind != DeclarationKind::opaque) {
        fail(
            ErrorCode::invalid_argument,
            fmt::format("a candidate is a theorem, a definition or an opaque constant, not of kind "
                        "'{}'",
                        declaration_kind_name(kind)));
    }
}

} // namespace

Expected<DeclarationRows> Session::query_declarations(std::span<const Name> names,
                                                      const DeclarationFields& fields,
                                                      const CallOptions& options) const {
    return guarded("Session::query_declarations",
                   [&] { return do_query_declarations(names, fields, options); });
}

Expected<std::vector<Name>> Session::list_declarations(std::uint64_t offset,
                                                       std::uint64_t limit,
                                                       const CallOptions& options) const {
    return guarded("Session::list_declarations",
                   [&] { return do_list_declarations(offset, limit, options); });
}

Expected<SearchSummary> Session::search_declarations(const DeclarationFilter& filter,
                                                     const DeclarationFields& fields,
                                                     const DeclarationSink& sink,
                                                     const CallOptions& options) const {
    return guarded("Session::search_declarations",
                   [&] { return do_search_declarations(filter, fields, sink, options); });
}

Expected<std::vector<Answer<std::vector<Reference>>>>
Session::dependencies(std::span<const Name> names, const CallOptions& options) const {
    return guarded("Session::dependencies",
                   [&] { return do_references(Direction::dependencies, names, options); });
}

Expected<std::vector<Answer<std::vector<Reference>>>>
Session::dependents(std::span<const Name> names, const CallOptions& options) const {
    return guarded("Session::dependents",
                   [&] { return do_references(Direction::dependents, names, options); });
}

Expected<std::vector<Answer<AxiomReport>>> Session::axioms(std::span<const Name> names,
                                                           const CallOptions& options) const {
    return guarded("Session::axioms", [&] { return do_axioms(names, options); });
}

Expected<Verdict> Session::kernel_check(const Name& name,
                                        const KernelOptions& kernel,
                                        const CallOptions& options) const {
    return guarded("Session::kernel_check", [&] { return do_kernel_check(name, kernel, options); });
}

Expected<ModulesReport> Session::check_modules(std::span<const Name> modules,
                                               const CheckOptions& check,
                                               const CallOptions& options) const {
    return guarded("Session::check_modules", [&] {
        if (imports().profile != Profile::all)
            fail(ErrorCode::invalid_argument,
                 "modules are checked in a session that imports them with Profile::all: others do "
                 "not see proofs");
        return do_check_modules(modules, check, options);
    });
}

Expected<Verdict> Session::kernel_check(const CandidateDeclaration& candidate,
                                        const KernelOptions& kernel,
                                        const CallOptions& options) const {
    return guarded("Session::kernel_check", [&] {
        require_submittable(candidate.kind);
        require_in(candidate.terms, candidate.type, "candidate.type");
        require_in(candidate.terms, candidate.value, "candidate.value");
        return do_check_candidate(candidate, kernel, options);
    });
}

Expected<DeclarationTerms> Session::declaration_terms(const Name& name,
                                                      const CallOptions& options) const {
    return guarded("Session::declaration_terms",
                   [&] { return do_declaration_terms(name, options); });
}

Expected<TermAnswer> Session::operate(std::string_view where,
                                      TermOperation operation,
                                      const Term& term,
                                      const KernelOptions& kernel,
                                      const CallOptions& options) const {
    return guarded(where, [&] {
        require_in(term.table, term.root, "term");
        return do_term_operation(operation, term, kernel, options);
    });
}

Expected<TermAnswer>
Session::whnf(const Term& term, const KernelOptions& kernel, const CallOptions& options) const {
    return operate("Session::whnf", TermOperation::whnf, term, kernel, options);
}

Expected<TermAnswer> Session::infer_type(const Term& term,
                                         const KernelOptions& kernel,
                                         const CallOptions& options) const {
    return operate("Session::infer_type", TermOperation::infer_type, term, kernel, options);
}

Expected<TermAnswer>
Session::unfold(const Term& term, const KernelOptions& kernel, const CallOptions& options) const {
    return operate("Session::unfold", TermOperation::unfold, term, kernel, options);
}

Expected<EqualityAnswer> Session::is_def_eq(const Term& t,
                                            const Term& s,
                                            const KernelOptions& kernel,
                                            const CallOptions& options) const {
    return guarded("Session::is_def_eq", [&] {
        require_in(t.table, t.root, "t");
        require_in(s.table, s.root, "s");
        return do_is_def_eq(t, s, kernel, options);
    });
}

Expected<Obj> Session::find_object(const Name& name) const {
    return guarded("Session::find_object", [&] { return do_find_object(name); });
}

} // namespace leanhost
