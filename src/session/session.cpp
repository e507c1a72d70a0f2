#include "base/guard.hpp"

#include <leanhost/session.hpp>

namespace leanhost {

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

Expected<Obj> Session::find_object(const Name& name) const {
    return guarded("Session::find_object", [&] { return do_find_object(name); });
}

} // namespace leanhost
