#include "kernel/check_modules.hpp"

#include "base/build_once.hpp"
#include "base/workers.hpp"
#include "kernel/check_stack.hpp"
#include "kernel/closure_checker.hpp"
#include "kernel/lean_axioms.hpp"
#include "kernel/unlisted_axioms.hpp"
#include "module/axiom_sets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <limits>
#include <mutex>

namespace leanhost::kernel {
namespace {

/// One run of check_modules. Work is cut into pieces, taken in order, so that what a thread has
/// found out about earlier declarations stays true for all that it takes later.
class ModulesCheck {
public:
    ModulesCheck(const module::ImportClosure& closure,
                 const module::ConstantIndex& index,
                 const CheckOptions& options,
                 Monitor& monitor)
        : closure_(closure), index_(index), options_(options), monitor_(monitor),
          plans_(closure.modules().size()) {}

    ModulesReport run(std::span<const std::uint32_t> modules) {
        const auto began = std::chrono::steady_clock::now();
        report_.kind = VerdictKind::accepted;
        for (const std::uint32_t module : modules) {
            if (const Verdict verdict = declined(module); verdict.kind != VerdictKind::accepted) {
                add_finding({module, 0, {closure_.modules()[module].text, "", verdict}});
            } else {
                cut(module);
                ++report_.num_modules;
            }
        }
        std::sort(pieces_.begin(), pieces_.end());
        const unsigned jobs = std::clamp(options_.jobs, 1U, most_jobs);
        run_workers(static_cast<unsigned>(std::min<std::size_t>(jobs, pieces_.size() + 1)),
                    [this](unsigned worker) { work(worker == 0); });
        if (options_.on_axioms || options_.allowed_axioms)
            look_at_axioms(modules);
        report_.wall_time = std::chrono::duration_cast<std::chrono::microseconds>(
            std::chrono::steady_clock::now() - began);
        return report(modules.size());
    }

private:
    struct Piece {
        std::uint32_t module;
        std::uint32_t begin; ///< declarations of its plan
        std::uint32_t end;
        auto operator<=>(const Piece&) const = default;
    };
    struct Finding {
        std::uint32_t module;
        std::uint32_t declaration;
        ModuleFinding what;
    };

    Verdict declined(std::uint32_t module) const {
        if (!closure_.missing().empty())
            return refusal(
                VerdictKind::declined, "missing_module",
                fmt::format("the module {} that it needs is not in the search path (--path)",
                            closure_.missing().front().name.to_string()));
        if (closure_.modules()[module].lacks_private_part)
            return refusal(VerdictKind::declined, "missing_private_part",
                           "its .olean.private is not there, without which theorems are axioms");
        return acceptance();
    }

    const ModulePlan& plan(std::uint32_t module) {
        return plans_[module].get(monitor_, [&] {
            return std::make_unique<const ModulePlan>(closure_.modules()[module], monitor_);
        });
    }

    // Nothing of a module is read yet: pieces go by its number of constants, and the last ends with
    // the plan.
    void cut(std::uint32_t module) {
        const auto count =
            static_cast<std::uint32_t>(closure_.modules()[module].data.constants().size());
        for (std::uint32_t begin = 0; begin < count; begin += piece_size)
            pieces_.push_back({module, begin, std::min(begin + piece_size, count)});
        num_constants_ += count;
    }

    void work(bool reports) {
        with_checker([&](ClosureChecker& checker) {
            try {
                take_pieces(checker, reports);
            } catch (...) {
                is_ended_ = true; // the others end after the piece they are at
                throw;
            }
        });
    }

    template <class F>
    void with_checker(F&& body) {
        run_on_check_stack(
            [&](std::uintptr_t stack_limit) {
                ClosureLimits limits;
                limits.max_heartbeats = options_.max_heartbeats;
                limits.max_scratch_bytes = options_.max_memory_bytes / std::max(options_.jobs, 1U);
                limits.keep_bytes = options_.keep_lifted_bytes;
                // Nothing that is spare stays where memory is limited.
                limits.spare_bytes =
                    options_.max_memory_bytes == 0 ? 4 * options_.keep_lifted_bytes : 0;
                ClosureChecker checker(
                    closure_, index_,
                    [this](std::uint32_t module) -> const ModulePlan& { return plan(module); },
                    limits);
                checker.set_stack_limit(stack_limit);
                checker.set_token(monitor_.token());
                body(checker);
            },
            options_.stack_bytes);
    }

    void take_pieces(ClosureChecker& checker, bool reports) {
        ModulesReport counts;
        for (auto pieces = take_some(); !pieces.empty(); pieces = take_some()) {
            for (const Piece& piece : pieces) {
                if (is_ended_)
                    return;
                check_piece(checker, piece, reports, counts);
            }
        }
        counts.heartbeats = checker.total_heartbeats();
        counts.reductions = checker.total_reductions();
        add(counts);
    }

    // Neighbours refer to the same things, which a thread then lifts once. Towards the end there
    // are fewer at a time, so that all threads end together.
    std::span<const Piece> take_some() {
        const std::lock_guard lock(mutex_);
        const std::size_t shares = 2 * std::size_t{std::clamp(options_.jobs, 1U, most_jobs)};
        const std::size_t count = (pieces_.size() - next_ + shares - 1) / shares;
        const std::span<const Piece> taken(pieces_.data() + next_, count);
        next_ += count;
        return taken;
    }

    void
    check_piece(ClosureChecker& checker, const Piece& piece, bool reports, ModulesReport& counts) {
        const std::uint32_t end = std::min(piece.end, plan(piece.module).num_declarations());
        for (std::uint32_t at = piece.begin; at < end; ++at) {
            check_one(checker, piece.module, at, counts);
            counts.peak_bytes = std::max(counts.peak_bytes, checker.bytes());
            if (reports)
                monitor_.report("check", num_done_, num_constants_);
        }
        num_done_ += piece.end - piece.begin;
    }

    void check_one(ClosureChecker& checker,
                   std::uint32_t module,
                   std::uint32_t declaration,
                   ModulesReport& counts) {
        Verdict verdict = checker.check(module, declaration);
        const auto places = plan(module).constants_of(declaration);
        const module::ClosureModule& in = closure_.modules()[module];
        const auto name = [&] { return in.data.constant(places[0]).name().to_string(); };
        if (verdict.kind != VerdictKind::accepted) {
            add_finding({module, declaration, {in.text, name(), std::move(verdict)}});
            return;
        }
        ++counts.num_declarations;
        if (in.data.constant(places[0]).kind() == ConstantKind::axiom)
            counts.axioms.push_back(name());
        for (const std::uint32_t place : places)
            ++counts.constants[static_cast<std::size_t>(in.data.constant(place).kind())];
    }

    // What was accepted may still rest on an axiom that the caller does not allow.
    void look_at_axioms(std::span<const std::uint32_t> modules) {
        const module::ReferenceGraph graph(closure_, index_, options_.jobs, monitor_);
        const module::AxiomSets sets(closure_, graph, monitor_);
        UnlistedAxioms unlisted(options_);
        if (options_.allowed_axioms)
            look_at_statements(unlisted);
        std::sort(refused_.begin(), refused_.end());
        for (const std::uint32_t module : modules) {
            const ModulePlan* const plan = plans_[module].peek();
            for (std::uint32_t i = 0; plan != nullptr && i < plan->num_declarations(); ++i) {
                if (!std::binary_search(refused_.begin(), refused_.end(), std::pair(module, i)))
                    look_at_axioms({module, plan->constants_of(i).front()}, graph, sets, unlisted);
            }
        }
        report_.unlisted_axioms = unlisted.all();
        if (!unlisted.empty())
            add_finding({last_module,
                         0,
                         {"", unlisted.all().front().declarations.front(), unlisted.verdict()}});
    }

    // Of Lean's own axioms, whichever module declares them.
    void look_at_statements(UnlistedAxioms& unlisted) {
        with_checker([&](ClosureChecker& checker) {
            TypeChecker& types = checker.open_all();
            try {
                for (const NameId axiom : misstated_axioms(types))
                    unlisted.disallow(types.names().to_name(axiom).to_string());
            } catch (const Failure& failure) {
                const ErrorCode code = failure.error().code();
                if (code != ErrorCode::resource_exhausted && code != ErrorCode::deep_recursion)
                    throw;
                add_finding({last_module,
                             0,
                             {"", "",
                              refusal(VerdictKind::declined, std::string(failure.error().id()),
                                      failure.error().message(), "axioms")}});
            }
        });
    }

    void look_at_axioms(module::ConstantPlace place,
                        const module::ReferenceGraph& graph,
                        const module::AxiomSets& sets,
                        UnlistedAxioms& unlisted) const {
        const auto constant = module::constant_at(closure_, place);
        const std::string name = constant.name().to_string();
        std::vector<std::string> axioms;
        for (const auto axiom : sets.axioms(graph.number_of(place)))
            axioms.push_back(
                module::constant_at(closure_, graph.place_of(axiom)).name().to_string());
        if (options_.on_axioms)
            options_.on_axioms(name, axioms);
        if (constant.kind() == ConstantKind::axiom)
            return;
        for (const std::string& axiom : axioms)
            unlisted.add(axiom, name);
    }

    void add_finding(Finding finding) {
        const std::lock_guard lock(mutex_);
        ++report_.num_not_accepted;
        refused_.emplace_back(finding.module, finding.declaration);
        if (finding.what.verdict.kind == VerdictKind::rejected)
            report_.kind = VerdictKind::rejected;
        else if (report_.kind == VerdictKind::accepted)
            report_.kind = VerdictKind::declined;
        if (findings_.size() < ModulesReport::max_findings)
            findings_.push_back(std::move(finding));
    }

    void add(const ModulesReport& counts) {
        const std::lock_guard lock(mutex_);
        report_.num_declarations += counts.num_declarations;
        for (std::size_t i = 0; i < counts.constants.size(); ++i)
            report_.constants[i] += counts.constants[i];
        report_.axioms.insert(report_.axioms.end(), counts.axioms.begin(), counts.axioms.end());
        report_.heartbeats += counts.heartbeats;
        report_.reductions += counts.reductions;
        report_.peak_bytes += counts.peak_bytes;
    }

    ModulesReport report(std::size_t num_asked) {
        std::sort(findings_.begin(), findings_.end(), [](const Finding& a, const Finding& b) {
            return std::pair(a.module, a.declaration) < std::pair(b.module, b.declaration);
        });
        for (Finding& finding : findings_)
            report_.findings.push_back(std::move(finding.what));
        std::sort(report_.axioms.begin(), report_.axioms.end());
        for (std::uint32_t module = 0; module < plans_.size(); ++module) {
            const ModulePlan* const plan = plans_[module].peek();
            if (plan == nullptr)
                continue;
            report_.plan_bytes += plan->size_bytes();
            report_.num_not_checked += plan->num_left_out();
        }
        report_.num_assumed_modules = closure_.modules().size() - num_asked;
        return std::move(report_);
    }

    static constexpr unsigned most_jobs = 256;
    static constexpr std::uint32_t last_module = std::numeric_limits<std::uint32_t>::max();
    static constexpr std::uint32_t piece_size = 64;

    const module::ImportClosure& closure_;
    const module::ConstantIndex& index_;
    const CheckOptions& options_;
    Monitor& monitor_;
    std::deque<BuildOnce<ModulePlan>> plans_; ///< by module
    std::vector<Piece> pieces_;
    std::uint64_t num_constants_ = 0;
    std::atomic<bool> is_ended_ = false;
    std::atomic<std::uint64_t> num_done_ = 0;
    std::mutex mutex_;
    std::size_t next_ = 0;                                         ///< guarded by mutex_
    ModulesReport report_;                                         ///< guarded by mutex_
    std::vector<Finding> findings_;                                ///< guarded by mutex_
    std::vector<std::pair<std::uint32_t, std::uint32_t>> refused_; ///< likewise; all of them
};

} // namespace

ModulesReport check_modules(const module::ImportClosure& closure,
                            const module::ConstantIndex& index,
                            std::span<const std::uint32_t> modules,
                            const CheckOptions& options,
                            Monitor& monitor) {
    return ModulesCheck(closure, index, options, monitor).run(modules);
}

} // namespace leanhost::kernel
