#include "kernel/export_text.hpp"
#include "kernel/module_library.hpp"
#include "support/test_data.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace leanhost::kernel::test {
namespace {

using leanhost::test::TempDir;
using leanhost::test::test_data;
using Names = std::vector<std::string>;

CheckOptions allowing(const Names& names, unsigned jobs = 1) {
    CheckOptions options;
    options.allowed_axioms = names;
    options.jobs = jobs;
    return options;
}

std::map<std::string, Names> axioms_of(const ExportText& text, unsigned jobs) {
    std::map<std::string, Names> result;
    CheckOptions options;
    options.jobs = jobs;
    options.on_axioms = [&](const std::string& declaration, const Names& axioms) {
        result[declaration] = axioms;
    };
    EXPECT_EQ(text.check(options).verdict.kind, VerdictKind::accepted);
    return result;
}

// sorryAx : p; t1 := sorryAx, t2 := t1, and what uses it in a type only; u rests on another.
ExportText& with_uses(ExportText& text) {
    const auto prop = text.sort(0);
    text.axiom("p", prop).axiom("sorryAx", text.constant("p")).axiom("free", text.constant("p"));
    text.theorem("t1", text.constant("p"), text.constant("sorryAx"));
    text.theorem("t2", text.constant("p"), text.constant("t1"));
    text.theorem("u", text.constant("p"), text.constant("free"));
    text.definition("f", text.pi(prop, prop), text.lam(prop, text.bvar(0)));
    const auto identity = text.lam(text.constant("p"), text.bvar(0));
    text.theorem("both", text.constant("p"),
                 text.let(text.constant("p"), text.constant("t2"),
                          text.app(identity, {text.constant("u")})));
    return text;
}

TEST(AxiomUse, ADeclarationRestsOnWhatItMentionsAndWhatThatRestsOn) {
    ExportText text;
    with_uses(text);
    for (const unsigned jobs : {1U, 2U}) {
        auto axioms = axioms_of(text, jobs);
        EXPECT_EQ(axioms["t1"], (Names{"p", "sorryAx"}));
        EXPECT_EQ(axioms["t2"], (Names{"p", "sorryAx"}));
        EXPECT_EQ(axioms["u"], (Names{"p", "free"}));
        EXPECT_EQ(axioms["f"], Names{});
        EXPECT_EQ(axioms["both"], (Names{"p", "sorryAx", "free"}));
        EXPECT_EQ(axioms["free"], (Names{"p", "free"})); // an axiom rests on itself
    }
}

TEST(AxiomUse, WhatRestsOnAnUnlistedAxiomIsRejectedByTheAxiomsName) {
    ExportText text;
    with_uses(text);
    const Names allowed = {"p", "free"};
    for (const unsigned jobs : {1U, 2U}) {
        const ExportReport report = text.check(allowing(allowed, jobs));
        EXPECT_EQ(report.verdict.kind, VerdictKind::rejected);
        EXPECT_EQ(report.verdict.reason, "axiom_not_allowed");
        EXPECT_EQ(report.declaration, "t1");
        EXPECT_NE(report.verdict.message.find("sorryAx by 3: t1 t2 both"), std::string::npos)
            << report.verdict.message;
        ASSERT_EQ(report.unlisted_axioms.size(), 1U);
        EXPECT_EQ(report.unlisted_axioms[0].axiom, "sorryAx");
        EXPECT_EQ(report.unlisted_axioms[0].declarations, (Names{"t1", "t2", "both"}));
    }
    const Names all = {"p", "free", "sorryAx"};
    EXPECT_EQ(text.check(allowing(all)).verdict.kind, VerdictKind::accepted);
}

// Every Prelude declares sorryAx; few use it.
TEST(AxiomUse, AnAxiomThatNothingRestsOnIsNoRejection) {
    ExportText text;
    text.axiom("sorryAx", text.sort(0));
    const Names none;
    const ExportReport report = text.check(allowing(none));
    EXPECT_EQ(report.verdict.kind, VerdictKind::accepted);
    EXPECT_EQ(report.axioms, Names{"sorryAx"});
}

// The kernel's own refusal says more than a policy's.
TEST(AxiomUse, WhatTheKernelRejectsComesBeforeThePolicy) {
    ExportText text;
    with_uses(text);
    text.theorem("bad", text.constant("p"), text.constant("f"));
    const Names none;
    const ExportReport report = text.check(allowing(none));
    EXPECT_EQ(report.verdict.reason, "value_type_mismatch");
    EXPECT_EQ(report.unlisted_axioms.size(), 3U);
}

// «Quot.sound», of one component, is not Quot.sound: what it says is anybody's choice.
TEST(AxiomUse, AnAxiomWhoseNameLooksAllowedIsNot) {
    ExportText text;
    const auto all = text.pi(text.sort(0), text.bvar(0)); // ∀ p : Prop, p
    const std::string type = std::to_string(all);
    text.line(R"({"in":900,"str":{"pre":0,"str":"Quot.sound"}})");
    text.line(R"({"axiom":{"isUnsafe":false,"levelParams":[],"name":900,"type":)" + type + "}}");
    text.line(R"({"const":{"name":900,"us":[]},"ie":900})");
    text.theorem("bad", all, 900);
    for (const unsigned jobs : {1U, 2U}) {
        const ExportReport report = text.check(allowing({"Quot.sound"}, jobs));
        EXPECT_EQ(report.verdict.reason, "axiom_not_allowed");
        EXPECT_EQ(report.axioms, Names{"«Quot.sound»"});
        EXPECT_EQ(text.check(allowing({"«Quot.sound»"}, jobs)).verdict.kind, VerdictKind::accepted);
    }
}

/// propext as Lean states it, of Lean's Iff or of an axiom of that name; and a use.
void with_propext(ExportText& text, bool is_lean_iff) {
    const auto prop = text.sort(0);
    const auto v0 = text.bvar(0);
    const auto v1 = text.bvar(1);
    const auto of_two = text.pi(prop, text.pi(prop, prop));
    const auto iff = text.constant("Iff");
    text.eq_type();
    if (is_lean_iff) {
        const auto back =
            text.pi(text.pi(v1, text.bvar(3)), text.app(iff, {text.bvar(3), text.bvar(2)}));
        const auto intro = text.pi(prop, text.pi(prop, text.pi(text.pi(v1, v1), back)));
        const auto name = text.name("Iff");
        const auto intro_name = text.name("Iff.intro");
        text.line(fmt::format(
            R"({{"inductInfo":{{"all":[{0}],"ctors":[{1}],"isRec":false,"isReflexive":false,"isUnsafe":false,"levelParams":[],"name":{0},"numIndices":0,"numNested":0,"numParams":2,"type":{2}}}}})",
            name, intro_name, of_two));
        text.line(fmt::format(
            R"({{"ctorInfo":{{"cidx":0,"induct":{0},"isUnsafe":false,"levelParams":[],"name":{1},"numFields":2,"numParams":2,"type":{2}}}}})",
            name, intro_name, intro));
    } else {
        text.axiom("Iff", of_two);
    }
    const auto eq = text.constant("Eq", {text.level_succ(0)});
    const auto equal = text.app(eq, {prop, text.bvar(2), v1});
    const auto statement = text.pi(prop, text.pi(prop, text.pi(text.app(iff, {v1, v0}), equal)));
    text.axiom("propext", statement);
    text.theorem("used", statement, text.constant("propext"));
}

// A name is allowed for what Lean says under it.
TEST(AxiomUse, AnAxiomOfLeansNameSaysWhatLeansSays) {
    const TempDir folder;
    const auto reasons = [&](const ExportText& text) {
        const auto path = folder.write("export.ndjson", text.text());
        Names all;
        for (const unsigned jobs : {1U, 2U})
            all.push_back(text.check(allowing({"propext"}, jobs)).verdict.reason);
        const ModulesReport report = check_converted(path, 500, allowing({"propext"}));
        all.push_back(report.unlisted_axioms.empty() ? "" : report.unlisted_axioms[0].axiom);
        return all;
    };
    ExportText other;
    const auto nothing = other.pi(other.sort(0), other.bvar(0)); // ∀ p : Prop, p
    other.axiom("propext", nothing).theorem("bad", nothing, other.constant("propext"));
    EXPECT_EQ(reasons(other), (Names{"axiom_not_allowed", "axiom_not_allowed", "propext"}));
    EXPECT_EQ(other.check().verdict.kind, VerdictKind::accepted);
    ExportText of_other_iff;
    with_propext(of_other_iff, false);
    CheckOptions options = allowing({"propext", "Iff"});
    EXPECT_EQ(of_other_iff.check(options).verdict.reason, "axiom_not_allowed");
    ExportText lean;
    with_propext(lean, true);
    EXPECT_EQ(reasons(lean), (Names{"", "", ""}));
}

// "a" is of an empty type, by the axiom String.ofList.
TEST(AxiomUse, AStringLiteralRestsOnWhatItStandsFor) {
    const std::filesystem::path path =
        LEANHOST_SOURCE_DIR "/tests/kernel/doubts/accepted_string_function_axiom.ndjson";
    const Names none;
    Monitor monitor;
    const Verdict verdict = check_export(path, allowing(none), monitor).verdict;
    EXPECT_EQ(verdict.reason, "axiom_not_allowed");
    EXPECT_NE(verdict.message.find("String.ofList by 1: bad"), std::string::npos)
        << verdict.message;
    const ModulesReport as_modules = check_converted(path, 500, allowing(none));
    EXPECT_EQ(as_modules.kind, VerdictKind::rejected);
    ASSERT_EQ(as_modules.unlisted_axioms.size(), 1U);
    EXPECT_EQ(as_modules.unlisted_axioms[0].axiom, "String.ofList");
}

// A block's types and constructors rest on what any of them mentions.
TEST(AxiomUse, ConstructorsRestOnTheirBlocksAxioms) {
    LEANHOST_NEEDS_DATA("init-prelude.ndjson");
    std::map<std::string, Names> axioms;
    CheckOptions options;
    options.on_axioms = [&](const std::string& declaration, const Names& names) {
        axioms[declaration] = names;
    };
    Monitor monitor;
    const ExportReport report = check_export(test_data("init-prelude.ndjson"), options, monitor);
    EXPECT_EQ(report.verdict.kind, VerdictKind::accepted);
    EXPECT_EQ(axioms.size(), report.num_declarations);
    EXPECT_EQ(axioms["Nat.le_of_lt_succ"], Names{});
    EXPECT_EQ(axioms["Classical.ofNonempty"], Names{"Classical.choice"});
}

} // namespace
} // namespace leanhost::kernel::test
