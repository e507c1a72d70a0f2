#pragma once

#include "engine_native/kernel_pool.hpp"
#include "engine_native/loaded_closure.hpp"

#include <leanhost/verdict.hpp>

namespace leanhost::engine_native {

// The kernel's side of a session's operations; see Session. What it says is a result; all throw
// Failure as Session's methods tell it. Axioms are the caller's to add.

/// The constant must be one of the closure's.
Verdict check_constant(const LoadedClosure& loaded,
                       module::ConstantPlace place,
                       const KernelOptions& options,
                       Monitor& monitor);
Verdict check_candidate(const LoadedClosure& loaded,
                        const CandidateDeclaration& candidate,
                        const KernelOptions& options,
                        Monitor& monitor);
DeclarationTerms
declaration_terms(const LoadedClosure& loaded, module::ConstantPlace place, Monitor& monitor);

TermAnswer
whnf(const LoadedClosure& loaded, const Term& term, const KernelOptions& options, Monitor& monitor);
TermAnswer infer_type(const LoadedClosure& loaded,
                      const Term& term,
                      const KernelOptions& options,
                      Monitor& monitor);
TermAnswer unfold(const LoadedClosure& loaded,
                  const Term& term,
                  const KernelOptions& options,
                  Monitor& monitor);
EqualityAnswer is_def_eq(const LoadedClosure& loaded,
                         const Term& t,
                         const Term& s,
                         const KernelOptions& options,
                         Monitor& monitor);

/// The constants that stand in the candidate's type and value, in its projections, and what its
/// string literals rest on.
std::vector<Name> mentioned_constants(const LoadedClosure& loaded,
                                      const CandidateDeclaration& candidate);

} // namespace leanhost::engine_native
