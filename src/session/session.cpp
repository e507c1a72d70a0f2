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

std::string_view engine_kind_name(EngineKind kind) noexcept {
    return kind == EngineKind::native ? "native" : "lean";
}

std::string_view declaration_kind_name(DeclarationKind kind) noexcept {
    switch (kind) {
    case DeclarationKind::axiom:
        return "axiom";
    case DeclarationKind::definition:
        return "definition";
    case DeclarationKind::theorem:
        return "theorem";
    case DeclarationKind::opaque:
        return "opaque";
    case DeclarationKind::quotient:
        return "quotient";
    case DeclarationKind::inductive:
        return "inductive";
    case DeclarationKind::constructor:
        return "constructor";
    case DeclarationKind::recursor:
        return "recursor";
    }
    return "unknown";
}

std::string_view declaration_safety_name(DeclarationSafety safety) noexcept {
    switch (safety) {
    case DeclarationSafety::safe:
        return "safe";
    case DeclarationSafety::unsafe:
        return "unsafe";
    case DeclarationSafety::partial:
        return "partial";
    }
    return "unknown";
}

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

std::string_view verdict_kind_name(VerdictKind kind) noexcept {
    switch (kind) {
    case VerdictKind::accepted:
        return "accepted";
    case VerdictKind::rejected:
        return "rejected";
    case VerdictKind::declined:
        return "declined";
    }
    return "unknown";
}

Expected<Verdict> Session::kernel_check(const Name& name,
                                        const KernelOptions& kernel,
                                        const CallOptions& options) const {
    return guarded("Session::kernel_check", [&] { return do_kernel_check(name, kernel, options); });
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
