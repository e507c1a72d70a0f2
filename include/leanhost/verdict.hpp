#pragma once

#include <leanhost/declaration_search.hpp>
#include <leanhost/term.hpp>

namespace leanhost {

/// What a kernel says. A rejection and a decline are results, not errors.
enum class VerdictKind : std::uint8_t {
    accepted,
    rejected, ///< it is wrong, and `reason` says how
    declined, ///< it was not decided: a limit was reached, or it is not supported
};
/// "accepted", "rejected", "declined". Valid for the process's life.
std::string_view verdict_kind_name(VerdictKind kind) noexcept;

struct Verdict {
    VerdictKind kind = VerdictKind::declined;
    /// Stable id: of a rejection such as "value_type_mismatch", of a decline that of an error code
    /// such as "leanhost.resource_exhausted". Empty when accepted.
    std::string reason;
    std::string message; ///< for people: what does not fit, both sides printed; bounded
    std::string where;   ///< path in the declaration, such as "value.body.argument"; may be empty
    std::uint64_t heartbeats = 0; ///< what it took; less when much was found out by calls before
    /// The axioms that what was accepted rests on, when they were asked for.
    std::optional<AxiomReport> axioms;
};

inline Verdict acceptance() {
    Verdict verdict;
    verdict.kind = VerdictKind::accepted;
    return verdict;
}

/// `kind`: rejected or declined.
inline Verdict
refusal(VerdictKind kind, std::string reason, std::string message, std::string where = {}) {
    Verdict verdict;
    verdict.kind = kind;
    verdict.reason = std::move(reason);
    verdict.message = std::move(message);
    verdict.where = std::move(where);
    return verdict;
}

/// What a kernel operation may cost. A limit that is reached is a decline.
struct KernelOptions {
    std::uint64_t max_heartbeats = 1'000'000'000;              ///< 0: without limit
    std::uint64_t max_memory_bytes = std::uint64_t{512} << 20; ///< of terms; 0: without limit
    bool axioms = false; ///< of what is accepted; see Session::axioms for the cost
};

/// A new declaration, to be checked against an environment. It must not be recursive, and the
/// environment must not have its name.
struct CandidateDeclaration {
    Name name;
    DeclarationKind kind = DeclarationKind::theorem; ///< or definition, or opaque
    std::vector<Name> universe_params;
    TermTable terms; ///< holds both
    TermIndex type = 0;
    TermIndex value = 0;
};

/// Type and value of a declaration, as the environment has them.
struct DeclarationTerms {
    DeclarationKind kind;
    std::vector<Name> universe_params;
    TermTable terms; ///< holds both, what they share once
    TermIndex type = 0;
    std::optional<TermIndex> value; ///< of definitions, theorems, opaque constants
};

/// The answer of an operation that gives a term. Accepted: what was given is well typed, and `term`
/// is the answer; else it is empty.
struct TermAnswer {
    Verdict verdict;
    std::optional<Term> term;
};

/// Accepted: both terms are well typed, and `is_equal` says whether they are definitionally equal;
/// terms of different types never are.
struct EqualityAnswer {
    Verdict verdict;
    bool is_equal = false;
};

} // namespace leanhost
