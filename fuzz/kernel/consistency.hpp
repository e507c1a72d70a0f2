#pragma once

#include "fuzz/kernel/kernel_run.hpp"

namespace leanhost::fuzz {

/// What is wrong with what was accepted, or empty. Looks at every safe definition and theorem:
///
/// - Its type must not be empty: False or any other type without constructors, `∀ p : Prop, p`
///   (any universe), an equation between different constructors or literals. That holds for what
///   follows from no axiom, so nothing is said of environments with axioms.
/// - Its value, in weak head normal form, must have its type still.
/// - No application of one accepted constant to another may have an empty type (`thorough`).
std::string inconsistency(KernelRun& run, bool thorough);

} // namespace leanhost::fuzz
