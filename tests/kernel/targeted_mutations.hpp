#pragma once

#include "fuzz/kernel/export_model.hpp"
#include "kernel/export_text.hpp"

#include <functional>

namespace leanhost::kernel::test {

/// An export with one thing wrong.
struct Targeted {
    std::string mutation; ///< what is wrong: "one more parameter is stated"
    std::string constant; ///< with which constant
    fuzz::ExportModel model;
};

/// Every targeted mutation of every constant of the export: what is stated of it (counts, flags,
/// lists, names), its place, and single places in its terms.
void for_each_targeted(const fuzz::ExportModel& model,
                       const std::function<void(const Targeted&)>& take);

} // namespace leanhost::kernel::test
