// Names of the API's enumerators, apart from what needs more: `leanhost check` links little else.
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

} // namespace leanhost
