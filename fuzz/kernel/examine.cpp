#include "fuzz/kernel/examine.hpp"

#include "fuzz/kernel/consistency.hpp"
#include "fuzz/kernel/export_mutator.hpp"
#include "fuzz/kernel/kernel_run.hpp"

#include <fmt/format.h>

namespace leanhost::fuzz {

namespace {

std::string difference(const char* change, const ExportModel& model, VerdictKind is) {
    const KernelRun run(model);
    if (!run.verdict())
        return fmt::format("{}: what was an export is none", change);
    if (run.verdict()->kind == is || run.verdict()->kind == VerdictKind::declined)
        return {};
    return fmt::format("{}: changes the verdict ({} {})", change, run.verdict()->reason,
                       run.verdict()->message);
}

} // namespace

Examination examine(const ExportModel& model, unsigned effort) {
    constexpr unsigned every = 8;
    const auto has_turn = [&](unsigned turn) { return effort == 0 || effort % every == turn; };
    KernelRun run(model);
    Examination result{run.verdict(), {}};
    if (!run.verdict())
        return result;
    result.problem = inconsistency(run, has_turn(1));
    const VerdictKind outcome = run.verdict()->kind;
    if (outcome == VerdictKind::declined || !result.problem.empty())
        return result;
    if (has_turn(2))
        result.problem = difference("other names", renamed(model), outcome);
    if (outcome != VerdictKind::accepted || !result.problem.empty())
        return result;
    if (has_turn(3))
        result.problem = difference("eta-expansion", eta_expanded(model), outcome);
    if (has_turn(4) && result.problem.empty())
        result.problem = difference("unfolding", unfolded(model), outcome);
    return result;
}

} // namespace leanhost::fuzz
