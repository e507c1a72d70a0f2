#include "fuzz/kernel/export_model.hpp"

#include "module/lean4export/json_line.hpp"
#include "module/lean4export/line_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

namespace leanhost::fuzz {

namespace lean4export = module::lean4export;
using lean4export::BadLine;
using lean4export::Id;
using object::ConstantKind;

namespace {

/// Fills a model; ids become positions.
class ModelSink final : public lean4export::ExportSink {
public:
    explicit ModelSink(ExportModel& model) : model_(model) {
        names_[0] = 0;
        levels_[0] = 0;
    }

    void meta(const lean4export::ExportMeta& /*meta*/) override {}
    void name_str(Id id, Id prefix, std::string_view component) override {
        names_[id] = model_.name(at(names_, prefix), component);
    }
    void name_num(Id id, Id prefix, std::uint64_t component) override {
        model_.names.push_back({at(names_, prefix), true, component, {}});
        names_[id] = static_cast<Index>(model_.names.size() - 1);
    }
    void level_succ(Id id, Id of) override { add_level(id, LevelKind::succ, at(levels_, of), 0); }
    void level_max(Id id, Id lhs, Id rhs) override {
        add_level(id, LevelKind::max, at(levels_, lhs), at(levels_, rhs));
    }
    void level_imax(Id id, Id lhs, Id rhs) override {
        add_level(id, LevelKind::imax, at(levels_, lhs), at(levels_, rhs));
    }
    void level_param(Id id, Id name) override {
        add_level(id, LevelKind::param, at(names_, name), 0);
    }
    void bvar(Id id, std::uint64_t index) override {
        constexpr std::uint64_t most = 1U << 16U;
        terms_[id] = model_.bvar(static_cast<Index>(std::min(index, most)));
    }
    void sort(Id id, Id level) override { terms_[id] = model_.sort(at(levels_, level)); }
    void constant_term(Id id, Id name, const std::vector<Id>& levels) override {
        std::vector<Index> list;
        for (const Id level : levels)
            list.push_back(at(levels_, level));
        terms_[id] = model_.constant(at(names_, name), list);
    }
    void app(Id id, Id function, Id argument) override {
        terms_[id] = model_.app(at(terms_, function), at(terms_, argument));
    }
    void lam(Id id, object::BinderInfo /*info*/, Id /*name*/, Id type, Id body) override {
        terms_[id] = model_.binder(TermKind::lam, at(terms_, type), at(terms_, body));
    }
    void forall_e(Id id, object::BinderInfo /*info*/, Id /*name*/, Id type, Id body) override {
        terms_[id] = model_.binder(TermKind::pi, at(terms_, type), at(terms_, body));
    }
    void let_e(Id id, Id /*name*/, Id type, Id value, Id body, bool /*non_dep*/) override {
        terms_[id] = model_.term(
            {TermKind::let, at(terms_, type), at(terms_, value), at(terms_, body), {}, {}});
    }
    void proj(Id id, Id type_name, std::uint64_t index, Id structure) override {
        constexpr std::uint64_t most = 1U << 16U;
        terms_[id] = model_.term({TermKind::proj,
                                  at(terms_, structure),
                                  at(names_, type_name),
                                  static_cast<Index>(std::min(index, most)),
                                  {},
                                  {}});
    }
    void nat_literal(Id id, std::string_view digits) override {
        terms_[id] = model_.term({TermKind::nat, 0, 0, 0, {}, std::string(digits)});
    }
    void string_literal(Id id, std::string_view text) override {
        terms_[id] = model_.term({TermKind::string, 0, 0, 0, {}, std::string(text)});
    }
    void mdata(Id id, Id term) override { terms_[id] = at(terms_, term); }
    void declaration(const ExportDeclaration& declaration) override {
        ExportDeclaration own = declaration;
        for (ExportConstant& constant : own.constants)
            translate(constant);
        model_.declarations.push_back(std::move(own));
    }

private:
    using Ids = std::unordered_map<Id, Index>;

    static Index at(const Ids& ids, Id id) {
        const auto found = ids.find(id);
        if (found == ids.end())
            throw BadLine{"a reference that leads nowhere", {}, id};
        return found->second;
    }
    void add_level(Id id, LevelKind kind, Index a, Index b) {
        levels_[id] = model_.level({kind, a, b});
    }
    void translate(std::vector<Id>& names) const {
        for (Id& name : names)
            name = at(names_, name);
    }
    void translate(ExportConstant& constant) const {
        constant.name = at(names_, constant.name);
        constant.inductive = at(names_, constant.inductive);
        translate(constant.universe_params);
        translate(constant.all);
        translate(constant.constructors);
        for (Id* const term : terms_of(constant))
            *term = at(terms_, *term);
        for (lean4export::ExportRule& rule : constant.rules)
            rule.constructor = at(names_, rule.constructor);
    }

    ExportModel& model_;
    Ids names_;
    Ids levels_;
    Ids terms_;
};

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '"' || c == '\\')
            out += '\\';
        if (static_cast<unsigned char>(c) < 0x20)
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        else
            out += c;
    }
    return out;
}

/// The lines of an export, told to it.
class TextSink final : public lean4export::ExportSink {
public:
    std::string out =
        R"({"meta":{"exporter":{"name":"lean4export","version":"3.1.0"},"format":{"version":"3.1.0"},"lean":{"githash":"0","version":"4.29.0"}}})"
        "\n";

    void meta(const lean4export::ExportMeta& /*meta*/) override {}
    void name_str(Id id, Id prefix, std::string_view component) override {
        line(R"({{"in":{},"str":{{"pre":{},"str":"{}"}}}})", id, prefix, escaped(component));
    }
    void name_num(Id id, Id prefix, std::uint64_t component) override {
        line(R"({{"in":{},"num":{{"i":{},"pre":{}}}}})", id, component, prefix);
    }
    void level_succ(Id id, Id of) override { line(R"({{"il":{},"succ":{}}})", id, of); }
    void level_max(Id id, Id lhs, Id rhs) override {
        line(R"({{"il":{},"max":[{},{}]}})", id, lhs, rhs);
    }
    void level_imax(Id id, Id lhs, Id rhs) override {
        line(R"({{"il":{},"imax":[{},{}]}})", id, lhs, rhs);
    }
    void level_param(Id id, Id name) override { line(R"({{"il":{},"param":{}}})", id, name); }
    void bvar(Id id, std::uint64_t index) override { line(R"({{"bvar":{},"ie":{}}})", index, id); }
    void sort(Id id, Id level) override { line(R"({{"ie":{},"sort":{}}})", id, level); }
    void constant_term(Id id, Id name, const std::vector<Id>& levels) override {
        line(R"({{"const":{{"name":{},"us":{}}},"ie":{}}})", name, list(levels), id);
    }
    void app(Id id, Id function, Id argument) override {
        line(R"({{"app":{{"arg":{},"fn":{}}},"ie":{}}})", argument, function, id);
    }
    void lam(Id id, object::BinderInfo /*info*/, Id /*name*/, Id type, Id body) override {
        binder("lam", id, type, body);
    }
    void forall_e(Id id, object::BinderInfo /*info*/, Id /*name*/, Id type, Id body) override {
        binder("forallE", id, type, body);
    }
    void let_e(Id id, Id /*name*/, Id type, Id value, Id body, bool /*non_dep*/) override {
        line(R"({{"ie":{},"letE":{{"body":{},"name":0,"nondep":false,"type":{},"value":{}}}}})", id,
             body, type, value);
    }
    void proj(Id id, Id type_name, std::uint64_t index, Id structure) override {
        line(R"({{"ie":{},"proj":{{"idx":{},"struct":{},"typeName":{}}}}})", id, index, structure,
             type_name);
    }
    void nat_literal(Id id, std::string_view digits) override {
        line(R"({{"ie":{},"natVal":"{}"}})", id, digits);
    }
    void string_literal(Id id, std::string_view text) override {
        line(R"({{"ie":{},"strVal":"{}"}})", id, escaped(text));
    }
    void mdata(Id /*id*/, Id /*term*/) override {}
    void declaration(const ExportDeclaration& declaration) override {
        if (declaration.is_inductive_block)
            block(declaration);
        else if (declaration.constants.size() == 1)
            line("{}", constant(declaration.constants[0]));
        else
            definitions(declaration);
    }

private:
    template <class... Args>
    void line(fmt::format_string<Args...> format, Args&&... args) {
        fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
        out += '\n';
    }
    static std::string list(const std::vector<Id>& ids) {
        return fmt::format("[{}]", fmt::join(ids, ","));
    }
    static const char* boolean(bool value) { return value ? "true" : "false"; }
    void binder(const char* what, Id id, Id type, Id body) {
        line(R"({{"ie":{},"{}":{{"binderInfo":"default","body":{},"name":0,"type":{}}}}})", id,
             what, body, type);
    }

    static std::string head(const ExportConstant& c) {
        return fmt::format(R"("levelParams":{},"name":{},"type":{})", list(c.universe_params),
                           c.name, c.type);
    }
    static std::string definition(const ExportConstant& c) {
        const char* const safety = c.safety == object::DefinitionSafety::safe     ? "safe"
                                   : c.safety == object::DefinitionSafety::unsafe ? "unsafe"
                                                                                  : "partial";
        using Kind = object::ReducibilityHints::Kind;
        const std::string hints = c.hints.kind == Kind::opaque ? R"("opaque")"
                                  : c.hints.kind == Kind::abbreviation
                                      ? R"("abbrev")"
                                      : fmt::format(R"({{"regular":{}}})", c.hints.height);
        return fmt::format(R"({{"all":{},"hints":{},{},"safety":"{}","value":{}}})", list(c.all),
                           hints, head(c), safety, c.value);
    }
    static std::string constant(const ExportConstant& c) {
        static constexpr const char* quotients[] = {"type", "ctor", "lift", "ind"};
        switch (c.kind) {
        case ConstantKind::axiom:
            return fmt::format(R"({{"axiom":{{"isUnsafe":{},{}}}}})", boolean(c.is_unsafe),
                               head(c));
        case ConstantKind::definition:
            return fmt::format(R"({{"def":{}}})", definition(c));
        case ConstantKind::theorem:
            return fmt::format(R"({{"thm":{{"all":{},{},"value":{}}}}})", list(c.all), head(c),
                               c.value);
        case ConstantKind::opaque:
            return fmt::format(R"({{"opaque":{{"all":{},"isUnsafe":{},{},"value":{}}}}})",
                               list(c.all), boolean(c.is_unsafe), head(c), c.value);
        default:
            return fmt::format(R"({{"quot":{{"kind":"{}",{}}}}})", quotients[c.quotient_kind & 3U],
                               head(c));
        }
    }
    void definitions(const ExportDeclaration& declaration) {
        std::vector<std::string> all;
        for (const ExportConstant& c : declaration.constants)
            all.push_back(definition(c));
        line(R"({{"def":[{}]}})", fmt::join(all, ","));
    }
    static std::string type(const ExportConstant& c) {
        return fmt::format(
            R"({{"all":{},"ctors":{},"isRec":{},"isReflexive":{},"isUnsafe":{},{},"numIndices":{},"numNested":{},"numParams":{}}})",
            list(c.all), list(c.constructors), boolean(c.is_recursive), boolean(c.is_reflexive),
            boolean(c.is_unsafe), head(c), c.num_indices, c.num_nested, c.num_params);
    }
    static std::string constructor(const ExportConstant& c) {
        return fmt::format(
            R"({{"cidx":{},"induct":{},"isUnsafe":{},{},"numFields":{},"numParams":{}}})", c.index,
            c.inductive, boolean(c.is_unsafe), head(c), c.num_fields, c.num_params);
    }
    static std::string recursor(const ExportConstant& c) {
        std::vector<std::string> rules;
        for (const lean4export::ExportRule& rule : c.rules)
            rules.push_back(fmt::format(R"({{"ctor":{},"nfields":{},"rhs":{}}})", rule.constructor,
                                        rule.num_fields, rule.rhs));
        return fmt::format(
            R"({{"all":{},"isUnsafe":{},"k":{},{},"numIndices":{},"numMinors":{},"numMotives":{},"numParams":{},"rules":[{}]}})",
            list(c.all), boolean(c.is_unsafe), boolean(c.has_k), head(c), c.num_indices,
            c.num_minors, c.num_motives, c.num_params, fmt::join(rules, ","));
    }
    void block(const ExportDeclaration& declaration) {
        std::vector<std::string> types;
        std::vector<std::string> constructors;
        std::vector<std::string> recursors;
        for (const ExportConstant& c : declaration.constants) {
            if (c.kind == ConstantKind::inductive)
                types.push_back(type(c));
            else if (c.kind == ConstantKind::constructor)
                constructors.push_back(constructor(c));
            else
                recursors.push_back(recursor(c));
        }
        line(R"({{"inductive":{{"ctors":[{}],"recs":[{}],"types":[{}]}}}})",
             fmt::join(constructors, ","), fmt::join(recursors, ","), fmt::join(types, ","));
    }
};

/// What the declarations reach, each under its new id.
class Reached {
public:
    explicit Reached(const ExportModel& model)
        : model_(model), names_(model.names.size()), levels_(model.levels.size()),
          terms_(model.terms.size()) {
        names_[0] = levels_[0] = true;
        for (ExportDeclaration declaration : model.declarations) {
            for (ExportConstant& constant : declaration.constants)
                add(constant);
        }
        // Backwards: what a part is of has been seen by then.
        for (std::size_t i = terms_.size(); i-- > 0;) {
            if (terms_[i])
                add_parts(model.terms[i], static_cast<Index>(i));
        }
        for (std::size_t i = levels_.size(); i-- > 0;) {
            if (levels_[i])
                add_parts(model.levels[i]);
        }
        for (std::size_t i = names_.size(); i-- > 0;) {
            if (names_[i])
                names_[model.names[i].prefix] = true;
        }
    }
    bool has_name(std::size_t i) const { return names_[i]; }
    bool has_level(std::size_t i) const { return levels_[i]; }
    bool has_term(std::size_t i) const { return terms_[i]; }

private:
    void add(ExportConstant& constant) {
        for (const Id* const term : terms_of(constant))
            terms_[*term] = true;
        names_[constant.name] = true;
        names_[constant.inductive] = true;
        for (const std::vector<Id>* const list :
             {&constant.universe_params, &constant.all, &constant.constructors}) {
            for (const Id name : *list)
                names_[name] = true;
        }
        for (const lean4export::ExportRule& rule : constant.rules)
            names_[rule.constructor] = true;
    }
    void add_parts(const ModelTerm& term, Index i) {
        for (const Index part : model_.parts(i))
            terms_[part] = true;
        if (term.kind == TermKind::sort)
            levels_[term.a] = true;
        if (term.kind == TermKind::constant)
            names_[term.a] = true;
        if (term.kind == TermKind::proj)
            names_[term.b] = true;
        for (const Index level : term.levels)
            levels_[level] = true;
    }
    void add_parts(const ModelLevel& level) {
        if (level.kind == LevelKind::param) {
            names_[level.a] = true;
            return;
        }
        levels_[level.a] = true;
        levels_[level.b] = true;
    }

    const ExportModel& model_;
    std::vector<bool> names_;
    std::vector<bool> levels_;
    std::vector<bool> terms_;
};

void tell_level(const ModelLevel& level, Index i, lean4export::ExportSink& sink) {
    switch (level.kind) {
    case LevelKind::succ:
        sink.level_succ(i, level.a);
        break;
    case LevelKind::max:
        sink.level_max(i, level.a, level.b);
        break;
    case LevelKind::imax:
        sink.level_imax(i, level.a, level.b);
        break;
    case LevelKind::param:
        sink.level_param(i, level.a);
        break;
    default:
        break;
    }
}

void tell_term(const ModelTerm& term, Index i, lean4export::ExportSink& sink) {
    constexpr auto info = object::BinderInfo{};
    switch (term.kind) {
    case TermKind::bvar:
        sink.bvar(i, term.a);
        break;
    case TermKind::sort:
        sink.sort(i, term.a);
        break;
    case TermKind::constant:
        sink.constant_term(i, term.a, {term.levels.begin(), term.levels.end()});
        break;
    case TermKind::app:
        sink.app(i, term.a, term.b);
        break;
    case TermKind::lam:
        sink.lam(i, info, 0, term.a, term.b);
        break;
    case TermKind::pi:
        sink.forall_e(i, info, 0, term.a, term.b);
        break;
    case TermKind::let:
        sink.let_e(i, 0, term.a, term.b, term.c, false);
        break;
    case TermKind::proj:
        sink.proj(i, term.b, term.c, term.a);
        break;
    case TermKind::nat:
        sink.nat_literal(i, term.text);
        break;
    default:
        sink.string_literal(i, term.text);
        break;
    }
}

} // namespace

std::vector<Id*> terms_of(ExportConstant& constant) {
    std::vector<Id*> all{&constant.type};
    if (constant.kind == ConstantKind::definition || constant.kind == ConstantKind::theorem ||
        constant.kind == ConstantKind::opaque)
        all.push_back(&constant.value);
    for (lean4export::ExportRule& rule : constant.rules)
        all.push_back(&rule.rhs);
    return all;
}

std::optional<ExportModel> ExportModel::parse(std::string_view text) {
    constexpr std::size_t most_bytes = std::size_t{512} << 10;
    if (text.size() > most_bytes)
        return std::nullopt;
    ExportModel model;
    ModelSink sink(model);
    static lean4export::JsonLineParser parser;
    std::string padded(text);
    padded.append(lean4export::LineReader::padding_bytes, '\n');
    try {
        for (std::size_t begin = 0; begin < text.size();) {
            const std::size_t end = std::min(text.find('\n', begin), text.size());
            if (end > begin)
                parser.take(std::string_view(padded).substr(begin, end - begin), sink);
            begin = end + 1;
        }
    } catch (const BadLine&) {
        return std::nullopt;
    }
    if (model.declarations.empty())
        return std::nullopt;
    return model;
}

std::string ExportModel::text() const {
    TextSink sink;
    tell(sink);
    return std::move(sink.out);
}

void ExportModel::tell(lean4export::ExportSink& sink) const {
    const Reached reached(*this);
    for (std::size_t i = 1; i < names.size(); ++i) {
        if (!reached.has_name(i))
            continue;
        if (names[i].is_number)
            sink.name_num(i, names[i].prefix, names[i].number);
        else
            sink.name_str(i, names[i].prefix, names[i].text);
    }
    for (std::size_t i = 1; i < levels.size(); ++i) {
        if (reached.has_level(i))
            tell_level(levels[i], static_cast<Index>(i), sink);
    }
    for (std::size_t i = 0; i < terms.size(); ++i) {
        if (reached.has_term(i))
            tell_term(terms[i], static_cast<Index>(i), sink);
    }
    for (const ExportDeclaration& declaration : declarations)
        sink.declaration(declaration);
}

Index ExportModel::name(Index prefix, std::string_view component) {
    const auto [at, is_new] =
        name_index_.try_emplace({prefix, std::string(component)}, static_cast<Index>(names.size()));
    if (is_new)
        names.push_back({prefix, false, 0, std::string(component)});
    return at->second;
}

Index ExportModel::name(std::string_view dotted) {
    Index result = 0;
    for (std::size_t at = 0; at <= dotted.size();) {
        const std::size_t dot = std::min(dotted.find('.', at), dotted.size());
        result = name(result, dotted.substr(at, dot - at));
        at = dot + 1;
    }
    return result;
}

Index ExportModel::level(ModelLevel level) {
    if (level.kind == LevelKind::zero)
        return 0;
    const auto [at, is_new] = level_index_.try_emplace(level, static_cast<Index>(levels.size()));
    if (is_new)
        levels.push_back(level);
    return at->second;
}

Index ExportModel::term(ModelTerm term) {
    const auto [at, is_new] = term_index_.try_emplace(term, static_cast<Index>(terms.size()));
    if (is_new)
        terms.push_back(std::move(term));
    return at->second;
}

std::string ExportModel::dotted(Index name) const {
    if (name == 0)
        return {};
    const ModelName& own = names[name];
    const std::string last = own.is_number ? std::to_string(own.number) : own.text;
    return own.prefix == 0 ? last : dotted(own.prefix) + "." + last;
}

std::vector<Index> ExportModel::parts(Index of) const {
    const ModelTerm& term = terms[of];
    switch (term.kind) {
    case TermKind::app:
    case TermKind::lam:
    case TermKind::pi:
        return {term.a, term.b};
    case TermKind::let:
        return {term.a, term.b, term.c};
    case TermKind::proj:
        return {term.a};
    default:
        return {};
    }
}

Index ExportModel::with_part(Index of, std::size_t which, Index part) {
    ModelTerm changed = terms[of];
    (which == 0 ? changed.a : which == 1 ? changed.b : changed.c) = part;
    return term(std::move(changed));
}

} // namespace leanhost::fuzz
