#include "base/large_stack.hpp"

#include "base/failure.hpp"

#include <fmt/format.h>
#include <linux/prctl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <limits>
#include <system_error>

namespace leanhost {
namespace {

[[noreturn]] void fail_for_lack_of(const char* what, std::size_t stack_bytes, int error_number) {
    fail(ErrorCode::resource_exhausted,
         fmt::format("no {} for a stack of {} bytes: {}; free memory, raise the limit on address "
                     "space or threads, or ask for a smaller stack",
                     what, stack_bytes, std::generic_category().message(error_number)),
         {{"stack_bytes", static_cast<std::uint64_t>(stack_bytes)}});
}

// glibc puts the thread's own block and all static thread-locals on the stack it is given; under
// the thread sanitizer that is 900 KiB. Address space only: what is not touched costs nothing.
constexpr std::size_t thread_block_bytes = std::size_t{1} << 20U;

std::size_t page_bytes() {
    return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

// What to map for a body that wants `asked_bytes`, in whole pages and without the guard.
std::size_t usable_bytes_for(std::size_t asked_bytes) {
    constexpr auto most_bytes = std::numeric_limits<std::size_t>::max();
    if (asked_bytes > most_bytes - thread_block_bytes - 2 * page_bytes()) {
        fail_for_lack_of("address space", asked_bytes, ENOMEM);
    }
    return (asked_bytes + thread_block_bytes + page_bytes() - 1) / page_bytes() * page_bytes();
}

// A stack in its own mapping: a guard page, then the usable bytes. Not the one pthread_create would
// make: glibc keeps ended threads' stacks in a cache, and the pages of a deep recursion would stay.
class StackMapping {
public:
    explicit StackMapping(std::size_t asked_bytes)
        : guard_bytes_(page_bytes()), usable_bytes_(usable_bytes_for(asked_bytes)) {
        void* start = ::mmap(nullptr, guard_bytes_ + usable_bytes_, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
        if (start == MAP_FAILED)
            fail_for_lack_of("address space", usable_bytes_, errno);
        start_ = static_cast<char*>(start);
        if (::mprotect(start_, guard_bytes_, PROT_NONE) != 0) {
            const int error_number = errno;
            unmap();
            fail_for_lack_of("guard page", usable_bytes_, error_number);
        }
        name_for_attribution();
    }
    StackMapping(const StackMapping&) = delete;
    StackMapping& operator=(const StackMapping&) = delete;
    ~StackMapping() { unmap(); }

    char* bottom() const noexcept { return start_ + guard_bytes_; }
    std::size_t usable_bytes() const noexcept { return usable_bytes_; }

private:
    // The name shows in /proc/self/maps, where a sample reads it. Ignored on purpose: a kernel
    // without names for anonymous memory refuses, and nothing else depends on it.
    void name_for_attribution() noexcept {
        static_cast<void>(
            ::prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, bottom(), usable_bytes_, "leanhost stack"));
    }
    void unmap() noexcept { static_cast<void>(::munmap(start_, guard_bytes_ + usable_bytes_)); }

    char* start_ = nullptr;
    std::size_t guard_bytes_;
    std::size_t usable_bytes_;
};

class ThreadAttributes {
public:
    explicit ThreadAttributes(const StackMapping& stack) {
        if (const int error_number = ::pthread_attr_init(&attributes_)) {
            fail_for_lack_of("thread attributes", stack.usable_bytes(), error_number);
        }
        if (const int error_number =
                ::pthread_attr_setstack(&attributes_, stack.bottom(), stack.usable_bytes())) {
            ::pthread_attr_destroy(&attributes_);
            fail_for_lack_of("thread attributes", stack.usable_bytes(), error_number);
        }
    }
    ThreadAttributes(const ThreadAttributes&) = delete;
    ThreadAttributes& operator=(const ThreadAttributes&) = delete;
    ~ThreadAttributes() { ::pthread_attr_destroy(&attributes_); }

    const pthread_attr_t* get() const noexcept { return &attributes_; }

private:
    pthread_attr_t attributes_;
};

struct Step {
    void (*run)(void*) noexcept;
    void* context;
};

void* run_step(void* opaque) noexcept {
    const auto& step = *static_cast<const Step*>(opaque);
    step.run(step.context);
    return nullptr;
}

} // namespace

void run_step_on_large_stack(std::size_t stack_bytes, void (*run)(void*) noexcept, void* context) {
    const StackMapping stack(stack_bytes);
    const ThreadAttributes attributes(stack);
    Step step{run, context};
    pthread_t thread;
    if (const int error_number = ::pthread_create(&thread, attributes.get(), run_step, &step)) {
        fail_for_lack_of("thread", stack.usable_bytes(), error_number);
    }
    // Cannot fail: the thread is joinable, alive or ended, and joined here only.
    ::pthread_join(thread, nullptr);
}

} // namespace leanhost
