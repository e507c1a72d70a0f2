#include "lean4export/sample_lines.hpp"

#include "lean4export/recording_sink.hpp"

namespace leanhost::test {
namespace {

using namespace module::lean4export;
using object::ConstantKind;
using object::DefinitionSafety;
using object::ReducibilityHints;

std::string alone(const ExportConstant& constant) {
    return describe(ExportDeclaration{{constant}, false});
}

ExportConstant head(ConstantKind kind, Id name, std::vector<Id> params, Id type) {
    ExportConstant constant;
    constant.kind = kind;
    constant.name = name;
    constant.universe_params = std::move(params);
    constant.type = type;
    return constant;
}

ExportConstant axiom() {
    ExportConstant c = head(ConstantKind::axiom, 1, {2}, 3);
    c.is_unsafe = true;
    return c;
}
ExportConstant definition(Id name, ReducibilityHints hints, DefinitionSafety safety) {
    ExportConstant c = head(ConstantKind::definition, name, {}, 3);
    c.value = 4;
    c.hints = hints;
    c.safety = safety;
    c.all = {name};
    return c;
}
ExportConstant theorem(Id name) {
    ExportConstant c = head(ConstantKind::theorem, name, {2, 3}, 3);
    c.value = 5;
    c.all = {name};
    return c;
}
ExportConstant opaque(Id name) {
    ExportConstant c = head(ConstantKind::opaque, name, {}, 3);
    c.value = 6;
    c.is_unsafe = true;
    c.all = {name, 1};
    return c;
}
ExportConstant quotient(Id name, std::uint8_t kind) {
    ExportConstant c = head(ConstantKind::quotient, name, {2}, 3);
    c.quotient_kind = kind;
    return c;
}
ExportConstant inductive() {
    ExportConstant c = head(ConstantKind::inductive, 14, {2}, 3);
    c.num_params = 1;
    c.num_indices = 2;
    c.num_nested = 3;
    c.all = {14};
    c.constructors = {15};
    c.is_recursive = true;
    return c;
}
ExportConstant constructor() {
    ExportConstant c = head(ConstantKind::constructor, 15, {2}, 3);
    c.inductive = 14;
    c.index = 0;
    c.num_params = 1;
    c.num_fields = 4;
    return c;
}
ExportConstant recursor() {
    ExportConstant c = head(ConstantKind::recursor, 16, {3, 2}, 3);
    c.all = {14};
    c.num_params = 1;
    c.num_indices = 2;
    c.num_motives = 1;
    c.num_minors = 1;
    c.has_k = true;
    c.rules = {{15, 4, 5}};
    return c;
}

constexpr const char* inductive_text =
    R"({"all":[14],"ctors":[15],"isRec":true,"isReflexive":false,"isUnsafe":false,"levelParams":[2],"name":14,"numIndices":2,"numNested":3,"numParams":1,"type":3})";
constexpr const char* constructor_text =
    R"({"cidx":0,"induct":14,"isUnsafe":false,"levelParams":[2],"name":15,"numFields":4,"numParams":1,"type":3})";
constexpr const char* recursor_text =
    R"({"all":[14],"isUnsafe":false,"k":true,"levelParams":[3,2],"name":16,"numIndices":2,"numMinors":1,"numMotives":1,"numParams":1,"rules":[{"ctor":15,"nfields":4,"rhs":5}],"type":3})";

std::string block(const char* types, const char* ctors, const char* recs) {
    return std::string("{\"inductive\":{\"") + ctors + "\":[" + constructor_text + "],\"" + recs +
           "\":[" + recursor_text + "],\"" + types + "\":[" + inductive_text + "]}}";
}
std::string block_call() {
    return describe(ExportDeclaration{{inductive(), constructor(), recursor()}, true});
}

constexpr ReducibilityHints opaque_hints{ReducibilityHints::Kind::opaque, 0};
constexpr ReducibilityHints abbreviation{ReducibilityHints::Kind::abbreviation, 0};
constexpr ReducibilityHints regular_7{ReducibilityHints::Kind::regular, 7};

} // namespace

const std::vector<SampleLine>& lines_of_3_1() {
    static const std::vector<SampleLine> lines = {
        {R"({"meta":{"exporter":{"name":"lean4export","version":"3.1.0"},"format":{"version":"3.1.0"},"lean":{"githash":"83e54b65","version":"4.29.0"}}})",
         "meta exporter=3.1.0 format=3.1.0 lean=4.29.0 githash=83e54b65"},
        {R"({"in":1,"str":{"pre":0,"str":"Nat"}})", "str 1: 0 \"Nat\""},
        {R"({"in":2,"str":{"pre":0,"str":"u"}})", "str 2: 0 \"u\""},
        {R"({"in":3,"str":{"pre":1,"str":"αβ"}})", "str 3: 1 \"αβ\""},
        {R"({"in":4,"num":{"i":1910291827,"pre":3}})", "num 4: 3 1910291827"},
        {R"({"in":5,"str":{"pre":0,"str":"quote\" slash\\ tab\t"}})",
         "str 5: 0 \"quote\" slash\\ tab\t\""},
        {R"({"il":1,"succ":0})", "succ 1: 0"},
        {R"({"il":2,"param":2})", "param 2: 2"},
        {R"({"il":3,"max":[1,2]})", "max 3: 1 2"},
        {R"({"il":4,"imax":[3,2]})", "imax 4: 3 2"},
        {R"({"ie":0,"sort":1})", "sort 0: 1"},
        {R"({"bvar":0,"ie":1})", "bvar 1: 0"},
        {R"({"const":{"name":1,"us":[]},"ie":2})", "const 2: 1 []"},
        {R"({"const":{"name":3,"us":[1,4]},"ie":3})", "const 3: 3 [1,4]"},
        {R"({"app":{"arg":2,"fn":3},"ie":4})", "app 4: 3 2"},
        {R"({"ie":5,"lam":{"binderInfo":"default","body":1,"name":4,"type":2}})", "lam 5: 0 4 2 1"},
        {R"({"forallE":{"binderInfo":"implicit","body":1,"name":2,"type":3},"ie":6})",
         "forall 6: 1 2 3 1"},
        {R"({"ie":7,"lam":{"binderInfo":"strictImplicit","body":1,"name":4,"type":2}})",
         "lam 7: 2 4 2 1"},
        {R"({"forallE":{"binderInfo":"instImplicit","body":1,"name":2,"type":3},"ie":8})",
         "forall 8: 3 2 3 1"},
        {R"({"ie":9,"letE":{"body":1,"name":4,"nondep":true,"type":2,"value":5}})",
         "let 9: 4 2 5 1 true"},
        {R"({"ie":10,"letE":{"body":1,"name":4,"nondep":false,"type":2,"value":5}})",
         "let 10: 4 2 5 1 false"},
        {R"({"ie":11,"proj":{"idx":2,"struct":9,"typeName":1}})", "proj 11: 1 2 9"},
        {R"({"ie":12,"natVal":"0"})", "nat 12: 0"},
        {R"({"ie":13,"natVal":"340282366920938463463374607431768211456"})",
         "nat 13: 340282366920938463463374607431768211456"},
        {R"({"ie":14,"strVal":"a\nb\"c\\"})", "string 14: \"a\nb\"c\\\""},
        {R"({"ie":15,"mdata":{"data":{"x":[1,{"y":null}]},"expr":11}})", "mdata 15: 11"},
        {R"({"axiom":{"isUnsafe":true,"levelParams":[2],"name":1,"type":3}})", alone(axiom())},
        {R"({"in":6,"num":{"i":0,"pre":1}})", "num 6: 1 0"},
        {R"({"def":{"all":[6],"hints":"abbrev","levelParams":[],"name":6,"safety":"safe","type":3,"value":4}})",
         alone(definition(6, abbreviation, DefinitionSafety::safe))},
        {R"({"in":7,"num":{"i":1,"pre":1}})", "num 7: 1 1"},
        {R"({"def":{"all":[7],"hints":"opaque","levelParams":[],"name":7,"safety":"unsafe","type":3,"value":4}})",
         alone(definition(7, opaque_hints, DefinitionSafety::unsafe))},
        {R"({"in":8,"num":{"i":2,"pre":1}})", "num 8: 1 2"},
        {R"({"def":{"all":[8],"hints":{"regular":7},"levelParams":[],"name":8,"safety":"partial","type":3,"value":4}})",
         alone(definition(8, regular_7, DefinitionSafety::partial))},
        {R"({"in":9,"num":{"i":3,"pre":1}})", "num 9: 1 3"},
        {R"({"thm":{"all":[9],"levelParams":[2,3],"name":9,"type":3,"value":5}})",
         alone(theorem(9))},
        {R"({"in":10,"num":{"i":4,"pre":1}})", "num 10: 1 4"},
        {R"({"opaque":{"all":[10,1],"isUnsafe":true,"levelParams":[],"name":10,"type":3,"value":6}})",
         alone(opaque(10))},
        {R"({"in":11,"str":{"pre":0,"str":"Quot"}})", "str 11: 0 \"Quot\""},
        {R"({"quot":{"kind":"type","levelParams":[2],"name":11,"type":3}})",
         alone(quotient(11, 0))},
        {R"({"in":12,"str":{"pre":11,"str":"mk"}})", "str 12: 11 \"mk\""},
        {R"({"quot":{"kind":"ctor","levelParams":[2],"name":12,"type":3}})",
         alone(quotient(12, 1))},
        {R"({"in":13,"str":{"pre":11,"str":"lift"}})", "str 13: 11 \"lift\""},
        {R"({"quot":{"kind":"lift","levelParams":[2],"name":13,"type":3}})",
         alone(quotient(13, 2))},
        {R"({"in":17,"str":{"pre":11,"str":"ind"}})", "str 17: 11 \"ind\""},
        {R"({"quot":{"kind":"ind","levelParams":[2],"name":17,"type":3}})", alone(quotient(17, 3))},
        {R"({"in":14,"str":{"pre":0,"str":"T"}})", "str 14: 0 \"T\""},
        {R"({"in":15,"str":{"pre":14,"str":"mk"}})", "str 15: 14 \"mk\""},
        {R"({"in":16,"str":{"pre":14,"str":"rec"}})", "str 16: 14 \"rec\""},
        {block("types", "ctors", "recs"), block_call()},
    };
    return lines;
}

const std::vector<SampleLine>& lines_of_3_0() {
    static const std::vector<SampleLine> lines = {
        {R"({"meta":{"exporter":{"name":"lean4export","version":"3.0.0"},"lean":{"githash":"2fcce725","version":"4.27.0-rc1"}}})",
         "meta exporter=3.0.0 format= lean=4.27.0-rc1 githash=2fcce725"},
        {R"({"def":[{"all":[8],"hints":"abbrev","levelParams":[],"name":8,"safety":"safe","type":3,"value":4}]})",
         alone(definition(8, abbreviation, DefinitionSafety::safe))},
        {R"({"def":[{"all":[6],"hints":{"regular":7},"levelParams":[],"name":6,"safety":"safe","type":3,"value":4},{"all":[7],"hints":"opaque","levelParams":[],"name":7,"safety":"partial","type":3,"value":4}]})",
         describe(ExportDeclaration{{definition(6, regular_7, DefinitionSafety::safe),
                                     definition(7, opaque_hints, DefinitionSafety::partial)},
                                    false})},
        {R"({"thm":[{"all":[9],"levelParams":[2,3],"name":9,"type":3,"value":5}]})",
         alone(theorem(9))},
        {R"({"opaque":[{"all":[10,1],"isUnsafe":true,"levelParams":[],"name":10,"type":3,"value":6}]})",
         alone(opaque(10))},
        {block("inductiveVals", "constructorVals", "recursorVals"), block_call()},
    };
    return lines;
}

const std::vector<SampleLine>& lines_before_3_0() {
    static const std::vector<SampleLine> lines = {
        {R"({"i":1,"str":{"pre":0,"str":"Nat"}})", "str 1: 0 \"Nat\""},
        {R"({"i":12,"num":{"i":5,"pre":11}})", "num 12: 11 5"},
        {R"({"i":1,"succ":0})", "succ 1: 0"},
        {R"({"i":10,"max":[6,7]})", "max 10: 6 7"},
        {R"({"i":11,"imax":[10,8]})", "imax 11: 10 8"},
        {R"({"i":2,"param":6})", "param 2: 6"},
        {R"({"i":0,"sort":{"u":1}})", "sort 0: 1"},
        {R"({"bvar":{"deBruijnIndex":3},"i":4})", "bvar 4: 3"},
        {R"({"const":{"declName":1,"us":[2,1]},"i":1})", "const 1: 1 [2,1]"},
        {R"({"app":{"arg":5,"fn":10},"i":11})", "app 11: 10 5"},
        {R"({"i":18,"lam":{"binderInfo":"default","binderName":7,"binderType":16,"body":4}})",
         "lam 18: 0 7 16 4"},
        {R"({"forallE":{"binderInfo":"instImplicit","binderName":4,"binderType":1,"body":1},"i":2})",
         "forall 2: 3 4 1 1"},
        {R"({"i":3,"letE":{"body":1,"declName":4,"nonDep":true,"type":2,"value":5}})",
         "let 3: 4 2 5 1 true"},
        {R"({"i":49,"proj":{"idx":0,"struct":4,"typeName":16}})", "proj 49: 16 0 4"},
        {R"({"i":50,"natVal":"17"})", "nat 50: 17"},
        {R"({"i":51,"strVal":""})", "string 51: \"\""},
        {R"({"axiomInfo":{"isUnsafe":true,"levelParams":[2],"name":1,"type":3}})", alone(axiom())},
        {R"({"defnInfo":{"all":[6],"hints":"abbrev","levelParams":[],"name":6,"safety":"safe","type":3,"value":4}})",
         alone(definition(6, abbreviation, DefinitionSafety::safe))},
        {R"({"defnInfo":{"hints":{"regular":7},"levelParams":[],"name":6,"safety":"safe","type":3,"value":4}})",
         alone(definition(6, regular_7, DefinitionSafety::safe))},
        {R"({"thmInfo":{"levelParams":[2,3],"name":9,"type":3,"value":5}})", alone(theorem(9))},
        {R"({"opaqueInfo":{"all":[10,1],"isUnsafe":true,"levelParams":[],"name":10,"type":3,"value":6}})",
         alone(opaque(10))},
        {R"({"quotInfo":{"kind":"lift","levelParams":[2],"name":13,"type":3}})",
         alone(quotient(13, 2))},
        {std::string("{\"inductInfo\":") + inductive_text + "}", alone(inductive())},
        {std::string("{\"ctorInfo\":") + constructor_text + "}", alone(constructor())},
        {std::string("{\"recInfo\":") + recursor_text + "}", alone(recursor())},
    };
    return lines;
}

std::vector<SampleLine> all_sample_lines() {
    std::vector<SampleLine> all;
    for (const auto* lines : {&lines_of_3_1(), &lines_of_3_0(), &lines_before_3_0()})
        all.insert(all.end(), lines->begin(), lines->end());
    return all;
}

std::string text_of(const std::vector<SampleLine>& lines) {
    std::string text;
    for (const SampleLine& line : lines)
        text += line.line + "\n";
    return text;
}

} // namespace leanhost::test
