#include "kernel/check_export.hpp"

#include "base/workers.hpp"
#include "kernel/axiom_use.hpp"
#include "kernel/check_stack.hpp"
#include "kernel/checker.hpp"
#include "kernel/export_loader.hpp"
#include "module/lean4export/export_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>

namespace leanhost::kernel {
namespace {

// How many terms an export of that size has, at the length that lines have. What would grow with
// them is made as large at once: growing costs as much again as filling.
std::size_t expected_terms(const std::filesystem::path& path, const CheckOptions& options) {
    constexpr std::uint64_t memory_for_a_term = 128;
    constexpr std::uint64_t bytes_of_a_line = 56;
    std::uint64_t most_terms = std::uint64_t{1} << 24;
    if (options.max_memory_bytes != 0)
        most_terms = std::min(most_terms, options.max_memory_bytes / memory_for_a_term);
    std::error_code error;
    const auto bytes = std::filesystem::file_size(path, error);
    return error ? 0 : static_cast<std::size_t>(std::min(bytes / bytes_of_a_line, most_terms));
}

std::uint32_t table_slots(std::size_t terms) {
    constexpr std::size_t least_slots = 1U << 10U;
    return static_cast<std::uint32_t>(std::bit_ceil(std::max(terms * 3 / 2, least_slots)));
}

/// Ends the reading: a declaration was not accepted.
struct Ended {};

Limits limits_of(const CheckOptions& options) {
    return {options.max_heartbeats, static_cast<std::size_t>(options.max_memory_bytes),
            options.keep_scratch_bytes};
}

/// What an export's declarations stand in, and what is said of them at the end.
class ExportCheck {
public:
    ExportCheck(const std::filesystem::path& path, const CheckOptions& options, Monitor& monitor)
        : options_(options), monitor_(monitor), known_(names_),
          arena_(0, table_slots(expected_terms(path, options))), store_(arena_),
          loader_(
              store_, names_, expected_terms(path, options), [this](Declaration& d) { take(d); }) {
        if (options.max_memory_bytes == 0)
            return;
        arena_.set_max_bytes(options.max_memory_bytes);
        names_.set_max_bytes(options.max_memory_bytes);
        loader_.set_meter([this] { require_memory(); });
    }
    ExportCheck(const ExportCheck&) = delete;
    ExportCheck& operator=(const ExportCheck&) = delete;
    virtual ~ExportCheck() = default;

    ExportReport run(const std::filesystem::path& path) {
        try {
            work_through(path);
        } catch (const Ended&) {
            // The verdict says why.
        } catch (const Failure& failure) {
            const ErrorCode code = failure.error().code();
            if (code != ErrorCode::deep_recursion && code != ErrorCode::unsupported &&
                code != ErrorCode::resource_exhausted)
                throw;
            report_.verdict = {Outcome::declined, std::string(failure.error().id()),
                               failure.error().message(), "reading"};
        }
        finish();
        if (report_.verdict.outcome == Outcome::accepted && !report_.unlisted_axioms.empty())
            refuse_unlisted_axioms();
        report_.lean_version = loader_.export_meta().lean_version;
        report_.format_version = loader_.export_meta().format_version;
        report_.reading_bytes = read_bytes();
        report_.peak_bytes = std::max(report_.peak_bytes, report_.reading_bytes + scratch_at_end());
        report_.persistent_bytes = arena_.bytes() + names_.bytes();
        report_.index_bytes = loader_.bytes() + environment_.bytes() + axiom_use_.bytes();
        return std::move(report_);
    }

protected:
    virtual void work_through(const std::filesystem::path& path) { read(path); }
    virtual void take(Declaration& declaration) = 0;
    virtual void finish() = 0;
    /// Of checking that came after reading, at its peak.
    virtual std::size_t scratch_at_end() const { return 0; }
    /// Of declarations that wait.
    virtual std::size_t waiting_bytes() const { return 0; }

    void read(const std::filesystem::path& path) {
        report_.read_bytes = module::lean4export::read_export(path, loader_, monitor_).bytes;
        loader_.finish();
    }

    /// What was read, in all.
    std::size_t read_bytes() const {
        return arena_.bytes() + names_.bytes() + loader_.bytes() + environment_.bytes() +
               axiom_use_.bytes() + waiting_bytes();
    }

    /// What reading leaves of the memory allowed; not 0, which would be no limit.
    std::size_t bytes_left() const {
        const std::size_t bytes = read_bytes();
        return options_.max_memory_bytes > bytes ? options_.max_memory_bytes - bytes : 1;
    }

    void require_memory() {
        if (options_.max_memory_bytes != 0 && read_bytes() > options_.max_memory_bytes)
            fail(ErrorCode::resource_exhausted,
                 fmt::format("what was read takes more than the {} bytes of memory allowed",
                             options_.max_memory_bytes));
    }

    /// Of an accepted declaration, in order.
    void settle(const Declaration& declaration) {
        count(declaration);
        const ConstantInfo& info = declaration.declared().front();
        if (info.kind == ConstantKind::axiom)
            report_.axioms.push_back(names_.text(info.name));
        if (options_.on_axioms || options_.allowed_axioms != nullptr)
            look_at_axioms(declaration);
    }

    void count(const Declaration& declaration) {
        ++report_.num_declarations;
        for (const ConstantInfo& info : declaration.declared()) {
            ++report_.constants[static_cast<std::size_t>(info.kind)];
            report_.num_unsafe += info.safety == DefinitionSafety::safe ? 0 : 1;
        }
    }

    void look_at_axioms(const Declaration& declaration) {
        const ConstantInfo& info = declaration.declared().front();
        const std::vector<NameId>& axioms = axiom_use_.axioms(axiom_use_.add(declaration));
        const std::string name = names_.text(info.name);
        std::vector<std::string> texts;
        for (const NameId axiom : axioms)
            texts.push_back(names_.text(axiom));
        if (options_.on_axioms)
            options_.on_axioms(name, texts);
        if (options_.allowed_axioms == nullptr || info.kind == ConstantKind::axiom)
            return;
        for (const std::string& axiom : texts) {
            if (axiom_verdict(options_, axiom).outcome != Outcome::accepted)
                add_unlisted(axiom, name);
        }
    }

    void add_unlisted(const std::string& axiom, const std::string& declaration) {
        auto& all = report_.unlisted_axioms;
        auto at = std::find_if(all.begin(), all.end(),
                               [&](const UnlistedAxiom& known) { return known.axiom == axiom; });
        if (at == all.end()) {
            if (all.size() == ExportReport::max_unlisted_axioms)
                return;
            at = all.insert(all.end(), UnlistedAxiom{axiom, 0, {}});
        }
        ++at->num_declarations;
        if (at->declarations.size() < UnlistedAxiom::max_declarations)
            at->declarations.push_back(declaration);
    }

    // By the name of each axiom, with a few that rest on it.
    void refuse_unlisted_axioms() {
        constexpr std::size_t most_axioms = 16;
        constexpr std::size_t most_declarations = 3;
        const auto& all = report_.unlisted_axioms;
        report_.declaration = all.front().declarations.front();
        report_.verdict = axiom_verdict(options_, all.front().axiom);
        std::string& text = report_.verdict.message = "axioms are used that are not allowed:";
        for (std::size_t i = 0; i < all.size() && i < most_axioms; ++i) {
            const UnlistedAxiom& unlisted = all[i];
            text += fmt::format("\n  {} by {}:", unlisted.axiom, unlisted.num_declarations);
            for (std::size_t k = 0; k < unlisted.declarations.size() && k < most_declarations; ++k)
                text += " " + unlisted.declarations[k];
            if (unlisted.num_declarations > most_declarations)
                text += " …";
        }
        if (all.size() > most_axioms)
            text += fmt::format("\n  and {} more", all.size() - most_axioms);
    }

    void end_at(const Declaration& declaration, Verdict verdict) {
        report_.declaration = names_.text(declaration.declared().front().name);
        report_.verdict = std::move(verdict);
    }

    /// The checker's verdict. What has loose variables is never accepted, whoever overlooked them:
    /// it is not put into the environment.
    Verdict check(Checker& checker, const Declaration& declaration, Ordinal ordinal) const {
        Verdict verdict = checker.check(declaration, ordinal);
        if (verdict.outcome == Outcome::accepted && !is_closed(declaration))
            return {Outcome::rejected, reject_reason_id(RejectReason::loose_bound_variable),
                    "a bound variable that nothing binds", ""};
        return verdict;
    }

    bool is_closed(Term term) const { return term == no_term || store_[term].loose == 0; }

    // What has loose variables must not even be looked at by those who check what follows.
    bool is_closed(const Declaration& declaration) const {
        const auto closed_constant = [this](const ConstantInfo& info) {
            return is_closed(info.type) && is_closed(info.value);
        };
        const auto closed_rules = [this](const InductiveFacts& facts) {
            return std::all_of(facts.rules.begin(), facts.rules.end(),
                               [this](const RecursorRule& rule) { return is_closed(rule.rhs); });
        };
        return std::all_of(declaration.constants.begin(), declaration.constants.end(),
                           closed_constant) &&
               std::all_of(declaration.facts.begin(), declaration.facts.end(), closed_rules);
    }

    // Names that are taken stay what they were, and what is not closed is left out: such a
    // declaration will be refused.
    void add(const Declaration& declaration, Ordinal ordinal) {
        if (!is_closed(declaration))
            return;
        for (ConstantInfo info : declaration.declared()) {
            if (environment_.find(info.name) != nullptr)
                continue;
            info.ordinal = ordinal;
            environment_.add(
                info, info.facts == ConstantInfo::none ? nullptr : &declaration.facts[info.facts]);
        }
    }

    const CheckOptions& options_;
    Monitor& monitor_;
    NameTable names_;
    KernelNames known_;
    Environment environment_;
    TermArena arena_;
    TermStore store_;
    ExportLoader loader_;
    AxiomUse axiom_use_{store_};
    ExportReport report_;
};

/// Each declaration is checked when it has been read.
class SerialCheck final : public ExportCheck {
public:
    SerialCheck(const std::filesystem::path& path,
                const CheckOptions& options,
                Monitor& monitor,
                std::uintptr_t stack_limit)
        : ExportCheck(path, options, monitor),
          checker_(environment_, names_, known_, arena_, limits_of(options)) {
        checker_.types().set_stack_limit(stack_limit);
        checker_.types().set_token(monitor.token());
    }

private:
    void take(Declaration& declaration) override {
        const Ordinal ordinal = ++num_read_;
        require_memory();
        TypeChecker& types = checker_.types();
        if (options_.max_memory_bytes != 0)
            types.set_max_scratch_bytes(bytes_left());
        Verdict verdict = check(checker_, declaration, ordinal);
        report_.peak_scratch_bytes = types.peak_scratch_bytes();
        report_.peak_bytes = std::max(report_.peak_bytes, read_bytes() + types.scratch_bytes());
        if (verdict.outcome != Outcome::accepted) {
            end_at(declaration, std::move(verdict));
            throw Ended{};
        }
        add(declaration, ordinal);
        settle(declaration);
        for (const ConstantInfo& info : declaration.declared())
            checker_.types().learn_builtin(*environment_.find(info.name));
    }
    void finish() override { report_.heartbeats = checker_.types().total_heartbeats(); }

    Checker checker_;
    Ordinal num_read_ = 0;
};

/// Several threads check, each with terms of its own beside those of the export; the first of them
/// reads, publishes what it has read now and then, and checks when it has read all. Declarations
/// are taken in order, so when one is refused, all before it are with a thread or done: the verdict
/// is that of the first, as if they had been checked one by one while they were read.
///
/// With a limit on memory all is read first: what reading leaves is what the threads share.
class ParallelCheck final : public ExportCheck {
public:
    ParallelCheck(const std::filesystem::path& path,
                  const CheckOptions& options,
                  Monitor& monitor,
                  std::uintptr_t stack_limit)
        : ExportCheck(path, options, monitor), stack_limit_(stack_limit) {
        if (!has_memory_limit()) // else nobody looks before all is read
            arena_.keep_old_tables();
    }

private:
    struct Worker {
        explicit Worker(ParallelCheck& owner)
            : checker(owner.environment_,
                      owner.names_,
                      owner.known_,
                      owner.arena_,
                      limits_of(owner.options_)) {
            checker.types().set_token(owner.monitor_.token());
            checker.types().set_stop_token(stop.token());
        }

        CancellationSource stop;
        Checker checker; ///< made before there are threads: it looks at what the reader changes
        std::size_t current = none;
        std::size_t num_seen = 0;     ///< declarations whose terms the worker's view has
        std::size_t num_builtins = 0; ///< that it has learned
    };
    struct Task {
        std::size_t idx = 0;
        const Declaration* declaration = nullptr;
        std::vector<const ConstantInfo*> builtins; ///< to be learned before
        std::optional<TermArena::View> view;       ///< where the worker's own is too old
    };
    static constexpr std::size_t none = static_cast<std::size_t>(-1);
    static constexpr unsigned most_jobs = 256;

    void work_through(const std::filesystem::path& path) override {
        check_from(0, &path);
        while (is_short_of_memory() && is_accepted_alone(first_bad_))
            check_from(first_bad_ + 1, nullptr);
        // What stands before the place where reading failed has been checked.
        if (reading_error_ != nullptr && first_bad_ == none)
            std::rethrow_exception(reading_error_);
    }

    // Those from `first` on, until one is not accepted; reads the export, if there is one.
    void check_from(std::size_t first, const std::filesystem::path* path) {
        const unsigned jobs = std::min(options_.jobs, most_jobs);
        workers_.clear();
        for (unsigned i = 0; i < jobs; ++i)
            workers_.emplace_back(*this);
        next_ = first;
        first_bad_ = none;
        scratch_bytes_ = 0;
        run_workers(jobs, [&](unsigned worker) {
            if (worker == 0) {
                if (path != nullptr)
                    read_and_publish(*path);
                work(workers_[0], stack_limit_, true);
            } else {
                run_on_check_stack([&](std::uintptr_t stack_limit) {
                    work(workers_[worker], stack_limit, false);
                });
            }
        });
        report_.peak_scratch_bytes = std::max(report_.peak_scratch_bytes, scratch_bytes_);
    }

    bool is_short_of_memory() const {
        return has_memory_limit() && first_bad_ != none &&
               bad_verdict_.reason == error_code_id(ErrorCode::resource_exhausted);
    }
    bool has_memory_limit() const { return options_.max_memory_bytes != 0; }

    // With all the memory that is left, not a thread's share of it.
    bool is_accepted_alone(std::size_t i) {
        workers_.clear();
        Worker& worker = workers_.emplace_back(*this);
        TypeChecker& types = worker.checker.types();
        types.set_stack_limit(stack_limit_);
        types.set_max_scratch_bytes(bytes_left());
        const auto ordinal = static_cast<Ordinal>(i + 1);
        for (const ConstantInfo* const builtin : builtins_) {
            if (builtin->ordinal < ordinal)
                types.learn_builtin(*builtin);
        }
        bad_verdict_ = check(worker.checker, declarations_[i], ordinal);
        report_.peak_scratch_bytes =
            std::max(report_.peak_scratch_bytes, types.peak_scratch_bytes());
        report_.heartbeats += types.total_heartbeats();
        return bad_verdict_.outcome == Outcome::accepted;
    }

    void read_and_publish(const std::filesystem::path& path) noexcept {
        try {
            read(path);
        } catch (const Ended&) {
            // A declaration was refused meanwhile.
        } catch (...) {
            reading_error_ = std::current_exception();
        }
        const std::lock_guard lock(mutex_);
        publish();
        is_read_ = true;
        is_published_.notify_all();
    }

    void take(Declaration& declaration) override {
        constexpr std::uint32_t terms_between = 4096;
        constexpr std::size_t declarations_between = 256;
        require_memory();
        const std::lock_guard lock(mutex_);
        if (first_bad_ != none)
            throw Ended{};
        num_waiting_ += declaration.constants.size();
        declarations_.push_back(std::move(declaration));
        const Declaration& taken = declarations_.back();
        add(taken, static_cast<Ordinal>(declarations_.size()));
        // Those that the kernel may give a meaning were named before all others.
        for (const ConstantInfo& info : taken.declared()) {
            const ConstantInfo* const added = environment_.find(info.name);
            if (info.name <= known_.eq_refl && added != nullptr)
                builtins_.push_back(added);
        }
        const bool is_enough = arena_.view().terms.end - view_.terms.end >= terms_between ||
                               declarations_.size() - num_published_ >= declarations_between;
        if (is_enough && !has_memory_limit()) {
            publish();
            is_published_.notify_all();
        }
    }

    // With mutex_ held.
    void publish() {
        view_ = arena_.view();
        num_published_ = declarations_.size();
    }

    void work(Worker& worker, std::uintptr_t stack_limit, bool reports) {
        Checker& checker = worker.checker;
        checker.types().set_stack_limit(stack_limit);
        if (has_memory_limit())
            checker.types().set_max_scratch_bytes(share_of_memory());
        while (const auto task = next_task(worker)) {
            if (task->view)
                checker.types().see(*task->view);
            if (!check_one(checker, *task))
                break;
            if (reports)
                monitor_.report("check", task->idx, declarations_.size());
        }
        const std::lock_guard lock(mutex_);
        scratch_bytes_ += checker.types().peak_scratch_bytes();
        report_.heartbeats += checker.types().total_heartbeats();
    }

    // Known when all has been read.
    std::size_t share_of_memory() {
        std::unique_lock lock(mutex_);
        is_published_.wait(lock, [this] { return is_read_; });
        return bytes_left() / workers_.size() + 1;
    }

    /// The next declaration that nobody has; waits until there is one or none will come.
    std::optional<Task> next_task(Worker& worker) {
        std::unique_lock lock(mutex_);
        is_published_.wait(lock, [this] { return next_ < num_published_ || is_read_; });
        if (next_ >= num_published_ || next_ > first_bad_)
            return std::nullopt;
        Task task;
        task.idx = next_++;
        task.declaration = &declarations_[task.idx];
        worker.current = task.idx;
        if (task.idx >= worker.num_seen) {
            task.view = view_;
            worker.num_seen = num_published_;
        }
        const auto ordinal = static_cast<Ordinal>(task.idx + 1);
        std::size_t& learned = worker.num_builtins;
        while (learned < builtins_.size() && builtins_[learned]->ordinal < ordinal)
            task.builtins.push_back(builtins_[learned++]);
        return task;
    }

    // What is learnt comes from declarations that others may be about to refuse, so that, too, is
    // ended when one before it is refused.
    bool check_one(Checker& checker, const Task& task) {
        try {
            for (const ConstantInfo* const builtin : task.builtins)
                checker.types().learn_builtin(*builtin);
            Verdict verdict = check(checker, *task.declaration, static_cast<Ordinal>(task.idx + 1));
            if (verdict.outcome != Outcome::accepted)
                end_before(task.idx, std::move(verdict));
            return true;
        } catch (const Failure& failure) {
            const std::lock_guard lock(mutex_);
            if (failure.error().code() != ErrorCode::cancelled || task.idx <= first_bad_)
                throw;
            return false; // one before it was refused
        }
    }

    void end_before(std::size_t i, Verdict verdict) {
        const std::lock_guard lock(mutex_);
        if (i >= first_bad_)
            return;
        first_bad_ = i;
        bad_verdict_ = std::move(verdict);
        for (Worker& worker : workers_) {
            if (worker.current != none && worker.current > i)
                worker.stop.cancel();
        }
    }

    void finish() override {
        const std::size_t end = std::min(first_bad_, declarations_.size());
        for (std::size_t i = 0; i < end; ++i)
            settle(declarations_[i]);
        if (first_bad_ != none)
            end_at(declarations_[first_bad_], std::move(bad_verdict_));
    }

    std::size_t scratch_at_end() const override { return report_.peak_scratch_bytes; }
    std::size_t waiting_bytes() const override {
        return declarations_.size() * sizeof(Declaration) + num_waiting_ * sizeof(ConstantInfo);
    }

    const std::uintptr_t stack_limit_; ///< of the thread that reads
    std::exception_ptr reading_error_; ///< written before is_read_
    std::deque<Worker> workers_; ///< constant while there are threads, but for what is in them
    std::mutex mutex_;
    std::condition_variable is_published_;

    // guarded by mutex_; only the reader changes the deque, so it may look without
    std::deque<Declaration> declarations_;
    std::size_t num_waiting_ = 0;               ///< constants of declarations_
    std::vector<const ConstantInfo*> builtins_; ///< by ordinal
    TermArena::View view_{};
    std::size_t num_published_ = 0;
    bool is_read_ = false;
    std::size_t next_ = 0;
    std::size_t first_bad_ = none;
    Verdict bad_verdict_;
    std::size_t scratch_bytes_ = 0; ///< peaks of the threads that ended
};

} // namespace

Verdict axiom_verdict(const CheckOptions& options, const std::string& axiom) {
    const auto* const allowed = options.allowed_axioms;
    if (allowed == nullptr || std::find(allowed->begin(), allowed->end(), axiom) != allowed->end())
        return {};
    return {Outcome::rejected, "axiom_not_allowed",
            fmt::format("the axiom {} is not among those allowed", axiom), ""};
}

ExportReport
check_export(const std::filesystem::path& path, const CheckOptions& options, Monitor& monitor) {
    return run_on_check_stack([&](std::uintptr_t stack_limit) {
        if (options.jobs <= 1)
            return SerialCheck(path, options, monitor, stack_limit).run(path);
        return ParallelCheck(path, options, monitor, stack_limit).run(path);
    });
}

} // namespace leanhost::kernel
