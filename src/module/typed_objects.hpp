#pragma once

#include "module/object_marks.hpp"
#include "object/module_data.hpp"

namespace leanhost::module {

/// The distinct names, levels and terms that a part of a module holds, found by reading it as Lean
/// would: names of imports, constants and extensions, and everything below the constants. What
/// extensions keep is of their own kinds and not looked into; neither is what metadata nodes say.
///
/// Distinct by address, which in modules made by Lean is as good as by content. Objects of earlier
/// parts that this part refers to are among them. Borrows the region.
class TypedObjects {
public:
    /// Walks the part. Cost: linear in the objects met; private bytes: 3/32 of the size of this
    /// part and those before it. Throws Failure invalid_input (file, offset) at an object of
    /// another kind than its place asks for.
    TypedObjects(const Region& region, std::size_t part);

    const ObjectMarks& names() const noexcept { return names_; }
    const ObjectMarks& levels() const noexcept { return levels_; }
    const ObjectMarks& terms() const noexcept { return terms_; }
    /// Whether `Level.zero` was met as a scalar, which is no object and so not among `levels`.
    bool has_scalar_level_zero() const noexcept { return has_scalar_level_zero_; }

private:
    void add_roots(const object::ModuleDataRef& data);
    void add_constant(object::ConstantInfoRef constant);
    void add_rule(object::RecursorRuleRef rule);
    void add_below_term(object::ExprRef term);
    void add_below_level(object::LevelRef level);
    void add_below_name(object::NameRef name);

    void add(object::NameRef name);
    void add(object::LevelRef level);
    void add(object::ExprRef term);
    void add_names(object::ListRef<object::NameRef> list);

    ObjectMarks names_;
    ObjectMarks levels_;
    ObjectMarks terms_;
    // Cells of lists: what shares its end with another is followed only as far as that.
    ObjectMarks name_lists_;
    ObjectMarks level_lists_;
    ObjectMarks rule_lists_;
    bool has_scalar_level_zero_ = false;
};

} // namespace leanhost::module
