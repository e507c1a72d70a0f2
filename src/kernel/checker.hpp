#pragma once

#include "kernel/type_checker.hpp"

#include <leanhost/verdict.hpp>

namespace leanhost::kernel {

/// Decides about declarations, one after the other. One for each thread.
class Checker {
public:
    Checker(const Environment& environment,
            const NameTable& names,
            const KernelNames& known,
            TermArena& persistent,
            const Limits& limits)
        : types_(environment, names, known, persistent, limits) {}

    /// Whether `declaration` may follow what the environment has before `ordinal`. Never throws
    /// but for what only a bug of ours can cause, and when cancelled. Changes nothing that others
    /// see; when accepted, the caller adds the constants. Run it on a large stack.
    Verdict check(const Declaration& declaration, Ordinal ordinal);

    TypeChecker& types() noexcept { return types_; }
    const TypeChecker& types() const noexcept { return types_; }

private:
    Verdict check_once(const Declaration& declaration, Ordinal ordinal);
    void check_names(const Declaration& declaration);
    void require_known(const ConstantInfo& info);
    void check_params(const ConstantInfo& info);
    void check_one(const ConstantInfo& info);
    void check_type(const ConstantInfo& info);
    void check_definitions(const Declaration& declaration);
    void check_value(const ConstantInfo& info);
    std::string where(const Declaration& declaration) const;

    TypeChecker types_;
    const char* part_ = "";
};

} // namespace leanhost::kernel
