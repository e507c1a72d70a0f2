#pragma once

#include <leanhost/cancellation.hpp>
#include <leanhost/check_report.hpp>
#include <leanhost/declaration_search.hpp>
#include <leanhost/expected.hpp>
#include <leanhost/import_set.hpp>
#include <leanhost/obj.hpp>
#include <leanhost/progress.hpp>

#include <span>

namespace leanhost {

enum class EngineKind : std::uint8_t {
    native, ///< embedded, needs no Lean toolchain
    lean,   ///< a real Lean toolchain; not part of this version
};
std::string_view engine_kind_name(EngineKind kind) noexcept;

/// What every long operation takes.
struct CallOptions {
    ProgressSink progress = {};
    CancellationToken cancellation = {};
};

/// What an import brought in. Bytes are of module files, headers included.
struct ImportFacts {
    std::uint64_t modules = 0;
    std::uint64_t constants = 0;
    std::uint64_t region_bytes = 0; ///< all parts of all modules
    std::uint64_t relocated_bytes =
        0; ///< of those, in private copies because the base address was taken
    std::uint64_t index_bytes = 0;     ///< private; one index serves all sessions of a closure
    std::vector<Name> missing_modules; ///< left out, with `allow_missing`
    bool was_shared = false; ///< the closure was loaded already: nothing was mapped or indexed
};

/// One imported environment, read-only. Dropping the last session of a closure gives its memory
/// back.
///
/// A native session may be used from many threads at once. Public methods return errors as values
/// and never throw.
class Session {
public:
    Session() = default;
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    virtual ~Session() = default;

    virtual EngineKind engine() const noexcept = 0;
    virtual const ImportSet& imports() const noexcept = 0;
    virtual const ImportFacts& import_facts() const noexcept = 0;

    /// One row for each name, in order; an unknown name is that row's answer, not the call's
    /// failure. Cost: some hundred nanoseconds a name without types. Errors: cancelled,
    /// sink_failed, invalid_input (a constant that is not one), resource_exhausted.
    Expected<DeclarationRows> query_declarations(std::span<const Name> names,
                                                 const DeclarationFields& fields = {},
                                                 const CallOptions& options = {}) const;

    /// Names of the environment's constants in import order, `limit` of them from the `offset`th
    /// on. Several modules may hold one theorem; it is listed with each. Errors as above.
    Expected<std::vector<Name>> list_declarations(std::uint64_t offset,
                                                  std::uint64_t limit,
                                                  const CallOptions& options = {}) const;

    /// Tells `sink` every declaration that `filter` wants, one by one as they are found, in import
    /// order. Of a constant that several modules hold only the first is told.
    /// Cost: some 100 ns a declaration of the environment, and that of the fields for those found;
    /// `type_mentions` needs the reference graph (see `dependencies`). Errors: not_found (a
    /// constant of `type_mentions` that is not there); cancelled, sink_failed, invalid_input,
    /// resource_exhausted.
    Expected<SearchSummary> search_declarations(const DeclarationFilter& filter,
                                                const DeclarationFields& fields,
                                                const DeclarationSink& sink,
                                                const CallOptions& options = {}) const;

    /// What each of `names` depends on directly: the constants that its type, its value and its
    /// recursor rules mention, and an inductive type's constructors. In import order.
    /// The first such call of any session of a closure reads all its terms and builds the graph
    /// that the others share: about 100 MB/s a thread, 8 bytes a dependency, kept with the closure.
    /// Errors: cancelled, sink_failed, invalid_input, resource_exhausted.
    Expected<std::vector<Answer<std::vector<Reference>>>>
    dependencies(std::span<const Name> names, const CallOptions& options = {}) const;

    /// The other way round: the declarations that depend directly on each of `names`.
    Expected<std::vector<Answer<std::vector<Reference>>>>
    dependents(std::span<const Name> names, const CallOptions& options = {}) const;

    /// The axioms that each of `names` rests on through the whole environment. The first call
    /// builds the sets for all declarations, 4 bytes each. In a profile that sees public parts
    /// only, theorems of the module system are axioms. Errors: as for `dependencies`.
    Expected<std::vector<Answer<AxiomReport>>> axioms(std::span<const Name> names,
                                                      const CallOptions& options = {}) const;

    /// A reference to the declaration `name`, which outlives this session.
    /// Errors: not_found; invalid_input (a constant that is not one), resource_exhausted.
    Expected<Obj> find_object(const Name& name) const;

    // What the kernel says. Every call is bounded by its KernelOptions, may be cancelled (it ends
    // within some milliseconds) and reports its heartbeats as progress. Errors of all of them:
    // cancelled, sink_failed, invalid_argument (an index that its table does not have),
    // invalid_input (a constant that is not one), resource_exhausted (threads, address space).

    /// Checks the declaration `name` as its module states it: type, value, the whole block of an
    /// inductive type. What stands before it is taken as given. An unsafe or partial declaration,
    /// and one whose module lacks its private part, is declined.
    /// Cost: the first of a module reads the module's terms once. Errors also: not_found.
    Expected<Verdict> kernel_check(const Name& name,
                                   const KernelOptions& kernel = {},
                                   const CallOptions& options = {}) const;

    /// Checks every declaration of `modules`, or of all that the session imports when there are
    /// none. A declaration that is not accepted does not keep the others from being checked; what
    /// other modules declare is taken as given. All threads together have one deep stack.
    /// Progress: declarations. Errors also: not_found (a module that is not imported);
    /// invalid_argument (a profile other than `all`).
    Expected<ModulesReport> check_modules(std::span<const Name> modules = {},
                                          const CheckOptions& check = {},
                                          const CallOptions& options = {}) const;

    /// Checks a new declaration against the whole environment, which does not change: to accept a
    /// proof, say. The axioms it rests on are not judged: ask for them. Errors also:
    /// invalid_argument (a kind that cannot be submitted).
    Expected<Verdict> kernel_check(const CandidateDeclaration& candidate,
                                   const KernelOptions& kernel = {},
                                   const CallOptions& options = {}) const;

    /// The terms of the declaration `name`. Errors also: not_found; unsupported (terms that a
    /// TermTable cannot hold).
    Expected<DeclarationTerms> declaration_terms(const Name& name,
                                                 const CallOptions& options = {}) const;

    /// The weak head normal form of a closed term, its type, or the term with the constant at its
    /// head unfolded once (itself when there is none to unfold). The term is checked first, so
    /// nothing is computed with what is ill typed; universe parameters count as declared.
    Expected<TermAnswer>
    whnf(const Term& term, const KernelOptions& kernel = {}, const CallOptions& options = {}) const;
    Expected<TermAnswer> infer_type(const Term& term,
                                    const KernelOptions& kernel = {},
                                    const CallOptions& options = {}) const;
    Expected<TermAnswer> unfold(const Term& term,
                                const KernelOptions& kernel = {},
                                const CallOptions& options = {}) const;

    /// Whether two closed terms are definitionally equal. Both are checked first.
    Expected<EqualityAnswer> is_def_eq(const Term& t,
                                       const Term& s,
                                       const KernelOptions& kernel = {},
                                       const CallOptions& options = {}) const;

protected:
    // What an engine does for the methods above. May throw Failure; the caller guards.
    virtual DeclarationRows do_query_declarations(std::span<const Name> names,
                                                  const DeclarationFields& fields,
                                                  const CallOptions& options) const = 0;
    virtual std::vector<Name> do_list_declarations(std::uint64_t offset,
                                                   std::uint64_t limit,
                                                   const CallOptions& options) const = 0;
    virtual Obj do_find_object(const Name& name) const = 0;
    virtual SearchSummary do_search_declarations(const DeclarationFilter& filter,
                                                 const DeclarationFields& fields,
                                                 const DeclarationSink& sink,
                                                 const CallOptions& options) const = 0;
    enum class Direction : bool { dependencies, dependents };
    virtual std::vector<Answer<std::vector<Reference>>> do_references(
        Direction direction, std::span<const Name> names, const CallOptions& options) const = 0;
    virtual std::vector<Answer<AxiomReport>> do_axioms(std::span<const Name> names,
                                                       const CallOptions& options) const = 0;
    virtual Verdict do_kernel_check(const Name& name,
                                    const KernelOptions& kernel,
                                    const CallOptions& options) const = 0;
    virtual ModulesReport do_check_modules(std::span<const Name> modules,
                                           const CheckOptions& check,
                                           const CallOptions& options) const = 0;
    virtual Verdict do_check_candidate(const CandidateDeclaration& candidate,
                                       const KernelOptions& kernel,
                                       const CallOptions& options) const = 0;
    virtual DeclarationTerms do_declaration_terms(const Name& name,
                                                  const CallOptions& options) const = 0;
    enum class TermOperation : std::uint8_t { whnf, infer_type, unfold };
    virtual TermAnswer do_term_operation(TermOperation operation,
                                         const Term& term,
                                         const KernelOptions& kernel,
                                         const CallOptions& options) const = 0;
    virtual EqualityAnswer do_is_def_eq(const Term& t,
                                        const Term& s,
                                        const KernelOptions& kernel,
                                        const CallOptions& options) const = 0;

private:
    Expected<TermAnswer> operate(std::string_view where,
                                 TermOperation operation,
                                 const Term& term,
                                 const KernelOptions& kernel,
                                 const CallOptions& options) const;
};

} // namespace leanhost
