#pragma once

#include "module/import_closure.hpp"

#include <span>
#include <vector>

namespace leanhost::kernel {

/// In which order the declarations of a module can be checked: one that is mentioned stands before
/// those that mention it. Modules list their constants in hash order, so this is computed.
///
/// A declaration is one constant, or an inductive block: types, in the order that the first of them
/// states, then constructors and recursors. Unsafe and partial declarations are left out: nothing
/// that is checked may use them. In a cycle the order is any; a check of what is in it then
/// finds something that is not declared before. Immutable, thread-safe. Memory: 12 bytes a
/// constant.
class ModulePlan {
public:
    /// Reads every term of the module once. Throws Failure: invalid_input (file, offset);
    /// cancelled.
    ModulePlan(const module::ClosureModule& module, const Monitor& monitor);

    std::uint32_t num_declarations() const noexcept {
        return static_cast<std::uint32_t>(ends_.size());
    }
    /// Places in the module of the constants of a declaration.
    std::span<const std::uint32_t> constants_of(std::uint32_t declaration) const noexcept {
        const std::uint32_t begin = declaration == 0 ? 0 : ends_[declaration - 1];
        return {constants_.data() + begin, ends_[declaration] - begin};
    }
    /// Which declaration a constant belongs to; `none`: one that is left out.
    std::uint32_t declaration_of(std::uint32_t constant) const noexcept {
        return declaration_of_[constant];
    }
    /// Constants that are not checked: unsafe or partial.
    std::size_t num_left_out() const noexcept { return declaration_of_.size() - constants_.size(); }
    std::size_t size_bytes() const noexcept;

    static constexpr std::uint32_t none = 0xFFFFFFFF;

private:
    friend class ModulePlanBuilder;

    std::vector<std::uint32_t> constants_;
    std::vector<std::uint32_t> ends_;
    std::vector<std::uint32_t> declaration_of_;
};

} // namespace leanhost::kernel
