#include "kernel/check_modules.hpp"
#include "kernel/check_stack.hpp"
#include "kernel/closure_checker.hpp"
#include "kernel/export_text.hpp"
#include "kernel/module_library.hpp"
#include "module/fixture/fixture_library.hpp"
#include "support/test_data.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <memory>
#include <sstream>

namespace leanhost::kernel::test {
namespace {

using leanhost::test::TempDir;
using leanhost::test::test_data;

// The one finding's reason; "accepted" when there is none.
std::string reason(const ModulesReport& report) {
    if (report.kind == VerdictKind::accepted)
        return "accepted";
    return report.findings.empty() ? "no finding" : report.findings[0].verdict.reason;
}

class FixtureFolder {
public:
    FixtureFolder() {
        module::fixture::FixtureOptions options;
        options.modules = 24;
        options.constants = 1500;
        options.directory = dir_.path();
        EXPECT_TRUE(module::fixture::write_fixture(options));
    }
    const std::filesystem::path& path() const { return dir_.path(); }

private:
    TempDir dir_;
};

TEST(CheckModules, EveryDeclarationOfAFixtureIsAccepted) {
    const FixtureFolder folder;
    const ModulesReport report = ModuleLibrary(folder.path()).check();
    EXPECT_EQ(reason(report), "accepted");
    EXPECT_EQ(report.num_modules, 24U);
    EXPECT_EQ(report.num_not_checked, 0U);
    std::uint64_t constants = 0;
    for (const std::uint64_t count : report.constants)
        constants += count;
    EXPECT_EQ(constants, 1500U);
    EXPECT_GT(report.reductions, 10'000U);
}

TEST(CheckModules, ThreadsAndDroppingWhatWasLiftedChangeNoVerdict) {
    const FixtureFolder folder;
    const ModuleLibrary library(folder.path());
    const ModulesReport plain = library.check();
    CheckOptions options;
    options.jobs = 3;
    options.keep_lifted_bytes = 1; // everything goes after each declaration
    const ModulesReport report = library.check(options);
    EXPECT_EQ(reason(report), "accepted");
    EXPECT_EQ(report.constants, plain.constants);
    EXPECT_EQ(report.axioms, plain.axioms);
}

TEST(CheckModules, OnlyWhatIsAskedForIsChecked) {
    const FixtureFolder folder;
    const ModuleLibrary library(folder.path());
    Monitor monitor;
    const std::uint32_t last[] = {
        static_cast<std::uint32_t>(library.closure().modules().size() - 2)};
    const ModulesReport report =
        check_modules(library.closure(), library.index(), last, {}, monitor);
    EXPECT_EQ(reason(report), "accepted");
    EXPECT_EQ(report.num_modules, 1U);
    EXPECT_EQ(report.num_assumed_modules, 23U);
    EXPECT_GT(report.num_declarations, 0U);
}

TEST(CheckModules, AFalseTheoremIsNamedAndTheOthersAreStillChecked) {
    ExportText text;
    const auto prop = text.sort(0);
    const auto v0 = text.bvar(0);
    const auto identity = text.lam(prop, text.lam(v0, v0));
    text.theorem("good", text.pi(prop, text.pi(v0, text.bvar(1))), identity);
    text.theorem("bad", text.pi(prop, v0), identity);
    text.theorem("also_good", text.pi(prop, text.pi(v0, text.bvar(1))), identity);
    const ModulesReport report = check_converted_text(text.text());
    EXPECT_EQ(report.kind, VerdictKind::rejected);
    ASSERT_EQ(report.findings.size(), 1U);
    EXPECT_EQ(report.findings[0].declaration, "bad");
    EXPECT_EQ(report.findings[0].verdict.reason, "value_type_mismatch");
    EXPECT_EQ(report.num_declarations, 2U);
}

// A module lists constants in any order, so two theorems can be each other's proof.
TEST(CheckModules, TheoremsThatProveEachOtherAreRejected) {
    ExportText text;
    const auto prop = text.sort(0);
    const auto falsehood = text.pi(prop, text.bvar(0));
    text.theorem("a", falsehood, text.constant("b"));
    text.theorem("b", falsehood, text.constant("a"));
    const ModulesReport report = check_converted_text(text.text());
    EXPECT_EQ(reason(report), "unknown_constant");
    ExportText itself;
    const auto own = itself.pi(itself.sort(0), itself.bvar(0));
    itself.theorem("a", own, itself.constant("a"));
    EXPECT_EQ(reason(check_converted_text(itself.text())), "unknown_constant");
}

TEST(CheckModules, WhatIsUnsafeIsCountedAndMayNotBeUsed) {
    ExportText text;
    const auto prop = text.sort(0);
    text.definition("u", prop, text.constant("u"), {}, "unsafe");
    ModulesReport report = check_converted_text(text.text());
    EXPECT_EQ(reason(report), "accepted");
    EXPECT_EQ(report.num_not_checked, 1U);
    EXPECT_EQ(report.num_declarations, 0U);
    text.definition("a", prop, text.constant("u"));
    report = check_converted_text(text.text());
    EXPECT_EQ(reason(report), "unsafe_constant");
    EXPECT_EQ(report.num_not_checked, 1U);
}

// An imported module is taken as given, but not at its word that its terms are closed.
TEST(CheckModules, LooseVariablesAreRefusedWhereverTheyStand) {
    ExportText text;
    text.axiom("loose", text.bvar(0));
    text.axiom("user", text.constant("loose"));
    const TempDir folder;
    convert(folder.write("export.ndjson", text.text()), folder.path(), 1);
    const ModuleLibrary library(folder.path());
    const ModulesReport all = library.check();
    ASSERT_EQ(all.findings.size(), 2U);
    Monitor monitor;
    for (const ModuleFinding& finding : all.findings) {
        EXPECT_EQ(finding.verdict.reason, "loose_bound_variable") << finding.declaration;
        const auto& modules = library.closure().modules();
        for (std::uint32_t i = 0; i < modules.size(); ++i) {
            if (modules[i].text != finding.module)
                continue;
            const std::uint32_t only[] = {i}; // what it imports is not checked
            EXPECT_EQ(reason(check_modules(library.closure(), library.index(), only, {}, monitor)),
                      "loose_bound_variable");
        }
    }
}

TEST(CheckModules, AParameterThatALevelDoesNotDependOnIsDeclared) {
    ExportText text;
    const auto sort = text.sort(text.level_imax(text.level_param("u"), 0));
    text.definition("a", text.sort(text.level_succ(0)), sort, {"u"});
    EXPECT_EQ(reason(check_converted_text(text.text())), "accepted");
    text.definition("b", text.sort(text.level_succ(0)), sort);
    EXPECT_EQ(reason(check_converted_text(text.text())), "undeclared_universe_parameter");
}

// Constants that the kernel looks for by itself, be it between two declarations.
TEST(CheckModules, WhatIsLookedForAndMalformedEndsNoCheck) {
    ExportText text;
    const auto prop = text.sort(0);
    text.axiom("Nat.add", text.bvar(0));
    text.axiom("String", text.bvar(1));
    text.axiom("a", prop);
    text.definition("b", prop, text.constant("a"));
    text.definition("c", prop, text.string("c"));
    const ModulesReport report = check_converted_text(text.text());
    EXPECT_EQ(report.num_declarations, 2U);
    EXPECT_EQ(report.findings.size(), 3U);
    for (const ModuleFinding& finding : report.findings)
        EXPECT_EQ(finding.verdict.reason, "loose_bound_variable") << finding.declaration;
}

// Box says that List is its block, and is refused; what is declared with it is looked at all the
// same.
TEST(CheckModules, ATypeThatIsNoneOfItsBlockIsNotNested) {
    ExportText text;
    text.nat_type();
    const auto type = text.sort(text.level_succ(0));
    const auto v0 = text.bvar(0);
    const auto box = text.constant("Box");
    const auto tree = text.constant("Tree");
    const auto block = [&](const std::string& name, unsigned all, unsigned mk, unsigned num_params,
                           unsigned of_type, unsigned of_mk) {
        text.line(fmt::format(
            R"({{"inductive":{{"ctors":[{{"cidx":0,"induct":{0},"isUnsafe":false,"levelParams":[],"name":{2},"numFields":1,"numParams":{3},"type":{5}}}],"recs":[],)"
            R"("types":[{{"all":[{1}],"ctors":[{2}],"isRec":false,"isReflexive":false,"isUnsafe":false,"levelParams":[],"name":{0},"numIndices":0,"numNested":0,"numParams":{3},"type":{4}}}]}}}})",
            text.name(name), all, mk, num_params, of_type, of_mk));
    };
    block("List", text.name("List"), text.name("List.mk"), 1, text.pi(type, type),
          text.pi(type, text.pi(v0, text.app(text.constant("List"), {text.bvar(1)}))));
    block("Box", text.name("List"), text.name("Box.mk"), 1, text.pi(type, type),
          text.pi(type, text.pi(v0, text.app(box, {text.bvar(1)}))));
    block("Tree", text.name("Tree"), text.name("Tree.mk"), 0, type,
          text.pi(text.app(box, {tree}), tree));
    const ModulesReport report = check_converted_text(text.text());
    std::map<std::string, std::string> reasons;
    for (const ModuleFinding& finding : report.findings)
        reasons[finding.declaration] = finding.verdict.reason;
    EXPECT_EQ(reasons["Tree"], "bad_inductive");
}

// As for exports: an axiom that is declared and not used harms nobody, one that is used is refused
// by its name, whichever module declares it.
TEST(CheckModules, WhatRestsOnAnAxiomThatIsNotAllowedIsNamed) {
    ExportText text;
    text.axiom("mine", text.sort(0));
    const TempDir folder;
    CheckOptions options;
    options.allowed_axioms = {"other"};
    EXPECT_EQ(reason(check_converted(folder.write("a.ndjson", text.text()), 500, options)),
              "accepted");
    text.definition("first", text.sort(0), text.constant("mine"));
    text.definition("second", text.sort(0), text.constant("first"));
    const auto path = folder.write("b.ndjson", text.text());
    std::map<std::string, std::vector<std::string>> axioms;
    CheckOptions telling;
    telling.on_axioms = [&](const auto& declaration, const auto& of) { axioms[declaration] = of; };
    EXPECT_EQ(reason(check_converted(path, 1, telling)), "accepted");
    EXPECT_EQ(axioms.at("second"), std::vector<std::string>{"mine"});
    EXPECT_EQ(axioms.size(), 3U);
    const ModulesReport report = check_converted(path, 1, options);
    EXPECT_EQ(reason(report), "axiom_not_allowed");
    ASSERT_EQ(report.unlisted_axioms.size(), 1U);
    EXPECT_EQ(report.unlisted_axioms[0].axiom, "mine");
    EXPECT_EQ(report.unlisted_axioms[0].num_declarations, 2U);
    EXPECT_EQ(report.axioms, std::vector<std::string>{"mine"});
    EXPECT_EQ(reason(check_converted(path)), "accepted");
}

TEST(CheckModules, ADeclarationThatTakesTooLongIsDeclined) {
    const FixtureFolder folder;
    CheckOptions options;
    options.max_heartbeats = 2000;
    const ModulesReport report = ModuleLibrary(folder.path()).check(options);
    EXPECT_EQ(report.kind, VerdictKind::declined);
    EXPECT_EQ(reason(report), "leanhost.resource_exhausted");
}

TEST(CheckModules, AClosureWithGapsIsDeclined) {
    const FixtureFolder folder;
    std::filesystem::remove(folder.path() / "Fixture" / "Core.olean");
    const ModulesReport report = ModuleLibrary(folder.path(), true).check();
    EXPECT_EQ(report.kind, VerdictKind::declined);
    EXPECT_EQ(reason(report), "missing_module");
    EXPECT_EQ(report.num_declarations, 0U);
}

TEST(CheckModules, ConvertedCasesHaveTheVerdictOfTheirExports) {
    LEANHOST_NEEDS_DATA("arena/bad");
    // A name declared twice cannot be written as modules.
    const std::vector<std::string> not_convertible = {"120_dup_defs", "122_dup_ctor_def",
                                                      "125_dup_ctor_rec"};
    for (const char* folder : {"arena/good", "arena/bad"}) {
        const VerdictKind expected =
            std::string(folder) == "arena/good" ? VerdictKind::accepted : VerdictKind::rejected;
        for (const auto& entry : std::filesystem::directory_iterator(test_data(folder))) {
            const std::string name = entry.path().stem().string();
            if (std::find(not_convertible.begin(), not_convertible.end(), name) !=
                not_convertible.end())
                continue;
            for (const std::uint64_t constants_per_module : {1U, 500U}) {
                const ModulesReport report = check_converted(entry.path(), constants_per_module);
                EXPECT_EQ(report.kind, expected) << entry.path() << ": " << reason(report);
            }
        }
    }
}

TEST(CheckModules, RealExportsAreAcceptedAsModules) {
    LEANHOST_NEEDS_DATA("init-prelude.ndjson");
    LEANHOST_NEEDS_DATA("init-medium.ndjson");
    for (const char* file : {"init-prelude.ndjson", "init-medium.ndjson"}) {
        Monitor monitor;
        const ExportReport as_export = check_export(test_data(file), {}, monitor);
        CheckOptions options;
        options.jobs = 2;
        const ModulesReport report = check_converted(test_data(file), 500, options);
        EXPECT_EQ(reason(report), "accepted") << file;
        EXPECT_EQ(report.constants, as_export.constants) << file;
    }
}

// A module that is checked alone, after all that it imports: the rules hold that these make hold.
TEST(CheckModules, WhatIsTakenAsGivenHasItsRules) {
    LEANHOST_NEEDS_DATA("init-prelude.ndjson");
    std::ifstream file(test_data("init-prelude.ndjson"));
    std::stringstream library;
    library << file.rdbuf();
    ExportText text(50'000'000);
    const auto one = text.level_succ(0);
    const auto nat = text.constant("Nat");
    const auto state = [&](const char* name, ExportText::Id of, ExportText::Id lhs,
                           ExportText::Id rhs) {
        const auto equation = text.app(text.constant("Eq", {one}), {of, lhs, rhs});
        text.theorem(name, equation, text.app(text.constant("Eq.refl", {one}), {of, rhs}));
    };
    const auto string = text.constant("String");
    text.definition("s", string, text.string("a"));
    const TempDir folder;
    Monitor monitor;
    const auto given = folder.write("given.ndjson", library.str() + text.text());
    std::uint64_t num_given = 0;
    for (const std::uint64_t count : check_export(given, {}, monitor).constants)
        num_given += count;

    const auto character = text.constant("Char");
    const auto nil = text.app(text.constant("List.nil", {0}), {character});
    const auto a = text.app(text.constant("Char.ofNat"), {text.nat("97")});
    const auto list = text.app(text.constant("List.cons", {0}), {character, a, nil});
    state("letters", string, text.constant("s"), text.app(text.constant("String.ofList"), {list}));
    const auto big = text.nat("1000000000000000000000000000001");
    const auto ten = text.nat("10");
    state("quotient", nat, text.app(text.constant("Nat.div"), {big, ten}),
          text.nat("100000000000000000000000000000"));
    state("remainder", nat, text.app(text.constant("Nat.mod"), {big, ten}), text.nat("1"));
    const auto all = folder.write("all.ndjson", library.str() + text.text());
    convert(all, folder.path() / "modules", num_given);
    const ModuleLibrary modules(folder.path() / "modules");
    const std::uint32_t second[] = {1};
    CheckOptions options;
    options.max_heartbeats = 1'000'000;
    const ModulesReport report =
        check_modules(modules.closure(), modules.index(), second, options, monitor);
    EXPECT_EQ(reason(report), "accepted");
    EXPECT_EQ(report.num_declarations, 3U);
}

// A checker that has met some of a module while it was being checked, and goes on with a later one,
// finds the rules of the former all the same: how the threads of a check share the work is nobody's
// to know.
TEST(CheckModules, RulesHoldWhateverWasCheckedBefore) {
    LEANHOST_NEEDS_DATA("init-prelude.ndjson");
    const TempDir folder;
    convert(test_data("init-prelude.ndjson"), folder.path(), 500);
    const ModuleLibrary library(folder.path());
    const auto& modules = library.closure().modules();
    std::vector<std::unique_ptr<ModulePlan>> plans;
    for (const auto& module : modules)
        plans.push_back(std::make_unique<ModulePlan>(module, Monitor{}));
    ClosureLimits limits;
    limits.max_heartbeats = 1'000'000; // by rules, a small part of it is enough
    run_on_check_stack([&](std::uintptr_t stack_limit) {
        for (std::uint32_t met = 8; met <= 128; met += 24) {
            ClosureChecker checker(
                library.closure(), library.index(),
                [&](std::uint32_t module) -> const ModulePlan& { return *plans[module]; }, limits);
            checker.set_stack_limit(stack_limit);
            for (std::uint32_t i = 0; i < met; ++i)
                EXPECT_EQ(checker.check(0, i).kind, VerdictKind::accepted);
            for (std::uint32_t module = 1; module < modules.size(); ++module) {
                for (std::uint32_t i = 0; i < plans[module]->num_declarations(); ++i) {
                    const Verdict verdict = checker.check(module, i);
                    EXPECT_EQ(verdict.kind, VerdictKind::accepted)
                        << met << ": " << module << ", " << i << ": " << verdict.message;
                }
            }
        }
    });
}

TEST(CheckModules, RealModulesWithoutTheirImportsAreDeclined) {
    LEANHOST_NEEDS_DATA("olean/4.28.0/batteries");
    const ModulesReport report = ModuleLibrary(test_data("olean/4.28.0/batteries"), true).check();
    EXPECT_EQ(report.kind, VerdictKind::declined);
    EXPECT_EQ(reason(report), "missing_module");
}

class ClosureCheckerTest : public testing::Test {
protected:
    const ModulePlan& plan(std::uint32_t module) {
        auto& plan = plans_[module];
        if (plan == nullptr)
            plan = std::make_unique<ModulePlan>(library_.closure().modules()[module], Monitor{});
        return *plan;
    }
    std::unique_ptr<ClosureChecker> checker(const ClosureLimits& limits = {}) {
        return std::make_unique<ClosureChecker>(
            library_.closure(), library_.index(),
            [this](std::uint32_t module) -> const ModulePlan& { return plan(module); }, limits);
    }

    FixtureFolder folder_;
    ModuleLibrary library_{folder_.path()};
    std::map<std::uint32_t, std::unique_ptr<ModulePlan>> plans_;
};

TEST_F(ClosureCheckerTest, DeclarationsInAnyOrderAreAccepted) {
    run_on_check_stack([&](std::uintptr_t stack_limit) {
        const auto checker = this->checker();
        checker->set_stack_limit(stack_limit);
        for (std::uint32_t module = 24; module-- > 0;) {
            for (std::uint32_t i = plan(module).num_declarations(); i-- > 0;) {
                if (i % 8 != 0)
                    continue;
                EXPECT_EQ(checker->check(module, i).kind, VerdictKind::accepted);
            }
        }
        EXPECT_GT(checker->num_drops(), 0U);
    });
}

TEST_F(ClosureCheckerTest, WhatIsHeldStaysWithinItsBound) {
    run_on_check_stack([&](std::uintptr_t stack_limit) {
        ClosureLimits limits;
        limits.keep_bytes = std::size_t{2} << 20;
        const auto checker = this->checker(limits);
        checker->set_stack_limit(stack_limit);
        std::size_t most = 0;
        for (std::uint32_t module = 0; module < 24; ++module) {
            for (std::uint32_t i = 0; i < plan(module).num_declarations(); ++i) {
                checker->check(module, i);
                most = std::max(most, checker->bytes());
            }
        }
        EXPECT_GT(checker->num_drops(), 2U);
        EXPECT_LT(most, std::size_t{12} << 20); // one declaration's own terms, and room of tables
        checker->drop();
        EXPECT_LT(checker->bytes(), std::size_t{64} << 10);
    });
}

} // namespace
} // namespace leanhost::kernel::test
