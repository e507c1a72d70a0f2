#pragma once

#include "kernel/type_checker.hpp"

namespace leanhost::kernel {

/// Rejects unless `info` is the constant of the quotient package that it says it is, with the
/// package's type, and `Eq` is what the package's types rest on. Lean: src/kernel/quot.cpp.
void check_quotient(TypeChecker& checker, const ConstantInfo& info);

} // namespace leanhost::kernel
