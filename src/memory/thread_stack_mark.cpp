#include "memory/thread_stack_mark.hpp"

#include "memory/mapping_class.hpp"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <new>
#include <span>

namespace leanhost::memory {
namespace {

// glibc would read all of /proc/self/maps to answer for the main thread.
bool is_main_thread() noexcept {
    return ::syscall(SYS_gettid) == ::getpid();
}

// Empty when it cannot be had. Without the guard.
std::span<std::byte> stack_of_this_thread() noexcept {
    ::pthread_attr_t attributes;
    if (::pthread_getattr_np(::pthread_self(), &attributes) != 0)
        return {};
    void* begin = nullptr;
    std::size_t bytes = 0;
    const bool known = ::pthread_attr_getstack(&attributes, &begin, &bytes) == 0;
    static_cast<void>(::pthread_attr_destroy(&attributes)); // Cannot fail with glibc.
    return known ? std::span(static_cast<std::byte*>(begin), bytes) : std::span<std::byte>();
}

} // namespace

ThreadStackMark::ThreadStackMark() noexcept {
    if (is_main_thread())
        return;
    const auto stack = stack_of_this_thread();
    try {
        registration_ = RangeRegistration(stack.data(), stack.size(), MappingClass::stacks);
        set_anonymous_name(stack.data(), stack.size(), MappingClass::stacks);
    } catch (const std::bad_alloc&) {
        return; // The stack counts as heap then.
    }
}

} // namespace leanhost::memory
