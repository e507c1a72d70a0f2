#include "module/lean4export/json_item.hpp"

namespace leanhost::module::lean4export::json {
namespace {

using object::BinderInfo;

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

} // namespace

std::optional<Item> read_item(std::string_view key, ondemand::value value) {
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
