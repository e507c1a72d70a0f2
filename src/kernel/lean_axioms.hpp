#pragma once

#include "kernel/type_checker.hpp"

namespace leanhost::kernel {

/// Of the axioms with the names of Lean's own three (`propext`, `Quot.sound`, `Classical.choice`)
/// those that say something else here than in Lean, or say it of an `Iff`, `Eq`, `Nonempty` or
/// `Quot` that is another. Throws what looking constants up throws, but for rejections.
std::vector<NameId> misstated_axioms(TypeChecker& checker);

} // namespace leanhost::kernel
