// Good exports with one thing wrong: each must be refused, or it is written down why not
// (explained_acceptances.tsv).
#include "base/large_stack.hpp"
#include "fuzz/kernel/consistency.hpp"
#include "fuzz/kernel/examine.hpp"
#include "fuzz/kernel/export_mutator.hpp"
#include "fuzz/kernel/kernel_run.hpp"
#include "fuzz/kernel/restate.hpp"
#include "kernel/targeted_mutations.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

namespace leanhost::kernel::test {
namespace {

using fuzz::ExportModel;

constexpr std::size_t stack_bytes = std::size_t{48} << 20;
#ifdef LEANHOST_SANITIZED
constexpr std::size_t one_in = 8; // of the targeted mutations: they take ten times as long
#else
constexpr std::size_t one_in = 1;
#endif

std::map<std::string, ExportModel> own_exports() {
    std::map<std::string, ExportModel> models;
    for (const auto& entry :
         std::filesystem::directory_iterator(LEANHOST_SOURCE_DIR "/fuzz/corpus/fuzz_kernel")) {
        std::stringstream text;
        text << std::ifstream(entry.path()).rdbuf();
        auto model = ExportModel::parse(text.str());
        if (model)
            models.emplace(entry.path().stem().string(), std::move(*model));
    }
    return models;
}

template <class Run>
void on_large_stack(Run run) {
    run_on_large_stack(stack_bytes, [&] {
        fuzz::set_stack_bytes(stack_bytes);
        run();
    });
}

VerdictKind outcome_of(const ExportModel& model) {
    const fuzz::KernelRun run(model);
    return run.verdict() ? run.verdict()->kind : VerdictKind::rejected;
}

/// Rows of mutation, export, constant ("*": any) and reason.
class Explanations {
public:
    Explanations() {
        std::ifstream file(LEANHOST_SOURCE_DIR "/tests/kernel/explained_acceptances.tsv");
        std::string line;
        std::getline(file, line); // the columns' names
        while (std::getline(file, line)) {
            std::stringstream fields(line);
            Row row;
            std::getline(fields, row.mutation, '\t');
            std::getline(fields, row.model, '\t');
            std::getline(fields, row.constant, '\t');
            std::getline(fields, row.reason, '\t');
            rows_.push_back(std::move(row));
        }
    }

    bool explain(const Targeted& targeted, const std::string& model) {
        bool found = false;
        for (Row& row : rows_) {
            if (row.mutation == targeted.mutation && (row.model == "*" || row.model == model) &&
                (row.constant == "*" || row.constant == targeted.constant) &&
                (row.reason != not_mentioned || !is_mentioned_elsewhere(targeted)))
                row.is_used = found = true;
        }
        return found;
    }

    void expect_each_is_needed() const {
        EXPECT_GT(rows_.size(), 0U);
        for (const Row& row : rows_) {
            EXPECT_TRUE(row.is_used) << row.mutation << " " << row.model << " " << row.constant;
            EXPECT_GT(row.reason.size(), 10U) << row.mutation;
        }
    }

private:
    // A reason that is looked into.
    static constexpr std::string_view not_mentioned = "no other declaration mentions it";

    static bool is_mentioned_elsewhere(const Targeted& targeted) {
        ExportModel others = targeted.model;
        std::erase_if(others.declarations, [&](const fuzz::ExportDeclaration& declaration) {
            return std::any_of(declaration.constants.begin(), declaration.constants.end(),
                               [&](const fuzz::ExportConstant& constant) {
                                   return others.dotted(static_cast<fuzz::Index>(constant.name)) ==
                                          targeted.constant;
                               });
        });
        const auto model = ExportModel::parse(others.text());
        for (std::size_t i = 0; model && i < model->names.size(); ++i) {
            if (model->dotted(static_cast<fuzz::Index>(i)) == targeted.constant)
                return true;
        }
        return false;
    }

    struct Row {
        std::string mutation;
        std::string model;
        std::string constant;
        std::string reason;
        bool is_used = false;
    };
    std::vector<Row> rows_;
};

TEST(Mutation, OwnExportsAreAcceptedAndChangedOnesKeepTheirVerdict) {
    on_large_stack([] {
        const auto models = own_exports();
        EXPECT_EQ(models.size(), 13U);
        for (const auto& [name, model] : models) {
            const fuzz::Examination found = fuzz::examine(model, 0);
            ASSERT_TRUE(found.verdict) << name;
            EXPECT_EQ(found.verdict->kind, VerdictKind::accepted) << name;
            EXPECT_EQ(found.problem, "") << name;
            EXPECT_EQ(check_text(model.text()).verdict.kind, VerdictKind::accepted) << name;
        }
    });
}

TEST(Mutation, EachTargetedOneIsRefusedOrExplained) {
    on_large_stack([] {
        Explanations explanations;
        std::size_t num_seen = 0;
        std::size_t num_refused = 0;
        std::size_t num_explained = 0;
        for (const auto& [name, model] : own_exports()) {
            const std::string text = model.text();
            for_each_targeted(model, [&, &of = name](const Targeted& targeted) {
                if (++num_seen % one_in != 0)
                    return;
                if (outcome_of(targeted.model) != VerdictKind::accepted) {
                    ++num_refused;
                    return;
                }
                if (targeted.model.text() == text)
                    return; // it was so before
                ++num_explained;
                EXPECT_TRUE(explanations.explain(targeted, of))
                    << targeted.mutation << '\t' << of << '\t' << targeted.constant;
            });
        }
        if (one_in == 1)
            explanations.expect_each_is_needed();
        EXPECT_GT(num_refused, 5000U / one_in);
        EXPECT_LT(num_explained * 10, num_refused);
        RecordProperty("refused", static_cast<int>(num_refused));
        RecordProperty("explained", static_cast<int>(num_explained));
    });
}

TEST(Mutation, RestatingMakesAChangedBlockFit) {
    on_large_stack([] {
        ExportModel model = own_exports().at("mutual");
        auto& constants = model.declarations[0].constants;
        ASSERT_EQ(constants.back().kind, ConstantKind::recursor);
        constants.back().type = model.sort(0);
        constants.back().num_minors = 7;
        constants.back().rules.clear();
        EXPECT_EQ(outcome_of(model), VerdictKind::rejected);
        EXPECT_TRUE(fuzz::restate_refused_block(model));
        EXPECT_EQ(outcome_of(model), VerdictKind::accepted);
    });
}

// No export can say so, but what other readers make may.
TEST(Mutation, AnUnsafeTheoremProvesAProposition) {
    on_large_stack([] {
        ExportModel model = own_exports().at("universes");
        auto& constant = model.declarations.back().constants.back();
        ASSERT_EQ(constant.kind, ConstantKind::definition);
        constant = {};
        constant.kind = ConstantKind::theorem;
        constant.name = model.name("notAProposition");
        constant.is_unsafe = true;
        constant.type = model.sort(model.level({LevelKind::succ, 0, 0}));
        constant.value = model.sort(0);
        const fuzz::KernelRun run(model);
        EXPECT_EQ(run.verdict()->reason, "theorem_not_a_proposition");
    });
}

// What is said of an environment into which a constant was put that no kernel would accept.
std::string said_of(const ExportModel& model,
                    const std::function<void(TypeChecker&, NameTable&, ConstantInfo&)>& make) {
    fuzz::KernelRun run(model);
    EXPECT_EQ(run.verdict()->kind, VerdictKind::accepted);
    ConstantInfo info;
    info.name = run.names().dotted("smuggled");
    info.kind = ConstantKind::theorem;
    info.value = run.types().store().prop();
    make(run.types(), run.names(), info);
    run.environment().add(info, nullptr);
    return fuzz::inconsistency(run, true);
}

TEST(Mutation, TheOracleFindsWhatWouldBeInconsistent) {
    on_large_stack([] {
        const auto models = own_exports();
        const auto says = [](const std::string& text, const char* what) {
            EXPECT_NE(text.find(what), std::string::npos) << text;
        };
        const ExportModel& logic = models.at("logic");
        says(said_of(logic,
                     [](TypeChecker& types, NameTable& names, ConstantInfo& info) {
                         info.type = types.store().constant(names.dotted("False"), no_levels);
                     }),
             "smuggled has the empty type False");
        says(said_of(logic,
                     [](TypeChecker& types, NameTable&, ConstantInfo& info) {
                         info.type = types.store().pi(types.store().prop(), types.store().bvar(0));
                     }),
             "smuggled has the empty type");
        says(said_of(models.at("arithmetic"),
                     [](TypeChecker& types, NameTable& names, ConstantInfo& info) {
                         TermStore& store = types.store();
                         const Level one[] = {store.one()};
                         const Term sides[] = {store.constant(names.dotted("Nat"), no_levels),
                                               store.nat(0), store.nat(1)};
                         info.type = types.mk_app(
                             store.constant(names.dotted("Eq"), store.list(one)), sides);
                     }),
             "smuggled has the empty type");
        says(said_of(models.at("arithmetic"),
                     [](TypeChecker& types, NameTable& names, ConstantInfo& info) {
                         info.type = types.store().constant(names.dotted("Nat"), no_levels);
                     }),
             "the value of smuggled reduces to");
        // True → False, of a value that is looked at only when it is applied.
        says(said_of(logic,
                     [](TypeChecker& types, NameTable& names, ConstantInfo& info) {
                         TermStore& store = types.store();
                         info.kind = ConstantKind::recursor;
                         info.type = store.pi(store.constant(names.dotted("True"), no_levels),
                                              store.constant(names.dotted("False"), no_levels));
                     }),
             "smuggled True.intro has the empty type False");
    });
}

// A bounded run of what kernel_soak does for longer.
TEST(Mutation, RandomOnesBringNothingInconsistent) {
    on_large_stack([] {
        fuzz::ExportMutator mutator(1);
        std::size_t num_accepted = 0;
        for (const auto& [name, model] : own_exports()) {
            constexpr unsigned count = 60;
            for (unsigned i = 1; i <= count; ++i) {
                ExportModel changed = model;
                mutator.mutate(changed);
                fuzz::restate_refused_block(changed);
                if (changed.declarations.empty())
                    continue;
                const fuzz::Examination found = fuzz::examine(changed, i);
                EXPECT_EQ(found.problem, "") << name << ", number " << i;
                num_accepted +=
                    found.verdict && found.verdict->kind == VerdictKind::accepted ? 1 : 0;
            }
        }
        EXPECT_GT(num_accepted, 50U);
    });
}

} // namespace
} // namespace leanhost::kernel::test
