#include "worker/protocol/kernel_values.hpp"

#include "worker/protocol/field_error.hpp"
#include "worker/protocol/wire_values.hpp"

namespace leanhost::worker {
namespace {

using Numbers = google::protobuf::RepeatedField<std::uint32_t>;

// Nodes as a kind each and as many fields as their kinds have.
template <class Node>
void add_nodes(const std::vector<Node>& nodes, std::string& kinds, Numbers& fields) {
    kinds.reserve(nodes.size());
    for (const Node& node : nodes) {
        kinds.push_back(static_cast<char>(node.kind));
        for (unsigned i = 0; i < num_fields(node.kind); ++i)
            fields.Add(node.fields[i]);
    }
}

template <class Node, class Kind>
std::vector<Node> nodes_from(const std::string& kinds,
                             const Numbers& fields,
                             std::uint32_t num_kinds,
                             std::size_t most,
                             std::string_view field) {
    if (kinds.size() > most)
        bad_field(field, fmt::format("{} nodes, at most {} are taken", kinds.size(), most));
    std::vector<Node> nodes;
    nodes.reserve(kinds.size());
    int at = 0;
    for (const char byte : kinds) {
        Node node;
        node.kind = enumerator_from<Kind>(static_cast<unsigned char>(byte), num_kinds, field);
        const auto count = static_cast<int>(num_fields(node.kind));
        if (count > fields.size() - at)
            bad_field(field, "nodes with more fields than their table holds");
        for (int i = 0; i < count; ++i)
            node.fields[static_cast<std::size_t>(i)] = fields.Get(at++);
        nodes.push_back(node);
    }
    if (at != fields.size())
        bad_field(field, "a table that holds more fields than its nodes have");
    return nodes;
}

std::vector<std::string> texts_from(const wire::TermTable& message, std::string_view field) {
    std::vector<std::string> texts;
    texts.reserve(static_cast<std::size_t>(message.text_sizes_size()));
    std::size_t at = 0;
    for (const std::uint32_t size : message.text_sizes()) {
        if (size > message.texts().size() - at)
            bad_field(field, "texts that are longer than their table");
        texts.push_back(message.texts().substr(at, size));
        at += size;
    }
    if (at != message.texts().size())
        bad_field(field, "a table with more text than its texts");
    return texts;
}

void require_root(const TermTable& table, TermIndex root, std::string_view field) {
    if (root >= table.terms().size())
        bad_field(field, fmt::format("there is no term {} among {}", root, table.terms().size()));
}

} // namespace

wire::TermTable to_wire(const TermTable& table) {
    wire::TermTable message;
    *message.mutable_names() = to_wire(std::span(table.names()));
    for (const std::string& text : table.texts()) {
        message.add_text_sizes(static_cast<std::uint32_t>(text.size()));
        message.mutable_texts()->append(text);
    }
    add_nodes(table.levels(), *message.mutable_level_kinds(), *message.mutable_level_fields());
    message.mutable_level_lists()->Add(table.level_lists().begin(), table.level_lists().end());
    add_nodes(table.terms(), *message.mutable_term_kinds(), *message.mutable_term_fields());
    return message;
}

TermTable term_table_from(const wire::TermTable& message, std::string_view field) {
    TermParts parts;
    parts.names = names_from(message.names(), field);
    parts.texts = texts_from(message, field);
    parts.levels = nodes_from<LevelNode, LevelKind>(message.level_kinds(), message.level_fields(),
                                                    num_level_kinds, TermTable::max_levels, field);
    parts.level_lists.assign(message.level_lists().begin(), message.level_lists().end());
    parts.terms = nodes_from<TermNode, TermKind>(message.term_kinds(), message.term_fields(),
                                                 num_term_kinds, TermTable::max_terms, field);
    Expected<TermTable> table = TermTable::make(std::move(parts));
    if (!table)
        bad_field(field, table.error().message());
    return *std::move(table);
}

wire::Term to_wire(const Term& term) {
    wire::Term message;
    *message.mutable_table() = to_wire(term.table);
    message.set_root(term.root);
    return message;
}

Term term_from(const wire::Term& message, std::string_view field) {
    Term term{term_table_from(message.table(), field), message.root()};
    require_root(term.table, term.root, field);
    return term;
}

wire::CandidateDeclaration to_wire(const CandidateDeclaration& candidate) {
    wire::CandidateDeclaration message;
    append_name(candidate.name, *message.mutable_name());
    message.set_kind(static_cast<std::uint32_t>(candidate.kind));
    *message.mutable_universe_params() = to_wire(std::span(candidate.universe_params));
    *message.mutable_terms() = to_wire(candidate.terms);
    message.set_type(candidate.type);
    message.set_value(candidate.value);
    return message;
}

CandidateDeclaration candidate_from(const wire::CandidateDeclaration& message) {
    CandidateDeclaration candidate;
    candidate.name = name_from(message.name(), "candidate.name");
    candidate.kind =
        enumerator_from<DeclarationKind>(message.kind(), num_declaration_kinds, "candidate.kind");
    candidate.universe_params = names_from(message.universe_params(), "candidate.universe_params");
    candidate.terms = term_table_from(message.terms(), "candidate.terms");
    candidate.type = message.type();
    candidate.value = message.value();
    require_root(candidate.terms, candidate.type, "candidate.type");
    require_root(candidate.terms, candidate.value, "candidate.value");
    return candidate;
}

wire::DeclarationTerms to_wire(const DeclarationTerms& declaration) {
    wire::DeclarationTerms message;
    message.set_kind(static_cast<std::uint32_t>(declaration.kind));
    *message.mutable_universe_params() = to_wire(std::span(declaration.universe_params));
    *message.mutable_terms() = to_wire(declaration.terms);
    message.set_type(declaration.type);
    if (declaration.value)
        message.set_value(*declaration.value);
    return message;
}

DeclarationTerms declaration_terms_from(const wire::DeclarationTerms& message) {
    DeclarationTerms declaration{};
    declaration.kind =
        enumerator_from<DeclarationKind>(message.kind(), num_declaration_kinds, "declaration.kind");
    declaration.universe_params =
        names_from(message.universe_params(), "declaration.universe_params");
    declaration.terms = term_table_from(message.terms(), "declaration.terms");
    declaration.type = message.type();
    require_root(declaration.terms, declaration.type, "declaration.type");
    if (message.has_value()) {
        declaration.value = message.value();
        require_root(declaration.terms, *declaration.value, "declaration.value");
    }
    return declaration;
}

wire::KernelOptions to_wire(const KernelOptions& options) {
    wire::KernelOptions message;
    message.set_max_heartbeats(options.max_heartbeats);
    message.set_max_memory_bytes(options.max_memory_bytes);
    message.set_axioms(options.axioms);
    return message;
}

KernelOptions kernel_options_from(const wire::KernelOptions& message) {
    return {.max_heartbeats = message.max_heartbeats(),
            .max_memory_bytes = message.max_memory_bytes(),
            .axioms = message.axioms()};
}

VerdictKind verdict_kind_from(std::uint32_t number, std::string_view field) {
    constexpr std::uint32_t num_kinds = 3;
    return enumerator_from<VerdictKind>(number - 1, num_kinds, field);
}

wire::Verdict to_wire(const Verdict& verdict) {
    wire::Verdict message;
    message.set_kind(1 + static_cast<std::uint32_t>(verdict.kind));
    message.set_reason(verdict.reason);
    message.set_message(verdict.message);
    message.set_where(verdict.where);
    message.set_heartbeats(verdict.heartbeats);
    if (verdict.axioms)
        *message.mutable_axioms() = to_wire(*verdict.axioms);
    return message;
}

Verdict verdict_from(const wire::Verdict& message) {
    Verdict verdict;
    verdict.kind = verdict_kind_from(message.kind(), "verdict.kind");
    // What is no acceptance says why, and nothing else does.
    if ((verdict.kind == VerdictKind::accepted) != message.reason().empty())
        bad_field("verdict.reason", "a reason belongs to a rejection and to a decline");
    verdict.reason = message.reason();
    verdict.message = message.message();
    verdict.where = message.where();
    verdict.heartbeats = message.heartbeats();
    if (message.has_axioms())
        verdict.axioms = axiom_report_from(message.axioms());
    return verdict;
}

wire::KernelAnswer to_wire(const TermAnswer& answer) {
    wire::KernelAnswer message;
    *message.mutable_verdict() = to_wire(answer.verdict);
    if (answer.term)
        *message.mutable_term() = to_wire(*answer.term);
    return message;
}

TermAnswer term_answer_from(const wire::KernelAnswer& message) {
    TermAnswer answer;
    answer.verdict = verdict_from(message.verdict());
    const bool is_accepted = answer.verdict.kind == VerdictKind::accepted;
    if (message.has_term() != is_accepted)
        bad_field("answer.term", "a term belongs to an acceptance, and to it only");
    if (is_accepted)
        answer.term = term_from(message.term(), "answer.term");
    return answer;
}

wire::KernelAnswer to_wire(const EqualityAnswer& answer) {
    wire::KernelAnswer message;
    *message.mutable_verdict() = to_wire(answer.verdict);
    message.set_is_equal(answer.is_equal);
    return message;
}

EqualityAnswer equality_answer_from(const wire::KernelAnswer& message) {
    EqualityAnswer answer;
    answer.verdict = verdict_from(message.verdict());
    if (message.result_case() != wire::KernelAnswer::kIsEqual)
        bad_field("answer.is_equal", "an answer without it");
    answer.is_equal = message.is_equal();
    if (answer.is_equal && answer.verdict.kind != VerdictKind::accepted)
        bad_field("answer.is_equal", "equal terms that were not accepted");
    return answer;
}

} // namespace leanhost::worker
