#include "module/lean4export/json_line.hpp"

#include "module/lean4export/line_reader.hpp"

#include <simdjson.h>

#include <array>
#include <functional>

namespace leanhost::module::lean4export {
namespace {

namespace ondemand = simdjson::ondemand;
using object::BinderInfo;
using object::ConstantKind;
using object::DefinitionSafety;
using object::ReducibilityHints;

[[noreturn]] void bad(std::string text) {
    throw BadLine{std::move(text), std::nullopt, std::nullopt};
}

// The first of two spellings of a key that is there: formats before 3.0 had longer ones.
ondemand::value field(ondemand::object& object, std::string_view key, std::string_view older = {}) {
    auto value = object.find_field_unordered(key);
    if (value.error() == simdjson::NO_SUCH_FIELD && !older.empty())
        value = object.find_field_unordered(older);
    if (value.error() == simdjson::NO_SUCH_FIELD)
        bad("no \"" + std::string(key) + "\" in it");
    return value.value();
}

std::uint64_t number(ondemand::value value) {
    return value.get_uint64();
}
std::uint64_t number(ondemand::object& object, std::string_view key, std::string_view older = {}) {
    return number(field(object, key, older));
}
bool flag(ondemand::object& object, std::string_view key) {
    return field(object, key).get_bool();
}
std::string_view text(ondemand::object& object, std::string_view key) {
    return field(object, key).get_string();
}
// Any error but the field's absence ends the parser's use: going on would read behind the line.
bool has(ondemand::object& object, std::string_view key) {
    const auto error = object.find_field_unordered(key).error();
    if (error != simdjson::SUCCESS && error != simdjson::NO_SUCH_FIELD)
        throw simdjson::simdjson_error(error);
    return error == simdjson::SUCCESS;
}

std::vector<Id> ids(ondemand::value value) {
    std::vector<Id> result;
    for (ondemand::value element : value.get_array())
        result.push_back(number(element));
    return result;
}
std::vector<Id> ids(ondemand::object& object, std::string_view key) {
    return ids(field(object, key));
}

// A number itself, or under one key of an object.
std::uint64_t bare_or_under(ondemand::value value, std::string_view key) {
    if (value.type() != ondemand::json_type::object)
        return number(value);
    ondemand::object object = value.get_object();
    return number(object, key);
}

BinderInfo binder_info(std::string_view name) {
    if (name == "default")
        return BinderInfo::explicit_;
    if (name == "implicit")
        return BinderInfo::implicit;
    if (name == "strictImplicit")
        return BinderInfo::strict_implicit;
    if (name == "instImplicit")
        return BinderInfo::inst_implicit;
    bad("no binder info is called \"" + std::string(name) + "\"");
}

DefinitionSafety safety(std::string_view name) {
    if (name == "safe")
        return DefinitionSafety::safe;
    if (name == "unsafe")
        return DefinitionSafety::unsafe;
    if (name == "partial")
        return DefinitionSafety::partial;
    bad("no safety is called \"" + std::string(name) + "\"");
}

std::uint8_t quotient_kind(std::string_view name) {
    constexpr std::array<std::string_view, 4> names = {"type", "ctor", "lift", "ind"};
    for (std::uint8_t i = 0; i < names.size(); ++i) {
        if (names[i] == name)
            return i;
    }
    bad("no part of the quotient is called \"" + std::string(name) + "\"");
}

ReducibilityHints hints(ondemand::value value) {
    if (value.type() == ondemand::json_type::object) {
        ondemand::object object = value.get_object();
        const std::uint64_t height = number(object, "regular");
        if (height > std::numeric_limits<std::uint32_t>::max())
            bad("a definitional height of 2^32 and more");
        return {ReducibilityHints::Kind::regular, static_cast<std::uint32_t>(height)};
    }
    const std::string_view name = value.get_string();
    if (name == "opaque")
        return {ReducibilityHints::Kind::opaque, 0};
    if (name == "abbrev")
        return {ReducibilityHints::Kind::abbreviation, 0};
    bad("no hints are called \"" + std::string(name) + "\"");
}

ExportConstant head(ConstantKind kind, ondemand::object& object) {
    ExportConstant constant;
    constant.kind = kind;
    constant.name = number(object, "name");
    constant.universe_params = ids(object, "levelParams");
    constant.type = number(object, "type");
    return constant;
}

// `all` came with 3.0 for those with a value; before, a constant stood for itself.
std::vector<Id> all_of(ondemand::object& object, Id own) {
    if (has(object, "all"))
        return ids(object, "all");
    return {own};
}

ExportConstant axiom(ondemand::object& object) {
    ExportConstant constant = head(ConstantKind::axiom, object);
    constant.is_unsafe = flag(object, "isUnsafe");
    return constant;
}

ExportConstant definition(ondemand::object& object) {
    ExportConstant constant = head(ConstantKind::definition, object);
    constant.value = number(object, "value");
    constant.hints = hints(field(object, "hints"));
    constant.safety = safety(text(object, "safety"));
    constant.all = all_of(object, constant.name);
    return constant;
}

ExportConstant theorem(ondemand::object& object) {
    ExportConstant constant = head(ConstantKind::theorem, object);
    constant.value = number(object, "value");
    constant.all = all_of(object, constant.name);
    return constant;
}

ExportConstant opaque(ondemand::object& object) {
    ExportConstant constant = head(ConstantKind::opaque, object);
    constant.value = number(object, "value");
    constant.is_unsafe = flag(object, "isUnsafe");
    constant.all = all_of(object, constant.name);
    return constant;
}

ExportConstant quotient(ondemand::object& object) {
    ExportConstant constant = head(ConstantKind::quotient, object);
    constant.quotient_kind = quotient_kind(text(object, "kind"));
    return constant;
}

ExportConstant inductive(ondemand::object& object) {
    ExportConstant constant = head(ConstantKind::inductive, object);
    constant.num_params = number(object, "numParams");
    constant.num_indices = number(object, "numIndices");
    constant.num_nested = number(object, "numNested");
    constant.all = ids(object, "all");
    constant.constructors = ids(object, "ctors");
    constant.is_recursive = flag(object, "isRec");
    constant.is_reflexive = flag(object, "isReflexive");
    constant.is_unsafe = flag(object, "isUnsafe");
    return constant;
}

ExportConstant constructor(ondemand::object& object) {
    ExportConstant constant = head(ConstantKind::constructor, object);
    constant.inductive = number(object, "induct");
    constant.index = number(object, "cidx");
    constant.num_params = number(object, "numParams");
    constant.num_fields = number(object, "numFields");
    constant.is_unsafe = flag(object, "isUnsafe");
    return constant;
}

ExportConstant recursor(ondemand::object& object) {
    ExportConstant constant = head(ConstantKind::recursor, object);
    constant.all = ids(object, "all");
    constant.num_params = number(object, "numParams");
    constant.num_indices = number(object, "numIndices");
    constant.num_motives = number(object, "numMotives");
    constant.num_minors = number(object, "numMinors");
    constant.has_k = flag(object, "k");
    constant.is_unsafe = flag(object, "isUnsafe");
    for (ondemand::object rule : field(object, "rules").get_array()) {
        constant.rules.push_back(
            {number(rule, "ctor"), number(rule, "nfields"), number(rule, "rhs")});
    }
    return constant;
}

using ReadConstant = ExportConstant (*)(ondemand::object&);

void read_all(std::vector<ExportConstant>& constants, ondemand::value array, ReadConstant read) {
    for (ondemand::object element : array.get_array())
        constants.push_back(read(element));
}

// One constant, or (format 3.0) an array of those of a mutual block.
ExportDeclaration one_or_several(ondemand::value value, ReadConstant read) {
    ExportDeclaration declaration;
    if (value.type() == ondemand::json_type::array) {
        read_all(declaration.constants, value, read);
    } else {
        ondemand::object object = value.get_object();
        declaration.constants.push_back(read(object));
    }
    if (declaration.constants.empty())
        bad("a declaration of nothing");
    return declaration;
}

ExportDeclaration inductive_block(ondemand::value value) {
    ExportDeclaration declaration;
    declaration.is_inductive_block = true;
    ondemand::object object = value.get_object();
    read_all(declaration.constants, field(object, "types", "inductiveVals"), inductive);
    read_all(declaration.constants, field(object, "ctors", "constructorVals"), constructor);
    read_all(declaration.constants, field(object, "recs", "recursorVals"), recursor);
    if (declaration.constants.empty())
        bad("a declaration of nothing");
    return declaration;
}

struct DeclarationKey {
    std::string_view key;
    ReadConstant read; // null: an inductive block
};
constexpr DeclarationKey declaration_keys[] = {
    {"def", definition},       {"thm", theorem},       {"inductive", nullptr},
    {"axiom", axiom},          {"opaque", opaque},     {"quot", quotient},
    {"defnInfo", definition},  {"thmInfo", theorem},   {"inductInfo", inductive},
    {"ctorInfo", constructor}, {"recInfo", recursor},  {"axiomInfo", axiom},
    {"opaqueInfo", opaque},    {"quotInfo", quotient},
};

std::string text_under(ondemand::object& object, std::string_view group, std::string_view key) {
    if (!has(object, group))
        return {};
    ondemand::object inner = field(object, group).get_object();
    return has(inner, key) ? std::string(text(inner, key)) : std::string();
}

ExportMeta meta(ondemand::value value) {
    ondemand::object object = value.get_object();
    ExportMeta result;
    result.exporter_version = text_under(object, "exporter", "version");
    result.format_version = text_under(object, "format", "version");
    result.lean_version = text_under(object, "lean", "version");
    result.lean_githash = text_under(object, "lean", "githash");
    return result;
}

// What an object of one of the three spaces says, before its id is known: the id's key may come
// last.
enum class Space : std::uint8_t { name, level, term };
struct Item {
    Space space;
    std::function<void(Id, ExportSink&)> tell;
};

Item name_item(std::string_view key, ondemand::value value) {
    ondemand::object object = value.get_object();
    const Id prefix = number(object, "pre");
    if (key == "str") {
        return {Space::name, [prefix, component = text(object, "str")](Id id, ExportSink& sink) {
                    sink.name_str(id, prefix, component);
                }};
    }
    return {Space::name, [prefix, component = number(object, "i")](Id id, ExportSink& sink) {
                sink.name_num(id, prefix, component);
            }};
}

Item level_item(std::string_view key, ondemand::value value) {
    if (key == "succ" || key == "param") {
        const std::uint64_t of = number(value);
        return {Space::level, [of, is_succ = key == "succ"](Id id, ExportSink& sink) {
                    is_succ ? sink.level_succ(id, of) : sink.level_param(id, of);
                }};
    }
    const std::vector<Id> sides = ids(value);
    if (sides.size() != 2)
        bad("\"" + std::string(key) + "\" of " + std::to_string(sides.size()) + " levels");
    return {Space::level,
            [lhs = sides[0], rhs = sides[1], is_max = key == "max"](Id id, ExportSink& sink) {
                is_max ? sink.level_max(id, lhs, rhs) : sink.level_imax(id, lhs, rhs);
            }};
}

Item binder_item(std::string_view key, ondemand::value value) {
    ondemand::object object = value.get_object();
    const BinderInfo info = binder_info(text(object, "binderInfo"));
    const Id name = number(object, "name", "binderName");
    const Id type = number(object, "type", "binderType");
    const Id body = number(object, "body");
    return {Space::term, [=, is_lam = key == "lam"](Id id, ExportSink& sink) {
                is_lam ? sink.lam(id, info, name, type, body)
                       : sink.forall_e(id, info, name, type, body);
            }};
}

Item let_item(ondemand::value value) {
    ondemand::object object = value.get_object();
    const Id name = number(object, "name", "declName");
    const Id type = number(object, "type");
    const Id bound = number(object, "value");
    const Id body = number(object, "body");
    const bool non_dep = has(object, "nondep") ? flag(object, "nondep")
                                               : has(object, "nonDep") && flag(object, "nonDep");
    return {Space::term,
            [=](Id id, ExportSink& sink) { sink.let_e(id, name, type, bound, body, non_dep); }};
}

Item term_item(std::string_view key, ondemand::value value) {
    if (key == "bvar") {
        return {Space::term, [index = bare_or_under(value, "deBruijnIndex")](
                                 Id id, ExportSink& sink) { sink.bvar(id, index); }};
    }
    if (key == "sort") {
        return {Space::term, [level = bare_or_under(value, "u")](Id id, ExportSink& sink) {
                    sink.sort(id, level);
                }};
    }
    if (key == "natVal") {
        return {Space::term, [digits = std::string_view(value.get_string())](
                                 Id id, ExportSink& sink) { sink.nat_literal(id, digits); }};
    }
    if (key == "strVal") {
        return {Space::term, [text = std::string_view(value.get_string())](
                                 Id id, ExportSink& sink) { sink.string_literal(id, text); }};
    }
    if (key == "lam" || key == "forallE")
        return binder_item(key, value);
    if (key == "letE")
        return let_item(value);
    ondemand::object object = value.get_object();
    if (key == "const") {
        return {Space::term,
                [name = number(object, "name", "declName"), levels = ids(object, "us")](
                    Id id, ExportSink& sink) { sink.constant_term(id, name, levels); }};
    }
    if (key == "app") {
        return {Space::term, [function = number(object, "fn"), argument = number(object, "arg")](
                                 Id id, ExportSink& sink) { sink.app(id, function, argument); }};
    }
    if (key == "proj") {
        return {Space::term, [type_name = number(object, "typeName"), index = number(object, "idx"),
                              structure = number(object, "struct")](Id id, ExportSink& sink) {
                    sink.proj(id, type_name, index, structure);
                }};
    }
    return {Space::term,
            [of = number(object, "expr")](Id id, ExportSink& sink) { sink.mdata(id, of); }};
}

std::optional<Item> item_of(std::string_view key, ondemand::value value) {
    for (const char* name : {"str", "num"}) {
        if (key == name)
            return name_item(key, value);
    }
    for (const char* level : {"succ", "max", "imax", "param"}) {
        if (key == level)
            return level_item(key, value);
    }
    for (const char* term : {"app", "lam", "forallE", "const", "bvar", "sort", "proj", "letE",
                             "natVal", "strVal", "mdata"}) {
        if (key == term)
            return term_item(key, value);
    }
    return std::nullopt;
}

// The keys of an item's id: "i" stood for all three before 3.0.
std::optional<Space> id_space(std::string_view key) {
    if (key == "in")
        return Space::name;
    if (key == "il")
        return Space::level;
    if (key == "ie")
        return Space::term;
    return std::nullopt;
}

// All that one line says.
class Line {
public:
    void take(std::string_view key, ondemand::value value) {
        const auto space = id_space(key);
        if (space || key == "i") {
            if (has_id_)
                bad("two ids");
            has_id_ = true;
            id_ = number(value);
            id_space_ = space;
            return;
        }
        if (item_ || declaration_ || meta_)
            bad("a second \"" + std::string(key) + "\" in one line");
        if (key == "meta") {
            meta_ = meta(value);
            return;
        }
        for (const DeclarationKey& known : declaration_keys) {
            if (known.key == key) {
                declaration_ = known.read == nullptr ? inductive_block(value)
                                                     : one_or_several(value, known.read);
                return;
            }
        }
        item_ = item_of(key, value);
        if (!item_)
            bad("no line of an export has the key \"" + std::string(key) + "\"");
    }

    void tell(ExportSink& sink) const {
        if (item_) {
            if (!has_id_ || (id_space_ && *id_space_ != item_->space))
                bad("no id of its kind (\"in\", \"il\", \"ie\")");
            item_->tell(id_, sink);
        } else if (has_id_) {
            bad("an id of nothing");
        } else if (declaration_) {
            sink.declaration(*declaration_);
        } else if (meta_) {
            sink.meta(*meta_);
        } else {
            bad("an empty line");
        }
    }

    bool has_plain_id() const { return has_id_ && !id_space_; }

private:
    bool has_id_ = false;
    Id id_ = 0;
    std::optional<Space> id_space_;
    std::optional<Item> item_;
    std::optional<ExportDeclaration> declaration_;
    std::optional<ExportMeta> meta_;
};

} // namespace

struct JsonLineParser::State {
    // The on-demand parser reads only what it is asked for: it passes over broken parts, and some
    // lead it behind the line's end. So a line is checked as a whole first.
    simdjson::dom::parser checker;
    ondemand::parser parser;
};

JsonLineParser::JsonLineParser() : state_(std::make_unique<State>()) {}
JsonLineParser::~JsonLineParser() = default;

bool JsonLineParser::take(std::string_view line, ExportSink& sink) {
    static_assert(LineReader::padding_bytes >= simdjson::SIMDJSON_PADDING);
    ondemand::document document;
    bool is_started = false; // without a start (no UTF-8, say) a document cannot be asked
    const auto column = [&]() -> std::optional<std::size_t> {
        const char* at = nullptr;
        if (!is_started || document.current_location().get(at) != simdjson::SUCCESS ||
            at < line.data() || at > line.data() + line.size())
            return std::nullopt;
        return static_cast<std::size_t>(at - line.data());
    };
    try {
        constexpr bool copy_for_padding = false;
        if (const auto error =
                state_->checker.parse(line.data(), line.size(), copy_for_padding).error())
            throw simdjson::simdjson_error(error);
        document = state_->parser.iterate(line.data(), line.size(),
                                          line.size() + LineReader::padding_bytes);
        is_started = true;
        Line parsed;
        for (ondemand::field entry : document.get_object()) {
            const std::string_view key = entry.unescaped_key();
            parsed.take(key, entry.value());
        }
        const char* behind = nullptr;
        if (document.current_location().get(behind) == simdjson::SUCCESS)
            throw BadLine{"more than one JSON object", column(), std::nullopt};
        parsed.tell(sink);
        return parsed.has_plain_id();
    } catch (const simdjson::simdjson_error& error) {
        throw BadLine{std::string("not the JSON of an export line: ") +
                          simdjson::error_message(error.error()),
                      column(), std::nullopt};
    } catch (BadLine& line_error) {
        if (!line_error.column && !line_error.culprit)
            line_error.column = column();
        throw;
    }
}

} // namespace leanhost::module::lean4export
