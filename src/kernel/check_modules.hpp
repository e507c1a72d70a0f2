#pragma once

#include "kernel/check_export.hpp"
#include "module/constant_index.hpp"

namespace leanhost::kernel {

/// A declaration of a module that was not accepted, or a module of which none could be checked.
struct ModuleFinding {
    std::string module;
    std::string declaration; ///< empty: the module as a whole
    Verdict verdict;
};

/// What became of the modules of a closure, and what it cost.
struct ModulesReport {
    Outcome outcome = Outcome::accepted;      ///< the worst of all: rejected before declined
    std::vector<ModuleFinding> findings;      ///< in import order, at most `max_findings` of them
    std::uint64_t num_not_accepted = 0;       ///< declarations and modules, those left out included
    std::uint64_t num_modules = 0;            ///< whose declarations were checked
    std::uint64_t num_assumed_modules = 0;    ///< of the closure: taken as given
    std::uint64_t num_declarations = 0;       ///< accepted
    std::array<std::uint64_t, 8> constants{}; ///< accepted, by ConstantKind
    std::uint64_t num_not_checked = 0;        ///< constants that are unsafe or partial
    std::vector<std::string> axioms;          ///< declared in the modules checked
    /// Those that accepted declarations rest on, through the whole closure, and that the options do
    /// not allow; together they are one finding, of no module.
    std::vector<UnlistedAxiom> unlisted_axioms;
    std::uint64_t heartbeats = 0;
    std::uint64_t reductions = 0;
    std::size_t peak_bytes = 0; ///< of lifted terms and results, of all threads together
    std::size_t plan_bytes = 0;

    static constexpr std::size_t max_findings = 1000;
};

/// Checks all declarations of the modules at the places `modules` of `closure`, which must have
/// been imported with Profile::all. A module whose private part is not there is declined, and so is
/// every module when the closure lacks one. A declaration that is not accepted does not keep the
/// others from being checked.
///
/// With several jobs, threads take some dozens of declarations at a time, in import order.
/// Verdicts are results. Throws Failure: invalid_input (what is no constant or term: file, offset);
/// cancelled, sink_failed. Runs on stacks of its own.
ModulesReport check_modules(const module::ImportClosure& closure,
                            const module::ConstantIndex& index,
                            std::span<const std::uint32_t> modules,
                            const CheckOptions& options,
                            Monitor& monitor);

} // namespace leanhost::kernel
