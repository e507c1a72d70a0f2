#include "worker/protocol/wire_values.hpp"

#include "worker/protocol/field_error.hpp"

#include <algorithm>
#include <limits>

namespace leanhost::worker {
namespace {

constexpr std::uint32_t number_component = std::numeric_limits<std::uint32_t>::max();

// Walks a name table; every step looks whether the table still has what it needs.
class NameTableReader {
public:
    NameTableReader(const wire::NameTable& table, std::string_view field)
        : table_(table), field_(field) {
        if (static_cast<std::size_t>(table.component_counts_size()) > max_names_a_message)
            bad_field(field, "more names than a message may hold");
    }

    std::vector<Name> read() {
        std::vector<Name> names;
        names.reserve(static_cast<std::size_t>(table_.component_counts_size()));
        for (const std::uint32_t count : table_.component_counts())
            names.push_back(name(count));
        if (component_ != table_.text_sizes_size() || text_ != table_.texts().size() ||
            number_ != table_.numbers_size())
            bad_field(field_, "a name table that holds more than its names");
        return names;
    }

private:
    Name name(std::uint32_t components) {
        if (components > max_name_components ||
            components > static_cast<std::uint32_t>(table_.text_sizes_size() - component_))
            bad_field(field_, "a name with more components than its table holds");
        std::vector<Name::Component> parts;
        parts.reserve(components);
        for (std::uint32_t i = 0; i < components; ++i)
            parts.push_back(component());
        return parts.empty() ? Name() : Name(std::move(parts));
    }

    Name::Component component() {
        const std::uint32_t size = table_.text_sizes(component_++);
        if (size == number_component) {
            if (number_ == table_.numbers_size())
                bad_field(field_, "a name with more numbers than its table holds");
            return {.text = {}, .number = table_.numbers(number_++), .is_number = true};
        }
        if (size > table_.texts().size() - text_)
            bad_field(field_, "a name with more text than its table holds");
        std::string text = table_.texts().substr(text_, size);
        text_ += size;
        return {.text = std::move(text), .number = 0, .is_number = false};
    }

    const wire::NameTable& table_;
    const std::string_view field_;
    int component_ = 0;
    int number_ = 0;
    std::size_t text_ = 0;
};

std::vector<std::string> texts_from(const google::protobuf::RepeatedPtrField<std::string>& texts) {
    return {texts.begin(), texts.end()};
}

void add_texts(const std::vector<std::string>& texts,
               google::protobuf::RepeatedPtrField<std::string>& out) {
    out.Assign(texts.begin(), texts.end());
}

constexpr std::uint32_t num_profiles = 3;
constexpr std::uint32_t num_safeties = 3;
constexpr std::uint32_t num_hint_kinds = 3;

ErrorFact fact_from(const wire::ErrorFact& fact) {
    switch (fact.value_case()) {
    case wire::ErrorFact::kNumber:
        return {fact.key(), fact.number()};
    case wire::ErrorFact::kTruth:
        return {fact.key(), fact.truth()};
    default:
        return {fact.key(), fact.text()};
    }
}

std::optional<ErrorCode> code_of(std::string_view id) noexcept {
#define LEANHOST_ERROR_CODE(name, text, cli_exit_code, still_usable)                               \
    if (id == (text))                                                                              \
        return ErrorCode::name;
#include <leanhost/error_codes.def>
#undef LEANHOST_ERROR_CODE
    return std::nullopt;
}

} // namespace

bool is_immediate(const wire::ToWorker& request) noexcept {
    return request.has_ping() || request.has_stats();
}

void append_name(const Name& name, wire::NameTable& out) {
    out.add_component_counts(static_cast<std::uint32_t>(name.components().size()));
    for (const Name::Component& component : name.components()) {
        if (component.is_number) {
            out.add_text_sizes(number_component);
            out.add_numbers(component.number);
        } else {
            out.add_text_sizes(static_cast<std::uint32_t>(component.text.size()));
            out.mutable_texts()->append(component.text);
        }
    }
}

wire::NameTable to_wire(std::span<const Name> names) {
    wire::NameTable table;
    for (const Name& name : names)
        append_name(name, table);
    return table;
}

std::vector<Name> names_from(const wire::NameTable& table, std::string_view field) {
    return NameTableReader(table, field).read();
}

Name name_from(const wire::NameTable& table, std::string_view field) {
    std::vector<Name> names = names_from(table, field);
    if (names.size() != 1)
        bad_field(field, fmt::format("{} names where one belongs", names.size()));
    return std::move(names.front());
}

wire::ErrorValue to_wire(const Error& error) {
    wire::ErrorValue value;
    value.set_id(std::string(error.id()));
    value.set_message(error.message());
    for (const ErrorFact& fact : error.facts()) {
        wire::ErrorFact& out = *value.add_facts();
        out.set_key(fact.key);
        if (const auto* number = std::get_if<std::uint64_t>(&fact.value))
            out.set_number(*number);
        else if (const auto* truth = std::get_if<bool>(&fact.value))
            out.set_truth(*truth);
        else
            out.set_text(std::get<std::string>(fact.value));
    }
    return value;
}

Error error_from(const wire::ErrorValue& value) {
    constexpr int max_facts = 64;
    std::vector<ErrorFact> facts;
    for (const wire::ErrorFact& fact : value.facts()) {
        if (facts.size() == max_facts)
            break;
        facts.push_back(fact_from(fact));
    }
    if (const std::optional<ErrorCode> code = code_of(value.id()))
        return {*code, value.message(), std::move(facts)};
    return {ErrorCode::internal,
            fmt::format("the worker failed with '{:.64}', which is unknown here: {}", value.id(),
                        value.message()),
            std::move(facts)};
}

wire::ImportSet to_wire(const ImportSet& imports) {
    wire::ImportSet message;
    *message.mutable_modules() = to_wire(std::span(imports.modules));
    message.set_profile(static_cast<std::uint32_t>(imports.profile));
    message.set_allow_missing(imports.allow_missing);
    return message;
}

ImportSet import_set_from(const wire::ImportSet& message) {
    return ImportSet(names_from(message.modules(), "imports.modules"),
                     enumerator_from<Profile>(message.profile(), num_profiles, "imports.profile"),
                     message.allow_missing());
}

wire::ImportFacts to_wire(const ImportFacts& facts) {
    wire::ImportFacts message;
    message.set_modules(facts.modules);
    message.set_constants(facts.constants);
    message.set_region_bytes(facts.region_bytes);
    message.set_relocated_bytes(facts.relocated_bytes);
    message.set_index_bytes(facts.index_bytes);
    *message.mutable_missing_modules() = to_wire(std::span(facts.missing_modules));
    message.set_was_shared(facts.was_shared);
    return message;
}

ImportFacts import_facts_from(const wire::ImportFacts& message) {
    ImportFacts facts;
    facts.modules = message.modules();
    facts.constants = message.constants();
    facts.region_bytes = message.region_bytes();
    facts.relocated_bytes = message.relocated_bytes();
    facts.index_bytes = message.index_bytes();
    facts.missing_modules = names_from(message.missing_modules(), "facts.missing_modules");
    facts.was_shared = message.was_shared();
    return facts;
}

wire::RuntimeOptions to_wire(const RuntimeOptions& options) {
    wire::RuntimeOptions message;
    message.set_engine(static_cast<std::uint32_t>(options.engine));
    for (const std::filesystem::path& folder : options.search_path)
        message.add_search_path(folder.native());
    message.set_trust(static_cast<std::uint32_t>(options.trust));
    message.set_region_policy(static_cast<std::uint32_t>(options.region_policy));
    message.set_revalidate_after_ms(
        static_cast<std::uint64_t>(std::max<std::int64_t>(0, options.revalidate_after.count())));
    message.set_max_import_threads(options.max_import_threads);
    return message;
}

RuntimeOptions runtime_options_from(const wire::RuntimeOptions& message) {
    RuntimeOptions options;
    options.engine = enumerator_from<EngineKind>(message.engine(), 2, "runtime.engine");
    for (const std::string& folder : message.search_path())
        options.search_path.emplace_back(folder);
    options.trust = enumerator_from<SearchPathTrust>(message.trust(), 2, "runtime.trust");
    options.region_policy =
        enumerator_from<RegionPolicy>(message.region_policy(), 2, "runtime.region_policy");
    constexpr std::uint64_t longest_ms = 1ULL << 40U;
    options.revalidate_after =
        std::chrono::milliseconds(std::min(message.revalidate_after_ms(), longest_ms));
    options.max_import_threads = message.max_import_threads();
    return options;
}

wire::DeclarationFields to_wire(const DeclarationFields& fields) {
    wire::DeclarationFields message;
    message.set_universe_params(fields.universe_params);
    message.set_type(fields.type);
    message.set_facts(fields.facts);
    message.set_value_size(fields.value_size);
    message.set_max_type_bytes(fields.max_type_bytes);
    return message;
}

DeclarationFields fields_from(const wire::DeclarationFields& message) {
    return {.universe_params = message.universe_params(),
            .type = message.type(),
            .facts = message.facts(),
            .value_size = message.value_size(),
            .max_type_bytes = message.max_type_bytes()};
}

wire::SearchRequest to_wire(const DeclarationFilter& filter) {
    wire::SearchRequest message;
    append_name(filter.prefix, *message.mutable_prefix());
    message.set_pattern(filter.pattern);
    for (const DeclarationKind kind : filter.kinds)
        message.add_kinds(static_cast<std::uint32_t>(kind));
    append_name(filter.module, *message.mutable_module());
    *message.mutable_type_mentions() = to_wire(std::span(filter.type_mentions));
    return message;
}

DeclarationFilter filter_from(const wire::SearchRequest& message) {
    DeclarationFilter filter;
    filter.prefix = name_from(message.prefix(), "search.prefix");
    filter.pattern = message.pattern();
    for (const std::uint32_t kind : message.kinds())
        filter.kinds.push_back(
            enumerator_from<DeclarationKind>(kind, num_declaration_kinds, "search.kinds"));
    filter.module = name_from(message.module(), "search.module");
    filter.type_mentions = names_from(message.type_mentions(), "search.type_mentions");
    return filter;
}

wire::SearchAnswer to_wire(const SearchSummary& summary) {
    wire::SearchAnswer message;
    message.set_looked_at(summary.looked_at);
    message.set_found(summary.found);
    message.set_was_stopped(summary.was_stopped);
    return message;
}

SearchSummary search_summary_from(const wire::SearchAnswer& message) {
    return {.looked_at = message.looked_at(),
            .found = message.found(),
            .was_stopped = message.was_stopped()};
}

namespace {

void add_facts(const Declaration& declaration, wire::DeclarationRow& row) {
    if (const auto* inductive = std::get_if<InductiveFacts>(&declaration.facts)) {
        wire::InductiveFacts& out = *row.mutable_inductive();
        out.set_num_params(inductive->num_params);
        out.set_num_indices(inductive->num_indices);
        add_texts(inductive->constructors, *out.mutable_constructors());
        out.set_is_recursive(inductive->is_recursive);
        out.set_is_reflexive(inductive->is_reflexive);
    } else if (const auto* constructor = std::get_if<ConstructorFacts>(&declaration.facts)) {
        wire::ConstructorFacts& out = *row.mutable_constructor();
        out.set_inductive(constructor->inductive);
        out.set_index(constructor->index);
        out.set_num_params(constructor->num_params);
        out.set_num_fields(constructor->num_fields);
    } else if (const auto* recursor = std::get_if<RecursorFacts>(&declaration.facts)) {
        wire::RecursorFacts& out = *row.mutable_recursor();
        out.set_num_params(recursor->num_params);
        out.set_num_indices(recursor->num_indices);
        out.set_num_motives(recursor->num_motives);
        out.set_num_minors(recursor->num_minors);
        out.set_has_k(recursor->has_k);
        add_texts(recursor->rules, *out.mutable_rules());
    }
}

void read_facts(const wire::DeclarationRow& row, Declaration& declaration) {
    switch (row.facts_case()) {
    case wire::DeclarationRow::kInductive:
        declaration.facts =
            InductiveFacts{.num_params = row.inductive().num_params(),
                           .num_indices = row.inductive().num_indices(),
                           .constructors = texts_from(row.inductive().constructors()),
                           .is_recursive = row.inductive().is_recursive(),
                           .is_reflexive = row.inductive().is_reflexive()};
        break;
    case wire::DeclarationRow::kConstructor:
        declaration.facts = ConstructorFacts{.inductive = row.constructor().inductive(),
                                             .index = row.constructor().index(),
                                             .num_params = row.constructor().num_params(),
                                             .num_fields = row.constructor().num_fields()};
        break;
    case wire::DeclarationRow::kRecursor:
        declaration.facts = RecursorFacts{.num_params = row.recursor().num_params(),
                                          .num_indices = row.recursor().num_indices(),
                                          .num_motives = row.recursor().num_motives(),
                                          .num_minors = row.recursor().num_minors(),
                                          .has_k = row.recursor().has_k(),
                                          .rules = texts_from(row.recursor().rules())};
        break;
    case wire::DeclarationRow::FACTS_NOT_SET:
        break;
    }
}

} // namespace

wire::DeclarationRow to_wire(const Declaration& declaration) {
    wire::DeclarationRow row;
    // One more than the enumerator, so that no declaration is an empty row.
    row.set_kind(1 + static_cast<std::uint32_t>(declaration.kind));
    row.set_module(std::string(declaration.module));
    add_texts(declaration.universe_params, *row.mutable_universe_params());
    row.set_type(declaration.type);
    row.set_type_is_cut(declaration.type_is_cut);
    row.set_safety(static_cast<std::uint32_t>(declaration.safety));
    if (declaration.hint) {
        row.set_hint_kind(1 + static_cast<std::uint32_t>(declaration.hint->kind));
        row.set_hint_height(declaration.hint->height);
    }
    if (declaration.value_terms)
        row.set_value_terms(*declaration.value_terms);
    add_facts(declaration, row);
    return row;
}

Declaration declaration_from(const wire::DeclarationRow& row,
                             const std::function<std::string_view(std::string_view)>& keep_module) {
    Declaration declaration{};
    declaration.kind =
        enumerator_from<DeclarationKind>(row.kind() - 1, num_declaration_kinds, "row.kind");
    declaration.module = keep_module(row.module());
    declaration.universe_params = texts_from(row.universe_params());
    declaration.type = row.type();
    declaration.type_is_cut = row.type_is_cut();
    declaration.safety =
        enumerator_from<DeclarationSafety>(row.safety(), num_safeties, "row.safety");
    if (row.hint_kind() != 0) {
        declaration.hint =
            ReducibilityHint{.kind = enumerator_from<ReducibilityHint::Kind>(
                                 row.hint_kind() - 1, num_hint_kinds, "row.hint_kind"),
                             .height = row.hint_height()};
    }
    if (row.has_value_terms())
        declaration.value_terms = row.value_terms();
    read_facts(row, declaration);
    return declaration;
}

wire::ReferencesRow to_wire(const std::vector<Reference>& references) {
    wire::ReferencesRow row;
    for (const Reference& reference : references) {
        append_name(reference.name, *row.mutable_names());
        row.add_is_in_type(reference.is_in_type);
    }
    return row;
}

std::vector<Reference> references_from(const wire::ReferencesRow& row) {
    std::vector<Name> names = names_from(row.names(), "references.names");
    if (names.size() != static_cast<std::size_t>(row.is_in_type_size()))
        bad_field("references.is_in_type", "not one for each name");
    std::vector<Reference> references;
    references.reserve(names.size());
    for (std::size_t i = 0; i < names.size(); ++i)
        references.push_back({std::move(names[i]), row.is_in_type(static_cast<int>(i))});
    return references;
}

wire::AxiomsRow to_wire(const AxiomReport& report) {
    wire::AxiomsRow row;
    *row.mutable_axioms() = to_wire(std::span(report.axioms));
    row.set_is_complete(report.is_complete);
    return row;
}

AxiomReport axiom_report_from(const wire::AxiomsRow& row) {
    return {.axioms = names_from(row.axioms(), "axioms.axioms"), .is_complete = row.is_complete()};
}

} // namespace leanhost::worker
