#pragma once

#include "kernel/type_checker.hpp"

namespace leanhost::kernel {

/// Rejects unless `info` is the constant of the quotient package that it says it is, with the
/// package's type, and `Eq` is what the package's types rest on. Lean: src/kernel/quot.cpp.
void check_quotient(TypeChecker& checker, const ConstantInfo& info);

/// Whether `Eq` is Lean's: inductive Eq.{u} {α : Sort u} : α → α → Prop with Eq.refl alone.
bool is_eq_as_expected(TypeChecker& checker);

} // namespace leanhost::kernel
