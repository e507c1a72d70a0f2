#include "module/lean4export/json_item.hpp"

namespace leanhost::module::lean4export::json {
namespace {

using object::BinderInfo;

// A number itself, or under one key of an object.
std::uint64_t bare_or_under(Value value, std::string_view key) {
    if (value.type() != Type::object)
        return value.natural();
    return number(value, key);
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

Item name_item(std::string_view key, Value value) {
    const Id prefix = number(value, "pre");
    if (key == "str") {
        return {Space::name, [prefix, component = text(value, "str")](Id id, ExportSink& sink) {
                    sink.name_str(id, prefix, component);
                }};
    }
    return {Space::name, [prefix, component = number(value, "i")](Id id, ExportSink& sink) {
                sink.name_num(id, prefix, component);
            }};
}

Item level_item(std::string_view key, Value value) {
    if (key == "succ" || key == "param") {
        const std::uint64_t of = value.natural();
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

Item binder_item(std::string_view key, Value value) {
    const BinderInfo info = binder_info(text(value, "binderInfo"));
    const Id name = number(value, "name", "binderName");
    const Id type = number(value, "type", "binderType");
    const Id body = number(value, "body");
    return {Space::term, [=, is_lam = key == "lam"](Id id, ExportSink& sink) {
                is_lam ? sink.lam(id, info, name, type, body)
                       : sink.forall_e(id, info, name, type, body);
            }};
}

Item let_item(Value value) {
    const Id name = number(value, "name", "declName");
    const Id type = number(value, "type");
    const Id bound = number(value, "value");
    const Id body = number(value, "body");
    const bool non_dep = has(value, "nondep") ? flag(value, "nondep")
                                              : has(value, "nonDep") && flag(value, "nonDep");
    return {Space::term,
            [=](Id id, ExportSink& sink) { sink.let_e(id, name, type, bound, body, non_dep); }};
}

Item term_item(std::string_view key, Value value) {
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
        return {Space::term,
                [digits = value.text()](Id id, ExportSink& sink) { sink.nat_literal(id, digits); }};
    }
    if (key == "strVal") {
        return {Space::term,
                [text = value.text()](Id id, ExportSink& sink) { sink.string_literal(id, text); }};
    }
    if (key == "lam" || key == "forallE")
        return binder_item(key, value);
    if (key == "letE")
        return let_item(value);
    if (key == "const") {
        return {Space::term,
                [name = number(value, "name", "declName"), levels = ids(value, "us")](
                    Id id, ExportSink& sink) { sink.constant_term(id, name, levels); }};
    }
    if (key == "app") {
        return {Space::term, [function = number(value, "fn"), argument = number(value, "arg")](
                                 Id id, ExportSink& sink) { sink.app(id, function, argument); }};
    }
    if (key == "proj") {
        return {Space::term, [type_name = number(value, "typeName"), index = number(value, "idx"),
                              structure = number(value, "struct")](Id id, ExportSink& sink) {
                    sink.proj(id, type_name, index, structure);
                }};
    }
    return {Space::term,
            [of = number(value, "expr")](Id id, ExportSink& sink) { sink.mdata(id, of); }};
}

} // namespace

std::optional<Item> read_item(std::string_view key, Value value) {
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

} // namespace leanhost::module::lean4export::json
