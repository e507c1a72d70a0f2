#include "kernel/export_text.hpp"

#include "support/temp_dir.hpp"

#include <fmt/format.h>

#include <fstream>

namespace leanhost::kernel::test {

ExportText::ExportText() {
    line(
        R"({"meta":{"exporter":{"name":"lean4export","version":"3.1.0"},"format":{"version":"3.1.0"},"lean":{"githash":"0","version":"4.29.0"}}})");
}

ExportText::ExportText(Id first_id)
    : first_name_(first_id), next_level_(first_id), next_term_(first_id) {}

ExportText& ExportText::line(const std::string& text) {
    text_ += text + "\n";
    return *this;
}

ExportText::Id ExportText::name(const std::string& dotted) {
    if (dotted.empty())
        return 0;
    if (const auto found = names_.find(dotted); found != names_.end())
        return found->second;
    const auto dot = dotted.rfind('.');
    const Id prefix = dot == std::string::npos ? 0 : name(dotted.substr(0, dot));
    const Id id = static_cast<Id>(names_.size()) + first_name_;
    names_[dotted] = id;
    const std::string last = dot == std::string::npos ? dotted : dotted.substr(dot + 1);
    line(fmt::format(R"({{"in":{},"str":{{"pre":{},"str":"{}"}}}})", id, prefix, last));
    return id;
}

ExportText::Id ExportText::level_param(const std::string& param) {
    const Id n = name(param);
    line(fmt::format(R"({{"il":{},"param":{}}})", next_level_, n));
    return next_level_++;
}
ExportText::Id ExportText::level_succ(Id of) {
    line(fmt::format(R"({{"il":{},"succ":{}}})", next_level_, of));
    return next_level_++;
}
ExportText::Id ExportText::level_max(Id lhs, Id rhs) {
    line(fmt::format(R"({{"il":{},"max":[{},{}]}})", next_level_, lhs, rhs));
    return next_level_++;
}
ExportText::Id ExportText::level_imax(Id lhs, Id rhs) {
    line(fmt::format(R"({{"il":{},"imax":[{},{}]}})", next_level_, lhs, rhs));
    return next_level_++;
}

ExportText::Id ExportText::term(const std::string& what) {
    line(fmt::format(R"({{{},"ie":{}}})", what, next_term_));
    return next_term_++;
}
ExportText::Id ExportText::bvar(unsigned index) {
    return term(fmt::format(R"("bvar":{})", index));
}
ExportText::Id ExportText::sort(Id level) {
    return term(fmt::format(R"("sort":{})", level));
}
ExportText::Id ExportText::constant(const std::string& n, const std::vector<Id>& levels) {
    const Id id = name(n);
    return term(fmt::format(R"("const":{{"name":{},"us":{}}})", id, list(levels)));
}
ExportText::Id ExportText::app(Id function, const std::vector<Id>& args) {
    for (const Id arg : args)
        function = term(fmt::format(R"("app":{{"arg":{},"fn":{}}})", arg, function));
    return function;
}
ExportText::Id ExportText::lam(Id type, Id body) {
    return term(fmt::format(R"("lam":{{"binderInfo":"default","body":{},"name":0,"type":{}}})",
                            body, type));
}
ExportText::Id ExportText::pi(Id type, Id body) {
    return term(fmt::format(R"("forallE":{{"binderInfo":"default","body":{},"name":0,"type":{}}})",
                            body, type));
}
ExportText::Id ExportText::let(Id type, Id value, Id body) {
    return term(fmt::format(R"("letE":{{"body":{},"name":0,"nondep":false,"type":{},"value":{}}})",
                            body, type, value));
}
ExportText::Id ExportText::proj(const std::string& type, unsigned index, Id structure) {
    const Id id = name(type);
    return term(
        fmt::format(R"("proj":{{"idx":{},"struct":{},"typeName":{}}})", index, structure, id));
}
ExportText::Id ExportText::nat(const std::string& digits) {
    return term(fmt::format(R"("natVal":"{}")", digits));
}
ExportText::Id ExportText::string(const std::string& text) {
    return term(fmt::format(R"("strVal":"{}")", text));
}

std::string ExportText::list(const std::vector<Id>& ids) const {
    return fmt::format("[{}]", fmt::join(ids, ","));
}
std::string ExportText::names(const std::vector<std::string>& all) {
    std::vector<Id> ids;
    for (const std::string& n : all)
        ids.push_back(name(n));
    return list(ids);
}

ExportText&
ExportText::axiom(const std::string& n, Id type, const std::vector<std::string>& params) {
    const Id id = name(n);
    const std::string levels = names(params);
    return line(
        fmt::format(R"({{"axiom":{{"isUnsafe":false,"levelParams":{},"name":{},"type":{}}}}})",
                    levels, id, type));
}

ExportText& ExportText::definition(const std::string& n,
                                   Id type,
                                   Id value,
                                   const std::vector<std::string>& params,
                                   const std::string& safety) {
    const Id id = name(n);
    const std::string levels = names(params);
    return line(fmt::format(
        R"({{"def":{{"all":[{}],"hints":{{"regular":1}},"levelParams":{},"name":{},"safety":"{}","type":{},"value":{}}}}})",
        id, levels, id, safety, type, value));
}

ExportText& ExportText::theorem(const std::string& n, Id type, Id value) {
    const Id id = name(n);
    return line(
        fmt::format(R"({{"thm":{{"all":[{}],"levelParams":[],"name":{},"type":{},"value":{}}}}})",
                    id, id, type, value));
}

ExportText& ExportText::nat_type() {
    const Id u = level_param("u");
    const Id nat = constant("Nat");
    const Id type = sort(level_succ(0));
    const Id succ_type = pi(nat, nat);
    const Id zero = constant("Nat.zero");
    const Id succ = constant("Nat.succ");
    const Id motive = pi(nat, sort(u));
    const Id v0 = bvar(0);
    const Id v1 = bvar(1);
    const Id v2 = bvar(2);
    const Id v3 = bvar(3);
    const Id at_zero = app(v0, {zero});
    const Id step = pi(nat, pi(app(v2, {v0}), app(v3, {app(succ, {v1})})));
    const Id rec_type = pi(motive, pi(at_zero, pi(step, pi(nat, app(v3, {v0})))));
    const Id zero_rhs = lam(motive, lam(at_zero, lam(step, v1)));
    const Id call = app(constant("Nat.rec", {u}), {v3, v2, v1, v0});
    const Id succ_rhs = lam(motive, lam(at_zero, lam(step, lam(nat, app(v1, {v0, call})))));
    return line(fmt::format(
        R"({{"inductive":{{"ctors":[{{"cidx":0,"induct":{0},"isUnsafe":false,"levelParams":[],"name":{1},"numFields":0,"numParams":0,"type":{2}}},)"
        R"({{"cidx":1,"induct":{0},"isUnsafe":false,"levelParams":[],"name":{3},"numFields":1,"numParams":0,"type":{4}}}],)"
        R"("recs":[{{"all":[{0}],"isUnsafe":false,"k":false,"levelParams":[{5}],"name":{6},"numIndices":0,"numMinors":2,"numMotives":1,"numParams":0,)"
        R"("rules":[{{"ctor":{1},"nfields":0,"rhs":{7}}},{{"ctor":{3},"nfields":1,"rhs":{8}}}],"type":{9}}}],)"
        R"("types":[{{"all":[{0}],"ctors":[{1},{3}],"isRec":true,"isReflexive":false,"isUnsafe":false,"levelParams":[],"name":{0},"numIndices":0,"numNested":0,"numParams":0,"type":{10}}}]}}}})",
        name("Nat"), name("Nat.zero"), nat, name("Nat.succ"), succ_type, name("u"), name("Nat.rec"),
        zero_rhs, succ_rhs, rec_type, type));
}

ExportText& ExportText::bool_type() {
    const Id u = level_param("u");
    const Id type = constant("Bool");
    const Id no = constant("Bool.false");
    const Id yes = constant("Bool.true");
    const Id motive = pi(type, sort(u));
    const Id v0 = bvar(0);
    const Id v1 = bvar(1);
    const Id at_false = app(v0, {no});
    const Id at_true = app(v1, {yes});
    const Id rec_type = pi(motive, pi(at_false, pi(at_true, pi(type, app(bvar(3), {v0})))));
    const Id rhs_false = lam(motive, lam(at_false, lam(at_true, v1)));
    const Id rhs_true = lam(motive, lam(at_false, lam(at_true, v0)));
    const Id sort_one = sort(level_succ(0));
    return line(fmt::format(
        R"({{"inductive":{{"ctors":[{{"cidx":0,"induct":{0},"isUnsafe":false,"levelParams":[],"name":{1},"numFields":0,"numParams":0,"type":{2}}},)"
        R"({{"cidx":1,"induct":{0},"isUnsafe":false,"levelParams":[],"name":{3},"numFields":0,"numParams":0,"type":{2}}}],)"
        R"("recs":[{{"all":[{0}],"isUnsafe":false,"k":false,"levelParams":[{4}],"name":{5},"numIndices":0,"numMinors":2,"numMotives":1,"numParams":0,)"
        R"("rules":[{{"ctor":{1},"nfields":0,"rhs":{6}}},{{"ctor":{3},"nfields":0,"rhs":{7}}}],"type":{8}}}],)"
        R"("types":[{{"all":[{0}],"ctors":[{1},{3}],"isRec":false,"isReflexive":false,"isUnsafe":false,"levelParams":[],"name":{0},"numIndices":0,"numNested":0,"numParams":0,"type":{9}}}]}}}})",
        name("Bool"), name("Bool.false"), type, name("Bool.true"), name("u"), name("Bool.rec"),
        rhs_false, rhs_true, rec_type, sort_one));
}

ExportText& ExportText::nat_add(bool wrong) {
    const Id nat = constant("Nat");
    const Id one = level_succ(0);
    const Id succ = constant("Nat.succ");
    const Id motive = lam(nat, nat);
    Id at_zero = bvar(1);
    for (int i = 0; wrong && i < 5; ++i)
        at_zero = app(succ, {at_zero});
    const Id step = lam(nat, lam(nat, app(succ, {bvar(0)})));
    const Id body = app(constant("Nat.rec", {one}), {motive, at_zero, step, bvar(0)});
    return definition("Nat.add", pi(nat, pi(nat, nat)), lam(nat, lam(nat, body)));
}

ExportText& ExportText::eq_type() {
    const Id u = level_param("u");
    const Id v = level_param("v");
    const Id sort_u = sort(u);
    const Id prop = sort(0);
    const Id eq = constant("Eq", {u});
    const Id refl = constant("Eq.refl", {u});
    const Id v0 = bvar(0);
    const Id v1 = bvar(1);
    const Id v2 = bvar(2);
    const Id v3 = bvar(3);
    const Id v4 = bvar(4);
    const Id type = pi(sort_u, pi(v0, pi(v1, prop)));
    const Id refl_type = pi(sort_u, pi(v0, app(eq, {v1, v0, v0})));
    const Id motive = pi(v1, pi(app(eq, {v2, v1, v0}), sort(v)));
    const Id minor = app(v0, {v1, app(refl, {v2, v1})});
    const Id rec_type =
        pi(sort_u,
           pi(v0, pi(motive, pi(minor, pi(v3, pi(app(eq, {v4, v3, v0}), app(v3, {v1, v0})))))));
    const Id rhs = lam(sort_u, lam(v0, lam(motive, lam(minor, v0))));
    return line(fmt::format(
        R"({{"inductive":{{"ctors":[{{"cidx":0,"induct":{0},"isUnsafe":false,"levelParams":[{1}],"name":{2},"numFields":0,"numParams":2,"type":{3}}}],)"
        R"("recs":[{{"all":[{0}],"isUnsafe":false,"k":true,"levelParams":[{4},{1}],"name":{5},"numIndices":1,"numMinors":1,"numMotives":1,"numParams":2,)"
        R"("rules":[{{"ctor":{2},"nfields":0,"rhs":{6}}}],"type":{7}}}],)"
        R"("types":[{{"all":[{0}],"ctors":[{2}],"isRec":false,"isReflexive":false,"isUnsafe":false,"levelParams":[{1}],"name":{0},"numIndices":1,"numNested":0,"numParams":2,"type":{8}}}]}}}})",
        name("Eq"), name("u"), name("Eq.refl"), refl_type, name("v"), name("Eq.rec"), rhs, rec_type,
        type));
}

ExportReport ExportText::check(const CheckOptions& options) const {
    return check_text(text_, options);
}

ExportReport check_text(const std::string& text, const CheckOptions& options) {
    const leanhost::test::TempDir dir;
    const auto path = dir.path() / "export.ndjson";
    std::ofstream(path) << text;
    Monitor monitor;
    return check_export(path, options, monitor);
}

} // namespace leanhost::kernel::test
