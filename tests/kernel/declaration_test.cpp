#include "base/failure.hpp"
#include "kernel/export_text.hpp"

#include <gtest/gtest.h>

namespace leanhost::kernel::test {
namespace {

std::string reason(const ExportText& text) {
    const ExportReport report = text.check();
    return report.verdict.kind == VerdictKind::accepted ? "accepted" : report.verdict.reason;
}

TEST(Declaration, TheIdentityIsAcceptedWithItsTypeOnly) {
    ExportText text;
    const auto u = text.sort(text.level_param("u"));
    const auto v0 = text.bvar(0);
    const auto identity = text.lam(u, text.lam(v0, v0));
    const auto type = text.pi(u, text.pi(v0, text.bvar(1)));
    text.definition("id", type, identity, {"u"});
    EXPECT_EQ(reason(text), "accepted");
    text.definition("bad", text.pi(u, text.pi(v0, u)), identity, {"u"});
    EXPECT_EQ(reason(text), "value_type_mismatch");
}

TEST(Declaration, ANameIsDeclaredOnce) {
    ExportText text;
    const auto prop = text.sort(0);
    text.axiom("a", prop).axiom("b", prop);
    EXPECT_EQ(reason(text), "accepted");
    text.axiom("a", prop);
    EXPECT_EQ(reason(text), "duplicate_name");
}

TEST(Declaration, UniverseParametersAreDeclaredOnce) {
    ExportText text;
    text.axiom("a", text.sort(text.level_param("u")), {"u", "v"});
    EXPECT_EQ(reason(text), "accepted");
    ExportText twice;
    twice.axiom("a", twice.sort(twice.level_param("u")), {"u", "u"});
    EXPECT_EQ(reason(twice), "duplicate_universe_parameter");
    ExportText undeclared;
    undeclared.axiom("a", undeclared.sort(undeclared.level_param("u")), {"v"});
    EXPECT_EQ(reason(undeclared), "undeclared_universe_parameter");
}

// What was checked under one declaration's parameters is checked again under another's.
TEST(Declaration, AnUndeclaredParameterIsFoundInATermCheckedBefore) {
    ExportText text;
    const auto u = text.sort(text.level_param("u"));
    const auto shared = text.pi(u, text.pi(u, u));
    text.axiom("a", text.pi(shared, shared), {"u"});
    EXPECT_EQ(reason(text), "accepted");
    text.axiom("b", text.pi(shared, shared));
    EXPECT_EQ(reason(text), "undeclared_universe_parameter");
}

TEST(Declaration, AConstantHasItsNumberOfLevels) {
    ExportText text;
    text.axiom("a", text.sort(text.level_param("u")), {"u"});
    text.axiom("b", text.constant("a", {text.level_succ(0)}));
    EXPECT_EQ(reason(text), "accepted");
    text.axiom("c", text.constant("a"));
    EXPECT_EQ(reason(text), "wrong_number_of_levels");
}

TEST(Declaration, WhatStandsLaterOrIsItselfIsUnknown) {
    ExportText later;
    const auto prop = later.sort(0);
    later.definition("a", prop, later.constant("b"));
    later.axiom("b", prop);
    EXPECT_EQ(reason(later), "unknown_constant");
    ExportText itself;
    itself.definition("a", itself.sort(0), itself.constant("a"));
    EXPECT_EQ(reason(itself), "unknown_constant");
}

TEST(Declaration, AnUnsafeDefinitionMayCallItselfAndASafeOneMayNotCallIt) {
    ExportText text;
    const auto prop = text.sort(0);
    text.definition("a", prop, text.constant("a"), {}, "unsafe");
    EXPECT_EQ(reason(text), "accepted");
    text.definition("b", prop, text.constant("a"));
    EXPECT_EQ(reason(text), "unsafe_constant");
}

// The check of an unsafe declaration must not vouch for a term that a safe one uses as well.
TEST(Declaration, AnUnsafeConstantIsFoundInATermCheckedBefore) {
    ExportText text;
    const auto prop = text.sort(0);
    text.definition("a", text.pi(prop, prop), text.lam(prop, text.bvar(0)), {}, "unsafe");
    text.axiom("p", prop);
    const auto shared = text.app(text.constant("a"), {text.constant("p")});
    const auto uses = text.pi(shared, shared);
    text.definition("b", prop, text.pi(uses, uses), {}, "unsafe");
    EXPECT_EQ(reason(text), "accepted");
    text.definition("c", prop, text.pi(uses, uses));
    EXPECT_EQ(reason(text), "unsafe_constant");
}

TEST(Declaration, ATheoremProvesAProposition) {
    ExportText text;
    const auto prop = text.sort(0);
    text.axiom("p", prop);
    text.axiom("h", text.constant("p"));
    text.theorem("t", text.constant("p"), text.constant("h"));
    EXPECT_EQ(reason(text), "accepted");
    text.theorem("bad", prop, text.constant("p"));
    EXPECT_EQ(reason(text), "theorem_not_a_proposition");
}

TEST(Declaration, ANumberIsWrittenInDecimalDigits) {
    for (const char* const digits :
         {"", "-5", "+5", " 5", "five", "0x10", "-1000000000000000000000"}) {
        ExportText text;
        text.nat_type().definition("n", text.constant("Nat"), text.nat(digits));
        EXPECT_THROW(text.check(), Failure) << digits;
    }
}

TEST(Declaration, ALooseBoundVariableIsRejected) {
    ExportText text;
    text.axiom("a", text.pi(text.sort(0), text.bvar(1)));
    EXPECT_EQ(reason(text), "loose_bound_variable");
}

// Other threads must not stumble over what is about to be refused.
TEST(Declaration, ALooseBoundVariableIsRejectedByAllThreads) {
    ExportText text;
    const auto prop = text.sort(0);
    text.axiom("a", text.pi(prop, text.bvar(1)));
    for (int i = 0; i < 50; ++i)
        text.definition("d" + std::to_string(i), prop, text.app(text.constant("a"), {prop}));
    CheckOptions options;
    options.jobs = 4;
    const ExportReport report = text.check(options);
    EXPECT_EQ(report.verdict.reason, "loose_bound_variable");
    EXPECT_EQ(report.declaration, "a");
}

TEST(Declaration, AnArgumentHasTheTypeThatIsExpected) {
    ExportText text;
    const auto prop = text.sort(0);
    text.axiom("p", prop).axiom("q", prop);
    const auto p = text.constant("p");
    const auto q = text.constant("q");
    text.axiom("f", text.pi(p, q)).axiom("hp", p).axiom("hq", q);
    text.theorem("t", q, text.app(text.constant("f"), {text.constant("hp")}));
    EXPECT_EQ(reason(text), "accepted");
    text.theorem("bad", q, text.app(text.constant("f"), {text.constant("hq")}));
    const ExportReport report = text.check();
    EXPECT_EQ(report.verdict.reason, "application_type_mismatch");
    EXPECT_EQ(report.declaration, "bad");
    EXPECT_EQ(report.verdict.where, "value.argument");
}

TEST(Declaration, ALetHasTheTypeThatItStates) {
    ExportText text;
    const auto prop = text.sort(0);
    text.axiom("p", prop).axiom("hp", text.constant("p")).axiom("q", prop);
    const auto p = text.constant("p");
    text.theorem("t", p, text.let(p, text.constant("hp"), text.bvar(0)));
    EXPECT_EQ(reason(text), "accepted");
    text.theorem("bad", p, text.let(text.constant("q"), text.constant("hp"), text.constant("hp")));
    EXPECT_EQ(reason(text), "let_type_mismatch");
}

TEST(Declaration, HeartbeatsDeclineAndNeverReject) {
    ExportText text;
    text.nat_type().eq_type().nat_add(true);
    const auto nat = text.constant("Nat");
    const auto one = text.level_succ(0);
    const auto sum = text.app(text.constant("Nat.add"), {text.nat("0"), text.nat("100000")});
    const auto other = text.nat("7");
    const auto type = text.app(text.constant("Eq", {one}), {nat, sum, other});
    text.theorem("t", type, text.app(text.constant("Eq.refl", {one}), {nat, other}));
    CheckOptions options;
    options.max_heartbeats = 2000;
    const ExportReport report = text.check(options);
    EXPECT_EQ(report.verdict.kind, VerdictKind::declined);
    EXPECT_EQ(report.verdict.reason, "leanhost.resource_exhausted");
}

TEST(Declaration, TermsAMillionDeepAreCheckedOrDeclined) {
    constexpr int depth = 1000000;
    for (const bool of_functions : {true, false}) {
        ExportText text;
        const auto prop = text.sort(0);
        auto term = prop;
        for (int i = 0; i < depth; ++i)
            term = of_functions ? text.pi(prop, term) : text.pi(term, prop);
        text.axiom("a", term);
        const ExportReport report = text.check();
        if (report.verdict.kind != VerdictKind::accepted) {
            EXPECT_EQ(report.verdict.kind, VerdictKind::declined);
            EXPECT_EQ(report.verdict.reason, "leanhost.deep_recursion");
        }
    }
}

// Lists and unary numbers are as deep as they are long, and are checked and compared without
// recursion: on a stack that holds no such number of calls.
TEST(Declaration, LastArgumentsNestWithoutStack) {
    constexpr int depth = 200000;
    ExportText text;
    text.nat_type().eq_type();
    const auto nat = text.constant("Nat");
    const auto one = text.level_succ(0);
    const auto succ = text.constant("Nat.succ");
    text.axiom("n", nat);
    text.definition("m", nat, text.constant("n"));
    auto lhs = text.constant("n");
    auto rhs = text.constant("m");
    for (int i = 0; i < depth; ++i) {
        lhs = text.app(succ, {lhs});
        rhs = text.app(succ, {rhs});
    }
    const auto type = text.app(text.constant("Eq", {one}), {nat, lhs, rhs});
    text.theorem("t", type, text.app(text.constant("Eq.refl", {one}), {nat, lhs}));
    CheckOptions options;
    options.stack_bytes = std::size_t{8} << 20;
    const ExportReport report = text.check(options);
    EXPECT_EQ(report.verdict.kind, VerdictKind::accepted)
        << report.verdict.reason << ": " << report.verdict.message;
}

// Comparing levels takes no heartbeats, and is bounded all the same: each parameter of one side is
// looked for among all of the other.
TEST(Declaration, LevelsOfManyParametersAreDeclined) {
    const auto check = [](std::size_t count) {
        ExportText text;
        std::vector<std::string> names;
        for (std::size_t i = 0; i < count; ++i)
            names.push_back("u" + std::to_string(i));
        auto forwards = text.level_param(names.front());
        auto backwards = text.level_param(names.back());
        for (std::size_t i = 1; i < count; ++i) {
            forwards = text.level_max(forwards, text.level_param(names[i]));
            backwards = text.level_max(backwards, text.level_param(names[count - 1 - i]));
        }
        text.definition("a", text.sort(text.level_succ(forwards)), text.sort(backwards), names);
        return text.check().verdict;
    };
    EXPECT_EQ(check(1000).kind, VerdictKind::accepted);
    const Verdict verdict = check(8000);
    EXPECT_EQ(verdict.kind, VerdictKind::declined) << verdict.message;
    EXPECT_EQ(verdict.reason, "leanhost.resource_exhausted");
}

TEST(Declaration, ALiteralBeyondItsBoundIsDeclinedUnread) {
    ExportText text;
    text.nat_type();
    text.definition("a", text.constant("Nat"), text.nat(std::string(41'000'000, '7')));
    const Verdict verdict = text.check().verdict;
    EXPECT_EQ(verdict.kind, VerdictKind::declined) << verdict.message;
    EXPECT_EQ(verdict.reason, "leanhost.resource_exhausted");
}

// Lean's kernel would run compiled code to decide this; a wrong proof that does not need it is
// rejected all the same.
TEST(Declaration, WhatNeedsCompiledCodeIsDeclined) {
    const auto check = [](const std::string& function) {
        ExportText text;
        text.bool_type().eq_type();
        const auto type = text.constant("Bool");
        text.axiom(function, text.pi(type, type));
        const auto yes = text.constant("Bool.true");
        const auto call = text.app(text.constant(function), {yes});
        const auto level = text.level_succ(0);
        text.theorem("t", text.app(text.constant("Eq", {level}), {type, call, yes}),
                     text.app(text.constant("Eq.refl", {level}), {type, yes}));
        return text.check().verdict;
    };
    const Verdict native = check("Lean.reduceBool");
    EXPECT_EQ(native.kind, VerdictKind::declined) << native.message;
    EXPECT_EQ(native.reason, "leanhost.unsupported");
    EXPECT_NE(native.message.find("Lean.reduceBool"), std::string::npos) << native.message;
    EXPECT_EQ(check("reduceBool").kind, VerdictKind::rejected);
}

// A recursor that waits for its major premise, handed to a function that applies it.
TEST(Declaration, AHalfAppliedRecursorGoesOnWhenItIsApplied) {
    ExportText text;
    text.nat_type();
    const auto nat = text.constant("Nat");
    const auto one = text.level_succ(0);
    const auto two = text.level_succ(one);
    const auto type = text.sort(one);
    const auto family = text.pi(nat, type);
    const auto at_zero = text.app(text.bvar(0), {text.constant("Nat.zero")});
    text.definition("atZero", text.pi(family, type), text.lam(family, at_zero));
    const auto half =
        text.app(text.constant("Nat.rec", {two}),
                 {text.lam(nat, type), text.pi(nat, nat), text.lam(nat, text.lam(type, nat))});
    const auto functions = text.app(text.constant("atZero"), {half}); // Nat → Nat
    text.definition("use", text.pi(functions, nat),
                    text.lam(functions, text.app(text.bvar(0), {text.constant("Nat.zero")})));
    EXPECT_EQ(reason(text), "accepted");
}

// 180 lines of levels that would be 2^60 long, written out.
TEST(Declaration, ALevelThatSharesItsPartsIsCheckedOnce) {
    ExportText text;
    const auto v = text.level_param("v");
    auto level = text.level_param("u");
    for (int i = 0; i < 60; ++i)
        level = text.level_max(text.level_succ(level), text.level_imax(v, level));
    text.axiom("a", text.sort(level), {"u", "v"});
    text.axiom("b", text.sort(text.level_param("w")), {"w"});
    text.axiom("c", text.constant("b", {level}), {"u", "v"});
    EXPECT_EQ(reason(text), "accepted");
    text.axiom("d", text.constant("b", {level}), {"v"});
    EXPECT_EQ(reason(text), "undeclared_universe_parameter");
}

// Nat.add here never ends and is no function; a thread that comes after it looks whether it is an
// addition while the first one, busy, has not yet refused it.
TEST(Declaration, WhatIsLearntOfARefusedDeclarationEndsWithIt) {
    ExportText text;
    text.nat_type().eq_type();
    const auto nat = text.constant("Nat");
    const auto one = text.level_succ(0);
    const auto succ = text.constant("Nat.succ");
    const auto plus = [&](const std::string& name) {
        const auto step = text.lam(nat, text.lam(nat, text.app(succ, {text.bvar(0)})));
        const auto body = text.app(text.constant("Nat.rec", {one}),
                                   {text.lam(nat, nat), text.bvar(1), step, text.bvar(0)});
        text.definition(name, text.pi(nat, text.pi(nat, nat)), text.lam(nat, text.lam(nat, body)));
    };
    plus("plus");
#ifdef LEANHOST_SANITIZED
    const char* const many = "4000"; // stacks are smaller, and frames larger
#else
    const char* const many = "100000";
#endif
    const auto sum = text.app(text.constant("plus"), {text.nat("0"), text.nat(many)});
    const auto end = text.nat(many);
    const auto slow = text.app(text.constant("Eq", {one}), {nat, sum, end});
    const auto proof = text.app(text.constant("Eq.refl", {one}), {nat, end});
    const auto self = text.lam(nat, text.app(text.bvar(0), {text.bvar(0)}));
    text.definition("Nat.add", text.pi(nat, text.pi(nat, nat)),
                    text.let(slow, proof, text.app(self, {self})));
    for (int i = 0; i < 20; ++i)
        text.axiom("a" + std::to_string(i), nat);
    CheckOptions options;
    options.jobs = 2;
    const ExportReport report = text.check(options);
    EXPECT_EQ(report.verdict.reason, "function_expected");
    EXPECT_EQ(report.declaration, "Nat.add");
}

// Both what is stated and what is expected are told, and where in the term it is.
TEST(Declaration, ARejectionShowsBothSidesAndTheirPlace) {
    ExportText text;
    text.nat_type();
    const auto prop = text.sort(0);
    text.axiom("p", prop).axiom("f", text.pi(text.constant("p"), text.constant("p")));
    const auto wrong = text.app(text.constant("f"), {text.nat("1")});
    text.definition("d", text.pi(prop, text.constant("p")), text.lam(prop, wrong));
    const Verdict verdict = text.check().verdict;
    EXPECT_EQ(verdict.reason, "application_type_mismatch");
    EXPECT_EQ(verdict.where, "value.body.argument");
    EXPECT_NE(verdict.message.find("Nat"), std::string::npos) << verdict.message;
    EXPECT_NE(verdict.message.find("  p\n"), std::string::npos) << verdict.message;
}

// imax u 0 is 0 for every u, and u must be declared all the same.
TEST(Declaration, AParameterThatALevelDoesNotDependOnIsDeclared) {
    ExportText text;
    const auto level = text.level_imax(text.level_param("u"), 0);
    const auto sort = text.sort(level);
    text.definition("a", text.sort(text.level_succ(0)), sort, {"u"});
    EXPECT_EQ(reason(text), "accepted");
    text.definition("b", text.sort(text.level_succ(0)), sort);
    EXPECT_EQ(reason(text), "undeclared_universe_parameter");
}

} // namespace
} // namespace leanhost::kernel::test
