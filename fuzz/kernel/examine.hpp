#pragma once

#include "fuzz/kernel/export_model.hpp"

#include <leanhost/verdict.hpp>

namespace leanhost::fuzz {

struct Examination {
    std::optional<Verdict> verdict; ///< none: no export
    std::string problem;            ///< what the kernel did wrong, or empty
};

/// Checks the model and what its oracles say: nothing inconsistent is accepted (consistency.hpp);
/// other names keep the verdict; eta-expansion and unfolding keep an acceptance. `effort` varies
/// what is looked at, so that one examination stays cheap: 0 looks at everything.
Examination examine(const ExportModel& model, unsigned effort);

} // namespace leanhost::fuzz
