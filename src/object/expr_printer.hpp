#pragma once

#include "object/expr_ref.hpp"

#include <string>

namespace leanhost::object {

struct PrintedTerm {
    std::string text; ///< UTF-8
    bool is_cut;      ///< longer than was allowed; the text then ends in "…"
};

/// Prints a term fully explicitly: universe levels, implicit arguments and binder types are all
/// written.
///
/// Bound variables get their binders' names, made distinct by a number; macro scopes become a
/// dagger, as in Lean; metadata is left out. Not recursive, so depth does no harm. The text is
/// bounded, since a shared term can print as exponentially much, and so is the work: it is cut,
/// too, after ten million objects that print as nothing. Throws MalformedObject.
PrintedTerm print_term(ExprRef term, std::size_t max_bytes);

/// Prints a level: "u", "max u v", "u+1", …
PrintedTerm print_level(LevelRef level, std::size_t max_bytes);

} // namespace leanhost::object
