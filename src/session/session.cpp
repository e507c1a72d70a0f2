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

Expected<Obj> Session::find_object(const Name& name) const {
    return guarded("Session::find_object", [&] { return do_find_object(name); });
}

} // namespace leanhost
