#pragma once

#include "worker/protocol/worker_messages.pb.h"

#include <leanhost/runtime.hpp>

#include <functional>
#include <span>

/// Values of the API to messages and back. What is read is checked: counts, sizes, enumerators,
/// indices. Reading throws Failure `protocol_error` that names the field.
namespace leanhost::worker {

/// Limits of what one message may hold, beside the frame's.
inline constexpr std::size_t max_names_a_message = std::size_t{1} << 20;
inline constexpr std::size_t max_name_components = 4096;

/// Whether the worker's reading thread answers it itself: it takes no time, and must not wait
/// behind what does.
bool is_immediate(const wire::ToWorker& request) noexcept;

void append_name(const Name& name, wire::NameTable& out);
wire::NameTable to_wire(std::span<const Name> names);
std::vector<Name> names_from(const wire::NameTable& table, std::string_view field);
/// Exactly one name.
Name name_from(const wire::NameTable& table, std::string_view field);

wire::ErrorValue to_wire(const Error& error);
/// An id that this side does not know becomes `internal`, with the id in the message.
Error error_from(const wire::ErrorValue& value);

wire::ImportSet to_wire(const ImportSet& imports);
ImportSet import_set_from(const wire::ImportSet& message);
wire::ImportFacts to_wire(const ImportFacts& facts);
ImportFacts import_facts_from(const wire::ImportFacts& message);

wire::RuntimeOptions to_wire(const RuntimeOptions& options);
RuntimeOptions runtime_options_from(const wire::RuntimeOptions& message);

wire::DeclarationFields to_wire(const DeclarationFields& fields);
DeclarationFields fields_from(const wire::DeclarationFields& message);

wire::SearchRequest to_wire(const DeclarationFilter& filter);
DeclarationFilter filter_from(const wire::SearchRequest& message);
wire::SearchAnswer to_wire(const SearchSummary& summary);
SearchSummary search_summary_from(const wire::SearchAnswer& message);

wire::DeclarationRow to_wire(const Declaration& declaration);
/// `module` of the result points to the text that `keep_module` returns for the row's.
Declaration declaration_from(const wire::DeclarationRow& row,
                             const std::function<std::string_view(std::string_view)>& keep_module);

wire::ReferencesRow to_wire(const std::vector<Reference>& references);
std::vector<Reference> references_from(const wire::ReferencesRow& row);
wire::AxiomsRow to_wire(const AxiomReport& report);
AxiomReport axiom_report_from(const wire::AxiomsRow& row);

} // namespace leanhost::worker
