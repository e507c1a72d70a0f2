#pragma once

#include "object/expr_ref.hpp"

namespace leanhost::object {

/// Whether two terms are the same up to the names of their binders: constants,
/// levels, literals, binder info, metadata nodes (not their content) and shape agree. Terms may lie
/// in different modules. Cached words are not trusted. Iterative; cost is linear in the number of
/// distinct subterms. Throws MalformedObject.
bool is_same_term(ExprRef a, ExprRef b);

bool is_same_level(LevelRef a, LevelRef b);

} // namespace leanhost::object
