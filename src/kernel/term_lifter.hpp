#pragma once

#include "kernel/type_checker.hpp"

namespace leanhost::kernel {

/// Puts terms, levels and names of compacted regions into a checker's store. Each object is lifted
/// once: it is known again by its address until the lifter goes, so regions must outlive it. Binder
/// names and `mdata` are dropped. Deep terms need a large stack.
///
/// Throws Rejection for free variables and metavariables, which no declaration may have, and for
/// text that is no UTF-8; MalformedObject for what is no term; Failure deep_recursion, cancelled.
class TermLifter {
public:
    /// Borrows both.
    TermLifter(TypeChecker& types, NameTable& names);

    Term term(object::ExprRef expr);
    Level level(object::LevelRef level);
    NameId name(object::NameRef name);
    /// Universe parameters, as levels of kind `param`.
    Levels params(object::ListRef<object::NameRef> names);

    std::size_t bytes() const noexcept;

private:
    Term make(object::ExprRef expr);
    Term make_literal(object::ExprRef expr);
    Level make(object::LevelRef level);
    Levels levels(object::ListRef<object::LevelRef> list);

    TypeChecker& types_;
    TermStore& store_;
    NameTable& names_;
    KeyMap<std::uint64_t, Term> terms_; ///< by address
    KeyMap<std::uint64_t, Level> levels_;
    KeyMap<std::uint64_t, NameId> name_ids_;
    std::vector<object::NameRef> name_chain_; ///< scratch
};

} // namespace leanhost::kernel
