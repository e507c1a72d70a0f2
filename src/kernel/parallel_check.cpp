#include "kernel/parallel_check.hpp"

#include "base/workers.hpp"
#include "kernel/check_stack.hpp"
#include "kernel/export_check.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>

namespace leanhost::kernel {
namespace {

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
                run_on_check_stack(
                    [&](std::uintptr_t stack_limit) { work(workers_[worker], stack_limit, false); },
                    options_.stack_bytes);
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
                types.learn_builtin(*builtin, builtin->ordinal + 1);
        }
        bad_verdict_ = check(worker.checker, declarations_[i], ordinal);
        report_.peak_scratch_bytes =
            std::max(report_.peak_scratch_bytes, types.peak_scratch_bytes());
        report_.heartbeats += types.total_heartbeats();
        return bad_verdict_.kind == VerdictKind::accepted;
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
                checker.types().learn_builtin(*builtin, builtin->ordinal + 1);
            Verdict verdict = check(checker, *task.declaration, static_cast<Ordinal>(task.idx + 1));
            if (verdict.kind != VerdictKind::accepted)
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

ExportReport check_in_parallel(const std::filesystem::path& path,
                               const CheckOptions& options,
                               Monitor& monitor,
                               std::uintptr_t stack_limit) {
    return ParallelCheck(path, options, monitor, stack_limit).run(path);
}

} // namespace leanhost::kernel
