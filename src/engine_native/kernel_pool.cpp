#include "engine_native/kernel_pool.hpp"

#include <malloc.h>

namespace leanhost::engine_native {
namespace {

kernel::ClosureLimits limits_of(const KernelOptions& options, std::size_t keep_bytes) {
    return {options.max_heartbeats, static_cast<std::size_t>(options.max_memory_bytes), keep_bytes,
            0};
}

} // namespace

CallChecker::CallChecker(const module::ImportClosure& closure,
                         const module::ConstantIndex& index,
                         std::size_t keep_bytes)
    : closure_(closure),
      checker_(
          closure,
          index,
          [this](std::uint32_t module) -> const kernel::ModulePlan& { return plan(module); },
          limits_of({}, keep_bytes)) {}

const kernel::ModulePlan& CallChecker::plan(std::uint32_t module) {
    if (plan_ == nullptr || planned_module_ != module) {
        // Made before the old one goes: a checker that is not told of another plan still has that.
        plan_ = std::make_unique<const kernel::ModulePlan>(closure_.modules()[module], monitor());
        planned_module_ = module;
    }
    return *plan_;
}

void CallChecker::begin(const KernelOptions& options,
                        Monitor& monitor,
                        std::uintptr_t stack_limit) {
    monitor_ = &monitor;
    checker_.set_stack_limit(stack_limit);
    checker_.set_token(monitor.token());
    checker_.set_monitor(&monitor);
    checker_.set_limits(limits_of(options, KernelPool::keep_bytes));
}

void CallChecker::end() noexcept {
    checker_.set_monitor(nullptr);
    checker_.set_token({});
    monitor_ = nullptr;
}

std::size_t CallChecker::bytes() const noexcept {
    return checker_.bytes() + (plan_ == nullptr ? 0 : plan_->size_bytes());
}

std::unique_ptr<CallChecker> KernelPool::take() {
    {
        const std::lock_guard lock(mutex_);
        if (!idle_.empty()) {
            std::unique_ptr<CallChecker> checker = std::move(idle_.back().checker);
            idle_.pop_back();
            return checker;
        }
    }
    return std::make_unique<CallChecker>(closure_, index_, keep_bytes);
}

void KernelPool::give_back(std::unique_ptr<CallChecker> checker) noexcept {
    checker->end();
    if (checker->is_spoilt() || !try_keep(checker))
        release(std::move(checker));
}

// What is too much for one is too much for all.
bool KernelPool::try_keep(std::unique_ptr<CallChecker>& checker) noexcept {
    const std::size_t bytes = checker->bytes();
    const std::lock_guard lock(mutex_);
    std::size_t idle = bytes;
    for (const Idle& one : idle_)
        idle += one.bytes.bytes();
    if (idle > keep_bytes)
        return false;
    try {
        idle_.reserve(idle_.size() + 1);
    } catch (const std::bad_alloc&) {
        return false;
    }
    idle_.push_back({std::move(checker), memory::MeteredBytes(meter_, bytes)});
    return true;
}

// Pages are given back at some GB/s at best, and a caller who has cancelled does not wait for that:
// a great checker goes on a thread of its own. One at a time: who comes with the next waits, so
// that no more than one is on its way.
void KernelPool::release(std::unique_ptr<CallChecker> checker) noexcept {
    constexpr std::size_t great_bytes = std::size_t{8} << 20;
    if (checker->bytes() < great_bytes)
        return;
    const std::lock_guard lock(release_mutex_);
    try {
        if (releasing_.joinable())
            releasing_.join();
        // Deep structures are none here: letting it go takes no stack.
        releasing_ = std::thread([going = std::move(checker)]() mutable { going.reset(); });
    } catch (const std::system_error&) {
        // It goes here, then.
    }
}

// Who drops a closure wants its memory back, and checks leave free blocks with malloc, in an arena
// that their threads had. Only where there were any: this looks through all of malloc's arenas.
KernelPool::~KernelPool() {
    if (releasing_.joinable())
        releasing_.join();
    idle_.clear();
    if (meter_.read().peak_bytes > 0)
        ::malloc_trim(0);
}

std::size_t KernelPool::idle_bytes() const {
    const std::lock_guard lock(mutex_);
    std::size_t bytes = 0;
    for (const Idle& one : idle_)
        bytes += one.bytes.bytes();
    return bytes;
}

} // namespace leanhost::engine_native
