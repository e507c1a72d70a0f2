#pragma once

#include "worker/protocol/worker_messages.pb.h"

#include <leanhost/verdict.hpp>

/// What a kernel is asked and answers, to messages and back. What is read is checked as in
/// wire_values.hpp, terms as TermTable::make does. Reading throws Failure `protocol_error` that
/// names the field.
namespace leanhost::worker {

wire::TermTable to_wire(const TermTable& table);
TermTable term_table_from(const wire::TermTable& message, std::string_view field);

wire::Term to_wire(const Term& term);
Term term_from(const wire::Term& message, std::string_view field);

wire::CandidateDeclaration to_wire(const CandidateDeclaration& candidate);
CandidateDeclaration candidate_from(const wire::CandidateDeclaration& message);

wire::DeclarationTerms to_wire(const DeclarationTerms& declaration);
DeclarationTerms declaration_terms_from(const wire::DeclarationTerms& message);

wire::KernelOptions to_wire(const KernelOptions& options);
KernelOptions kernel_options_from(const wire::KernelOptions& message);

/// From 1 + VerdictKind: what was not said is no acceptance.
VerdictKind verdict_kind_from(std::uint32_t number, std::string_view field);
wire::Verdict to_wire(const Verdict& verdict);
Verdict verdict_from(const wire::Verdict& message);

wire::KernelAnswer to_wire(const TermAnswer& answer);
TermAnswer term_answer_from(const wire::KernelAnswer& message);
wire::KernelAnswer to_wire(const EqualityAnswer& answer);
EqualityAnswer equality_answer_from(const wire::KernelAnswer& message);

} // namespace leanhost::worker
