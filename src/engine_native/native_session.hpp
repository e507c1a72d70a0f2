#pragma once

#include "engine_native/loaded_closure.hpp"

#include <leanhost/session.hpp>

namespace leanhost::engine_native {

/// A session of the native engine: a use of a loaded closure. May be used from many threads at
/// once.
class NativeSession final : public Session {
public:
    NativeSession(std::shared_ptr<const LoadedClosure> loaded, ImportSet imports, bool was_shared);

    EngineKind engine() const noexcept override { return EngineKind::native; }
    const ImportSet& imports() const noexcept override { return imports_; }
    const ImportFacts& import_facts() const noexcept override { return facts_; }

    const std::shared_ptr<const LoadedClosure>& loaded() const noexcept { return loaded_; }

protected:
    DeclarationRows do_query_declarations(std::span<const Name> names,
                                          const DeclarationFields& fields,
                                          const CallOptions& options) const override;
    std::vector<Name> do_list_declarations(std::uint64_t offset,
                                           std::uint64_t limit,
                                           const CallOptions& options) const override;
    Obj do_find_object(const Name& name) const override;
    SearchSummary do_search_declarations(const DeclarationFilter& filter,
                                         const DeclarationFields& fields,
                                         const DeclarationSink& sink,
                                         const CallOptions& options) const override;
    std::vector<Answer<std::vector<Reference>>>
    do_references(Direction direction,
                  std::span<const Name> names,
                  const CallOptions& options) const override;
    std::vector<Answer<AxiomReport>> do_axioms(std::span<const Name> names,
                                               const CallOptions& options) const override;
    Verdict do_kernel_check(const Name& name,
                            const KernelOptions& kernel,
                            const CallOptions& options) const override;
    ModulesReport do_check_modules(std::span<const Name> modules,
                                   const CheckOptions& check,
                                   const CallOptions& options) const override;
    Verdict do_check_candidate(const CandidateDeclaration& candidate,
                               const KernelOptions& kernel,
                               const CallOptions& options) const override;
    DeclarationTerms do_declaration_terms(const Name& name,
                                          const CallOptions& options) const override;
    TermAnswer do_term_operation(TermOperation operation,
                                 const Term& term,
                                 const KernelOptions& kernel,
                                 const CallOptions& options) const override;
    EqualityAnswer do_is_def_eq(const Term& t,
                                const Term& s,
                                const KernelOptions& kernel,
                                const CallOptions& options) const override;

private:
    module::ConstantPlace place_of(const Name& name) const;
    AxiomReport axioms_of(std::span<const Name> names, const CallOptions& options) const;
    Name name_at(const module::ReferenceGraph& graph, module::ReferenceGraph::Number number) const;

    std::shared_ptr<const LoadedClosure> loaded_;
    ImportSet imports_;
    ImportFacts facts_;
};

} // namespace leanhost::engine_native
