#pragma once

#include "fuzz/kernel/export_model.hpp"
#include "kernel/checker.hpp"
#include "kernel/export_loader.hpp"

#include <memory>

namespace leanhost::fuzz {

/// One check of a model, declaration by declaration, with the environment at hand afterwards.
///
/// `check_export` does the same with a file; here nothing is written and the kernel's parts can be
/// asked. What only an error of the kernel can cause ends the process.
class KernelRun {
public:
    explicit KernelRun(const ExportModel& model);

    /// Accepted: all declarations were. No value: the model is no export (a reference of a kind
    /// that the loader refuses).
    const std::optional<Verdict>& verdict() const noexcept { return verdict_; }
    /// Declarations accepted before the first that was not. Safe ones of an array count each.
    std::size_t num_accepted() const noexcept { return num_accepted_; }
    /// The one that was not accepted; it has the model's declaration number `refused_at`.
    const kernel::Declaration* refused() const noexcept { return refused_.get(); }

    kernel::Environment& environment() noexcept { return environment_; }
    kernel::TypeChecker& types() noexcept { return checker_.types(); }
    kernel::NameTable& names() noexcept { return names_; }
    /// So that every accepted constant may be used in what is asked next, in a safe declaration.
    void begin_questions();

private:
    void take(kernel::Declaration& declaration);

    kernel::NameTable names_;
    kernel::KernelNames known_;
    kernel::Environment environment_;
    kernel::TermArena arena_;
    kernel::TermStore store_;
    kernel::ExportLoader loader_;
    kernel::Checker checker_;
    std::optional<Verdict> verdict_;
    std::unique_ptr<kernel::Declaration> refused_;
    kernel::Ordinal num_read_ = 0;
    std::size_t num_accepted_ = 0;
};

/// Where the stack of this thread may end: what checks run on. Called once for each thread.
void set_stack_bytes(std::size_t bytes);

/// What one check may cost. Beyond it, it is declined.
inline constexpr std::uint64_t max_heartbeats = 40'000;
inline constexpr std::size_t max_scratch_bytes = std::size_t{32} << 20;

} // namespace leanhost::fuzz
