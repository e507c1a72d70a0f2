#pragma once

#include "worker/parent/worker.hpp"

#include <leanhost/capabilities.hpp>

namespace leanhost::worker {

/// A session that lives in a worker's child. Answers what any session answers; a child that was
/// replaced meanwhile has the same imports open. May be used from several threads at once.
///
/// Beside a session's own errors: child_exited, memory_limit, deadline_exceeded, protocol_error,
/// restart_limit, quarantined. `looked_at` of a search that its sink stopped counts what was found.
class RemoteSession final : public Session {
public:
    /// Sees to a live generation, so that the facts are known.
    RemoteSession(std::shared_ptr<Worker> worker, const CallOptions* call_options);

    EngineKind engine() const noexcept override { return worker_->options().runtime.engine; }
    const ImportSet& imports() const noexcept override { return worker_->imports(); }
    const ImportFacts& import_facts() const noexcept override { return facts_; }

    /// Of all requests from now on.
    void set_timeout(std::chrono::milliseconds timeout) noexcept { timeout_ = timeout; }

    /// An empty request, there and back. Throws Failure.
    void ping() const;
    /// As Capabilities::call and call_rows, of the library named `library` in the worker. Throw
    /// Failure.
    std::string call_capability(std::string_view library,
                                std::string_view function,
                                std::string_view input,
                                const CallOptions& options) const;
    RowSummary call_capability_rows(std::string_view library,
                                    std::string_view function,
                                    std::string_view input,
                                    const RowSink& rows,
                                    const CallOptions& options) const;

    /// As Runtime::check_export, in the worker, which opens the file. Throws Failure.
    ExportReport check_export(const std::filesystem::path& path,
                              const CheckOptions& check,
                              const CallOptions& options) const;

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
    using MakeMessage = std::function<void(std::uint64_t session, wire::ToWorker&)>;
    wire::Summary
    call(const MakeMessage& make, const CallOptions& options, const WireRowSink& rows = {}) const;
    using MakeKernelRequest = std::function<void(wire::KernelRequest&)>;
    wire::KernelAnswer ask_kernel(const MakeKernelRequest& make_request,
                                  const KernelOptions& kernel,
                                  const CallOptions& options) const;

    std::shared_ptr<Worker> worker_;
    ImportFacts facts_;
    std::atomic<std::chrono::milliseconds> timeout_;
};

} // namespace leanhost::worker
