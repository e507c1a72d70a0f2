#include "base/failure.hpp"
#include "worker/protocol/wire_values.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <limits>
#include <random>
#include <set>

namespace leanhost::worker {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint32_t number_component = std::numeric_limits<std::uint32_t>::max();
constexpr unsigned num_seeds = 50;

template <class Body>
Error error_of(Body&& body) {
    try {
        body();
    } catch (const Failure& failure) {
        return failure.error();
    }
    ADD_FAILURE() << "nothing was refused";
    return {ErrorCode::internal, "nothing was refused"};
}

template <class Body>
void expect_refused(Body&& body, const std::string& field, const std::string& reason) {
    const Error error = error_of(std::forward<Body>(body));
    EXPECT_EQ(error.code(), ErrorCode::protocol_error);
    EXPECT_THAT(error.message(), AllOf(HasSubstr("field '" + field + "'"), HasSubstr(reason)));
}

// As the other side gets it, from a peer that knows a field more than this side.
template <class Message>
Message through_bytes(const Message& message) {
    constexpr std::string_view field_1000_is_7 = "\xc0\x3e\x07";
    Message read;
    EXPECT_TRUE(read.ParseFromString(message.SerializeAsString().append(field_1000_is_7)));
    return read;
}

class Random {
public:
    explicit Random(unsigned seed) : engine_(seed) {}

    std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
    bool flip() { return below(2) == 1; }
    // Great numbers and small ones.
    std::uint64_t number() { return engine_() >> below(64); }
    // Any bytes, also those that are no text.
    std::string bytes() {
        std::string bytes(below(20), '\0');
        for (char& byte : bytes)
            byte = static_cast<char>(below(256));
        return bytes;
    }
    std::vector<std::string> several_bytes() {
        std::vector<std::string> several(below(4));
        for (std::string& one : several)
            one = bytes();
        return several;
    }
    Name name() {
        std::vector<Name::Component> components(below(6));
        for (Name::Component& component : components) {
            component =
                flip() ? Name::Component{{}, number(), true} : Name::Component{bytes(), 0, false};
        }
        return Name(std::move(components));
    }
    std::vector<Name> names() {
        std::vector<Name> names(below(8));
        for (Name& one : names)
            one = name();
        return names;
    }

private:
    std::mt19937_64 engine_;
};

wire::NameTable table_of(std::initializer_list<std::uint32_t> counts,
                         std::initializer_list<std::uint32_t> sizes,
                         std::string texts,
                         std::initializer_list<std::uint64_t> numbers = {}) {
    wire::NameTable table;
    table.mutable_component_counts()->Add(counts.begin(), counts.end());
    table.mutable_text_sizes()->Add(sizes.begin(), sizes.end());
    table.set_texts(std::move(texts));
    table.mutable_numbers()->Add(numbers.begin(), numbers.end());
    return table;
}

const wire::NameTable bad_table = table_of({1}, {}, {});
constexpr auto bad_table_reason = "a name with more components than its table holds";

std::vector<Name> names_there_and_back(const std::vector<Name>& names) {
    return names_from(through_bytes(to_wire(std::span(names))), "names");
}

// One component, taken literally.
Name text_name(std::string text) {
    return Name(std::vector<Name::Component>{{std::move(text), 0, false}});
}

TEST(WireNames, RandomNamesComeBackAsTheyWere) {
    for (unsigned seed = 1; seed <= num_seeds; ++seed) {
        const std::vector<Name> names = Random(seed).names();
        EXPECT_EQ(names_there_and_back(names), names) << "seed " << seed;
    }
}

TEST(WireNames, NamesWithWhatIsSpecialInTheirTextComeBack) {
    std::vector<Name> names = {Name(),
                               Name("Nat.add_comm"),
                               Name("_private.Init.Prelude.0.foo"),
                               Name("«a.b».«»"),
                               Name("«1».1"),
                               Name("∀x.→"),
                               Name("18446744073709551615.0"),
                               Name({{"»", 0, false}, {"«", 0, false}, {".", 0, false}}),
                               text_name(std::string(100'000, 'x')),
                               text_name(std::string(1, '\0'))};
    EXPECT_EQ(names_there_and_back(names), names);
    EXPECT_EQ(names_there_and_back({}), std::vector<Name>{});
}

TEST(WireNames, NumberAndTextOfTheSameDigitsStayApart) {
    const std::vector<Name> names = {Name("7"), text_name("7")};
    const std::vector<Name> back = names_there_and_back(names);
    EXPECT_EQ(back, names);
    EXPECT_NE(back[0], back[1]);
}

TEST(WireNames, TableIsFlat) {
    const std::vector<Name> names = {Name("ab.7"), Name(), Name("c")};
    const wire::NameTable table = to_wire(std::span(names));
    EXPECT_THAT(table.component_counts(), ElementsAre(2, 0, 1));
    EXPECT_THAT(table.text_sizes(), ElementsAre(2, number_component, 1));
    EXPECT_EQ(table.texts(), "abc");
    EXPECT_THAT(table.numbers(), ElementsAre(7));
}

TEST(WireNames, LongestNameComesBackAndOneComponentMoreIsRefused) {
    std::vector<Name::Component> components(max_name_components, {"x", 0, false});
    const Name longest(components);
    EXPECT_EQ(names_there_and_back({longest}), std::vector<Name>{longest});
    components.push_back({"x", 0, false});
    const std::vector<Name> too_long = {Name(components)};
    expect_refused([&] { names_from(to_wire(std::span(too_long)), "names"); }, "names",
                   bad_table_reason);
}

TEST(WireNames, AsManyNamesAsAMessageHoldsAreReadAndOneMoreIsRefused) {
    wire::NameTable table;
    for (std::size_t i = 0; i < max_names_a_message; ++i)
        table.add_component_counts(0);
    EXPECT_EQ(names_from(table, "names").size(), max_names_a_message);
    table.add_component_counts(0);
    expect_refused([&] { names_from(table, "names"); }, "names",
                   "more names than a message may hold");
}

TEST(WireNames, TableThatLiesIsRefusedForItsLie) {
    const struct {
        const char* lie;
        wire::NameTable table;
        const char* reason;
    } cases[] = {
        {"a count without components", bad_table, bad_table_reason},
        {"a count that is one too great", table_of({1, 2}, {1, 1}, "ab"), bad_table_reason},
        {"the greatest count", table_of({UINT32_MAX}, {1}, "a"), bad_table_reason},
        {"a count that is negative as an int", table_of({1U << 31U}, {1}, "a"), bad_table_reason},
        {"a size without text", table_of({1}, {1}, {}),
         "a name with more text than its table holds"},
        {"a size that is one too great", table_of({2}, {1, 2}, "ab"),
         "a name with more text than its table holds"},
        {"the greatest size", table_of({2}, {1, number_component - 1}, "ab"),
         "a name with more text than its table holds"},
        {"a number that is not there", table_of({1}, {number_component}, {}),
         "a name with more numbers than its table holds"},
        {"the second number is not there",
         table_of({2}, {number_component, number_component}, {}, {1}),
         "a name with more numbers than its table holds"},
        {"text of no name", table_of({1}, {1}, "ab"),
         "a name table that holds more than its names"},
        {"a size of no name", table_of({1}, {1, 0}, "a"),
         "a name table that holds more than its names"},
        {"a number of no name", table_of({1}, {1}, "a", {1}),
         "a name table that holds more than its names"},
        {"no name, but text", table_of({}, {}, "a"), "a name table that holds more than its names"},
    };
    for (const auto& one : cases) {
        SCOPED_TRACE(one.lie);
        expect_refused([&] { names_from(one.table, "some.names"); }, "some.names", one.reason);
    }
}

TEST(WireNames, WhereOneNameBelongsAnotherNumberIsRefused) {
    EXPECT_EQ(name_from(table_of({1}, {1}, "a"), "find.names"), Name("a"));
    expect_refused([] { name_from({}, "find.names"); }, "find.names", "0 names where one belongs");
    expect_refused(
        [] {
            name_from(table_of({0, 0}, {}, {}), "find.names");
        },
        "find.names", "2 names where one belongs");
}

constexpr ErrorCode all_codes[] = {
#define LEANHOST_ERROR_CODE(name, id, cli_exit_code, still_usable) ErrorCode::name,
#include <leanhost/error_codes.def>
#undef LEANHOST_ERROR_CODE
};

void expect_same(const Error& read, const Error& sent) {
    EXPECT_EQ(read.code(), sent.code());
    EXPECT_EQ(read.message(), sent.message());
    ASSERT_EQ(read.facts().size(), sent.facts().size());
    for (std::size_t i = 0; i < sent.facts().size(); ++i) {
        EXPECT_EQ(read.facts()[i].key, sent.facts()[i].key);
        EXPECT_EQ(read.facts()[i].value, sent.facts()[i].value);
    }
}

TEST(WireErrors, EveryCodeComesBackWithItsFacts) {
    for (const ErrorCode code : all_codes) {
        const Error error(code, fmt::format("as {}", error_code_id(code)),
                          {{"offset", std::uint64_t{40}},
                           {"nothing", std::uint64_t{0}},
                           {"greatest", std::numeric_limits<std::uint64_t>::max()},
                           {"yes", true},
                           {"no", false},
                           {"path", std::string("A.olean")},
                           {"empty", std::string()}});
        expect_same(error_from(through_bytes(to_wire(error))), error);
    }
}

// A `string` of a message is refused by the parser when it is no UTF-8, and with it the whole
// message: a worker whose module lay in a folder with such a name was ended for a protocol error.
TEST(WireErrors, TextThatIsNoUtf8ComesBack) {
    const Error error(ErrorCode::io, "/lib/\xff\xfe/A.olean: cannot be read",
                      {{"path\xff", std::string("/lib/\xff\xfe/A.olean")}});
    expect_same(error_from(through_bytes(to_wire(error))), error);
}

TEST(WireErrors, UnknownIdBecomesInternalAndIsNamed) {
    wire::ErrorValue value = to_wire(Error(ErrorCode::io, "no space left", {{"key", true}}));
    value.set_id("leanhost.of_next_year");
    const Error error = error_from(value);
    EXPECT_EQ(error.code(), ErrorCode::internal);
    EXPECT_THAT(error.message(), AllOf(HasSubstr("leanhost.of_next_year"), HasSubstr("no space")));
    EXPECT_NE(error.find_fact("key"), nullptr);
}

TEST(WireErrors, LongUnknownIdLeavesRoomForTheMessage) {
    wire::ErrorValue value;
    value.set_id(std::string(100'000, 'i'));
    value.set_message("no space left");
    EXPECT_THAT(error_from(value).message(), HasSubstr("no space left"));
}

TEST(WireErrors, EmptyValueIsAnInternalError) {
    EXPECT_EQ(error_from({}).code(), ErrorCode::internal);
}

TEST(WireErrors, FactWithoutAValueIsEmptyText) {
    wire::ErrorValue value = to_wire(Error(ErrorCode::io, ""));
    value.add_facts()->set_key("key");
    const Error error = error_from(value);
    ASSERT_NE(error.find_fact("key"), nullptr);
    EXPECT_EQ(*error.find_fact("key"), ErrorFact::Value(std::string()));
}

TEST(WireErrors, MessageAndFactsAreBounded) {
    wire::ErrorValue value = to_wire(Error(ErrorCode::io, ""));
    value.set_message(std::string(1'000'000, 'x'));
    for (std::uint64_t i = 0; i < 1000; ++i)
        value.add_facts()->set_number(i);
    const Error error = error_from(value);
    EXPECT_EQ(error.message().size(), Error::max_message_bytes);
    EXPECT_EQ(error.facts().size(), 64U);
}

TEST(WireImports, SetsOfEveryProfileComeBack) {
    for (const Profile profile : {Profile::exported, Profile::server, Profile::all}) {
        for (const bool allow_missing : {false, true}) {
            const ImportSet imports({Name("Mathlib"), Name("Init.Prelude")}, profile,
                                    allow_missing);
            EXPECT_EQ(import_set_from(through_bytes(to_wire(imports))), imports);
        }
    }
    for (unsigned seed = 1; seed <= num_seeds; ++seed) {
        const ImportSet imports(Random(seed).names());
        EXPECT_EQ(import_set_from(through_bytes(to_wire(imports))), imports) << "seed " << seed;
    }
}

TEST(WireImports, BadSetsAreRefused) {
    wire::ImportSet message = to_wire(ImportSet({Name("A")}));
    message.set_profile(3);
    expect_refused([&] { import_set_from(message); }, "imports.profile",
                   "3 is none of the 3 values known");
    message.set_profile(0);
    *message.mutable_modules() = bad_table;
    expect_refused([&] { import_set_from(message); }, "imports.modules", bad_table_reason);
}

TEST(WireImports, RandomFactsComeBack) {
    for (unsigned seed = 1; seed <= num_seeds; ++seed) {
        Random random(seed);
        const ImportFacts facts{.modules = random.number(),
                                .constants = random.number(),
                                .region_bytes = random.number(),
                                .relocated_bytes = random.number(),
                                .index_bytes = random.number(),
                                .missing_modules = random.names(),
                                .was_shared = random.flip()};
        const ImportFacts read = import_facts_from(through_bytes(to_wire(facts)));
        EXPECT_EQ(read.modules, facts.modules);
        EXPECT_EQ(read.constants, facts.constants);
        EXPECT_EQ(read.region_bytes, facts.region_bytes);
        EXPECT_EQ(read.relocated_bytes, facts.relocated_bytes);
        EXPECT_EQ(read.index_bytes, facts.index_bytes);
        EXPECT_EQ(read.missing_modules, facts.missing_modules);
        EXPECT_EQ(read.was_shared, facts.was_shared);
    }
}

TEST(WireImports, BadFactsAreRefused) {
    wire::ImportFacts message;
    *message.mutable_missing_modules() = bad_table;
    expect_refused([&] { import_facts_from(message); }, "facts.missing_modules", bad_table_reason);
}

TEST(WireRuntimeOptions, EveryCombinationComesBack) {
    for (const EngineKind engine : {EngineKind::native, EngineKind::lean}) {
        for (const auto trust : {SearchPathTrust::stable, SearchPathTrust::hostile}) {
            for (const auto policy : {RegionPolicy::shared, RegionPolicy::lean_compatible}) {
                const RuntimeOptions options{.engine = engine,
                                             .search_path = {"/a", "b/\xff", ""},
                                             .trust = trust,
                                             .region_policy = policy,
                                             .revalidate_after = std::chrono::milliseconds(123),
                                             .max_import_threads = 9};
                EXPECT_EQ(runtime_options_from(through_bytes(to_wire(options))), options);
            }
        }
    }
    EXPECT_EQ(runtime_options_from(through_bytes(to_wire(RuntimeOptions()))), RuntimeOptions());
}

TEST(WireRuntimeOptions, EnumeratorsOutOfRangeAreRefusedByName) {
    wire::RuntimeOptions message;
    message.set_engine(2);
    expect_refused([&] { runtime_options_from(message); }, "runtime.engine",
                   "2 is none of the 2 values known");
    message.set_engine(0);
    message.set_trust(2);
    expect_refused([&] { runtime_options_from(message); }, "runtime.trust", "2 is none");
    message.set_trust(0);
    message.set_region_policy(UINT32_MAX);
    expect_refused([&] { runtime_options_from(message); }, "runtime.region_policy", "is none");
}

// A duration is signed and is added to a clock's time.
TEST(WireRuntimeOptions, DurationsStayInsideWhatAClockCanTake) {
    wire::RuntimeOptions message;
    message.set_revalidate_after_ms(std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(runtime_options_from(message).revalidate_after.count(), std::int64_t{1} << 40U);
    const RuntimeOptions negative{.revalidate_after = std::chrono::milliseconds(-1)};
    EXPECT_EQ(runtime_options_from(to_wire(negative)).revalidate_after.count(), 0);
}

TEST(WireFields, EveryCombinationComesBack) {
    for (unsigned bits = 0; bits < 16; ++bits) {
        const DeclarationFields fields{.universe_params = (bits & 1U) != 0,
                                       .type = (bits & 2U) != 0,
                                       .facts = (bits & 4U) != 0,
                                       .value_size = (bits & 8U) != 0,
                                       .max_type_bytes = 1000 + bits};
        const DeclarationFields read = fields_from(through_bytes(to_wire(fields)));
        EXPECT_EQ(read.universe_params, fields.universe_params);
        EXPECT_EQ(read.type, fields.type);
        EXPECT_EQ(read.facts, fields.facts);
        EXPECT_EQ(read.value_size, fields.value_size);
        EXPECT_EQ(read.max_type_bytes, fields.max_type_bytes);
    }
}

constexpr DeclarationKind all_kinds[] = {DeclarationKind::axiom,       DeclarationKind::definition,
                                         DeclarationKind::theorem,     DeclarationKind::opaque,
                                         DeclarationKind::quotient,    DeclarationKind::inductive,
                                         DeclarationKind::constructor, DeclarationKind::recursor};

void expect_same(const DeclarationFilter& read, const DeclarationFilter& sent) {
    EXPECT_EQ(read.prefix, sent.prefix);
    EXPECT_EQ(read.pattern, sent.pattern);
    EXPECT_EQ(read.kinds, sent.kinds);
    EXPECT_EQ(read.module, sent.module);
    EXPECT_EQ(read.type_mentions, sent.type_mentions);
}

TEST(WireSearch, FiltersComeBack) {
    expect_same(filter_from(through_bytes(to_wire(DeclarationFilter()))), {});
    for (unsigned seed = 1; seed <= num_seeds; ++seed) {
        Random random(seed);
        DeclarationFilter filter{.prefix = random.name(),
                                 .pattern = random.bytes(),
                                 .module = random.name(),
                                 .type_mentions = random.names()};
        for (const DeclarationKind kind : all_kinds) {
            if (random.flip())
                filter.kinds.push_back(kind);
        }
        expect_same(filter_from(through_bytes(to_wire(filter))), filter);
    }
}

TEST(WireSearch, BadFiltersAreRefused) {
    const wire::SearchRequest good = to_wire(DeclarationFilter());
    wire::SearchRequest bad = good;
    bad.add_kinds(8);
    expect_refused([&] { filter_from(bad); }, "search.kinds", "8 is none of the 8 values known");
    bad = good;
    bad.clear_prefix();
    expect_refused([&] { filter_from(bad); }, "search.prefix", "0 names where one belongs");
    bad = good;
    bad.mutable_module()->add_component_counts(0);
    expect_refused([&] { filter_from(bad); }, "search.module", "2 names where one belongs");
    bad = good;
    *bad.mutable_type_mentions() = bad_table;
    expect_refused([&] { filter_from(bad); }, "search.type_mentions", bad_table_reason);
}

TEST(WireSearch, SummariesComeBack) {
    for (unsigned seed = 1; seed <= num_seeds; ++seed) {
        Random random(seed);
        const SearchSummary summary{
            .looked_at = random.number(), .found = random.number(), .was_stopped = random.flip()};
        const SearchSummary read = search_summary_from(through_bytes(to_wire(summary)));
        EXPECT_EQ(read.looked_at, summary.looked_at);
        EXPECT_EQ(read.found, summary.found);
        EXPECT_EQ(read.was_stopped, summary.was_stopped);
    }
}

// Keeps what the rows' modules point to.
class Modules {
public:
    std::string_view operator()(std::string_view module) { return *texts_.emplace(module).first; }

private:
    std::set<std::string, std::less<>> texts_;
};

Declaration declaration_there_and_back(const Declaration& declaration, Modules& modules) {
    return declaration_from(through_bytes(to_wire(declaration)), std::ref(modules));
}

void expect_same(const InductiveFacts& read, const InductiveFacts& sent) {
    EXPECT_EQ(read.num_params, sent.num_params);
    EXPECT_EQ(read.num_indices, sent.num_indices);
    EXPECT_EQ(read.constructors, sent.constructors);
    EXPECT_EQ(read.is_recursive, sent.is_recursive);
    EXPECT_EQ(read.is_reflexive, sent.is_reflexive);
}
void expect_same(const ConstructorFacts& read, const ConstructorFacts& sent) {
    EXPECT_EQ(read.inductive, sent.inductive);
    EXPECT_EQ(read.index, sent.index);
    EXPECT_EQ(read.num_params, sent.num_params);
    EXPECT_EQ(read.num_fields, sent.num_fields);
}
void expect_same(const RecursorFacts& read, const RecursorFacts& sent) {
    EXPECT_EQ(read.num_params, sent.num_params);
    EXPECT_EQ(read.num_indices, sent.num_indices);
    EXPECT_EQ(read.num_motives, sent.num_motives);
    EXPECT_EQ(read.num_minors, sent.num_minors);
    EXPECT_EQ(read.has_k, sent.has_k);
    EXPECT_EQ(read.rules, sent.rules);
}
void expect_same(const std::monostate& /*read*/, const std::monostate& /*sent*/) {}

void expect_same(const Declaration& read, const Declaration& sent) {
    EXPECT_EQ(read.kind, sent.kind);
    EXPECT_EQ(read.module, sent.module);
    EXPECT_EQ(read.universe_params, sent.universe_params);
    EXPECT_EQ(read.type, sent.type);
    EXPECT_EQ(read.type_is_cut, sent.type_is_cut);
    EXPECT_EQ(read.safety, sent.safety);
    EXPECT_EQ(read.hint, sent.hint);
    EXPECT_EQ(read.value_terms, sent.value_terms);
    ASSERT_EQ(read.facts.index(), sent.facts.index());
    std::visit(
        [&]<class Facts>(const Facts& facts) { expect_same(std::get<Facts>(read.facts), facts); },
        sent.facts);
}

Declaration minimal_declaration(DeclarationKind kind) {
    Declaration declaration{};
    declaration.kind = kind;
    return declaration;
}

TEST(WireDeclarations, EveryEnumeratorComesBack) {
    Modules modules;
    using Kind = ReducibilityHint::Kind;
    const std::optional<ReducibilityHint> hints[] = {
        std::nullopt, ReducibilityHint{Kind::opaque, 0}, ReducibilityHint{Kind::abbreviation, 0},
        ReducibilityHint{Kind::regular, UINT32_MAX}};
    for (const DeclarationKind kind : all_kinds) {
        for (const auto safety :
             {DeclarationSafety::safe, DeclarationSafety::unsafe, DeclarationSafety::partial}) {
            for (const auto& hint : hints) {
                Declaration declaration = minimal_declaration(kind);
                declaration.safety = safety;
                declaration.hint = hint;
                expect_same(declaration_there_and_back(declaration, modules), declaration);
            }
        }
    }
}

void add_random_facts(Random& random, Declaration& declaration) {
    switch (random.below(4)) {
    case 0:
        declaration.facts = InductiveFacts{.num_params = random.number(),
                                           .num_indices = random.number(),
                                           .constructors = random.several_bytes(),
                                           .is_recursive = random.flip(),
                                           .is_reflexive = random.flip()};
        break;
    case 1:
        declaration.facts = ConstructorFacts{.inductive = random.bytes(),
                                             .index = random.number(),
                                             .num_params = random.number(),
                                             .num_fields = random.number()};
        break;
    case 2:
        declaration.facts = RecursorFacts{.num_params = random.number(),
                                          .num_indices = random.number(),
                                          .num_motives = random.number(),
                                          .num_minors = random.number(),
                                          .has_k = random.flip(),
                                          .rules = random.several_bytes()};
        break;
    default:
        break;
    }
}

TEST(WireDeclarations, RandomOnesComeBack) {
    Modules modules;
    for (unsigned seed = 1; seed <= 4 * num_seeds; ++seed) {
        Random random(seed);
        Declaration declaration = minimal_declaration(all_kinds[random.below(8)]);
        const std::string module = random.bytes();
        declaration.module = module;
        declaration.universe_params = random.several_bytes();
        declaration.type = random.bytes();
        declaration.type_is_cut = random.flip();
        if (random.flip())
            declaration.value_terms = random.number();
        add_random_facts(random, declaration);
        SCOPED_TRACE(fmt::format("seed {}", seed));
        expect_same(declaration_there_and_back(declaration, modules), declaration);
    }
}

TEST(WireDeclarations, NoValueAndAValueOfNoTermsStayApart) {
    Modules modules;
    Declaration declaration = minimal_declaration(DeclarationKind::definition);
    EXPECT_EQ(declaration_there_and_back(declaration, modules).value_terms, std::nullopt);
    declaration.value_terms = 0;
    EXPECT_EQ(declaration_there_and_back(declaration, modules).value_terms, 0U);
}

// Empty bytes stand for a name that the environment does not hold.
TEST(WireDeclarations, NoDeclarationIsAnEmptyRow) {
    for (const DeclarationKind kind : all_kinds)
        EXPECT_GT(to_wire(minimal_declaration(kind)).ByteSizeLong(), 0U);
}

TEST(WireDeclarations, EnumeratorsOutOfRangeAreRefusedByName) {
    Modules modules;
    const auto read = [&](const wire::DeclarationRow& row) {
        return [&modules, row] { declaration_from(row, std::ref(modules)); };
    };
    const wire::DeclarationRow good = to_wire(minimal_declaration(DeclarationKind::axiom));
    wire::DeclarationRow bad = good;
    for (const std::uint32_t kind : {0U, 9U, UINT32_MAX}) {
        bad.set_kind(kind);
        expect_refused(read(bad), "row.kind", "is none of the 8 values known");
    }
    bad = good;
    bad.set_safety(3);
    expect_refused(read(bad), "row.safety", "3 is none of the 3 values known");
    bad = good;
    bad.set_hint_kind(4);
    expect_refused(read(bad), "row.hint_kind", "is none of the 3 values known");
}

TEST(WireReferences, RandomOnesComeBack) {
    for (unsigned seed = 1; seed <= num_seeds; ++seed) {
        Random random(seed);
        std::vector<Reference> references;
        for (const Name& name : random.names())
            references.push_back({name, random.flip()});
        const std::vector<Reference> read = references_from(through_bytes(to_wire(references)));
        ASSERT_EQ(read.size(), references.size()) << "seed " << seed;
        for (std::size_t i = 0; i < read.size(); ++i) {
            EXPECT_EQ(read[i].name, references[i].name);
            EXPECT_EQ(read[i].is_in_type, references[i].is_in_type);
        }
    }
}

TEST(WireReferences, MarksThatAreNotOneForEachNameAreRefused) {
    wire::ReferencesRow row = to_wire(std::vector<Reference>{{Name("A"), true}});
    row.add_is_in_type(true);
    expect_refused([&] { references_from(row); }, "references.is_in_type", "not one for each name");
    row.clear_is_in_type();
    expect_refused([&] { references_from(row); }, "references.is_in_type", "not one for each name");
    *row.mutable_names() = bad_table;
    expect_refused([&] { references_from(row); }, "references.names", bad_table_reason);
}

TEST(WireAxioms, ReportsComeBack) {
    for (unsigned seed = 1; seed <= num_seeds; ++seed) {
        Random random(seed);
        const AxiomReport report{.axioms = random.names(), .is_complete = random.flip()};
        const AxiomReport read = axiom_report_from(through_bytes(to_wire(report)));
        EXPECT_EQ(read.axioms, report.axioms) << "seed " << seed;
        EXPECT_EQ(read.is_complete, report.is_complete);
    }
}

TEST(WireAxioms, BadReportsAreRefused) {
    wire::AxiomsRow row;
    *row.mutable_axioms() = bad_table;
    expect_refused([&] { axiom_report_from(row); }, "axioms.axioms", bad_table_reason);
}

// A side that knows one kind of message more than this one is told so, not misread.
TEST(WireMessages, UnknownBodyIsNoBody) {
    wire::ToWorker message;
    message.set_request_id(5);
    const std::string with_field_99 = message.SerializeAsString() + "\x9a\x06\x01x";
    wire::ToWorker read;
    ASSERT_TRUE(read.ParseFromString(with_field_99));
    EXPECT_EQ(read.request_id(), 5U);
    EXPECT_EQ(read.body_case(), wire::ToWorker::BODY_NOT_SET);
}

} // namespace
} // namespace leanhost::worker
