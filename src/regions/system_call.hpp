#pragma once

#include <sys/syscall.h>

#include <cstdint>

namespace leanhost::regions {

/// A system call by its number: nothing of the C library, errno included, is touched. The result is
/// the kernel's: a negative errno for an error.
#if defined(__x86_64__)

inline std::intptr_t system_call(long number,
                                 std::uintptr_t a = 0,
                                 std::uintptr_t b = 0,
                                 std::uintptr_t c = 0,
                                 std::uintptr_t d = 0,
                                 std::uintptr_t e = 0,
                                 std::uintptr_t f = 0) noexcept {
    std::intptr_t result;
    register std::uintptr_t r10 asm("r10") = d;
    register std::uintptr_t r8 asm("r8") = e;
    register std::uintptr_t r9 asm("r9") = f;
    asm volatile("syscall"
                 : "=a"(result)
                 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                 : "rcx", "r11", "memory");
    return result;
}

#elif defined(__aarch64__)

inline std::intptr_t system_call(long number,
                                 std::uintptr_t a = 0,
                                 std::uintptr_t b = 0,
                                 std::uintptr_t c = 0,
                                 std::uintptr_t d = 0,
                                 std::uintptr_t e = 0,
                                 std::uintptr_t f = 0) noexcept {
    register long x8 asm("x8") = number;
    register std::uintptr_t x0 asm("x0") = a;
    register std::uintptr_t x1 asm("x1") = b;
    register std::uintptr_t x2 asm("x2") = c;
    register std::uintptr_t x3 asm("x3") = d;
    register std::uintptr_t x4 asm("x4") = e;
    register std::uintptr_t x5 asm("x5") = f;
    asm volatile("svc 0"
                 : "+r"(x0)
                 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                 : "memory");
    return static_cast<std::intptr_t>(x0);
}

#else
#error "libleanhost_regions knows the system calls of x86-64 and aarch64"
#endif

/// A kernel's result is an error from -4095 to -1.
inline bool is_error(std::intptr_t result) noexcept {
    return static_cast<std::uintptr_t>(result) > static_cast<std::uintptr_t>(-4096);
}

} // namespace leanhost::regions
