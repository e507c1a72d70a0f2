#include "worker/protocol/process_filter.hpp"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace leanhost::worker {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t this_architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t this_architecture = AUDIT_ARCH_AARCH64;
#else
#error "say here which AUDIT_ARCH this machine has"
#endif

::sock_filter load(std::size_t offset) {
    return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}
::sock_filter answer(std::uint32_t value) {
    return BPF_STMT(BPF_RET | BPF_K, value);
}
// Goes on with the next instruction when equal, else skips `otherwise`.
::sock_filter if_equal(std::uint32_t value, unsigned char otherwise) {
    return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, otherwise);
}

constexpr std::uint32_t denied = SECCOMP_RET_ERRNO | EPERM;
// The C library then falls back to clone, whose flags a filter can read.
constexpr std::uint32_t not_there = SECCOMP_RET_ERRNO | ENOSYS;

} // namespace

ProcessFilter::ProcessFilter(Allow allow) {
    auto& code = instructions_;
    code.push_back(load(offsetof(::seccomp_data, arch)));
    code.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, this_architecture, 1, 0));
    code.push_back(
        answer(SECCOMP_RET_KILL_PROCESS)); // another system call table would get around it
    code.push_back(load(offsetof(::seccomp_data, nr)));
#ifdef __X32_SYSCALL_BIT
    code.push_back(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, __X32_SYSCALL_BIT, 0, 1));
    code.push_back(answer(denied));
#endif
    code.push_back(if_equal(SYS_clone3, 1));
    code.push_back(answer(not_there));
    if (allow == Allow::threads) {
#ifdef SYS_fork
        code.push_back(if_equal(SYS_fork, 1));
        code.push_back(answer(denied));
        code.push_back(if_equal(SYS_vfork, 1));
        code.push_back(answer(denied));
#endif
        code.push_back(if_equal(SYS_clone, 3));
        code.push_back(load(offsetof(::seccomp_data, args)));
        code.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0));
        code.push_back(answer(denied));
    }
    code.push_back(answer(SECCOMP_RET_ALLOW));
    program_ = {.len = static_cast<unsigned short>(code.size()), .filter = code.data()};
}

bool install_filter(const ::sock_fprog& program) noexcept {
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

} // namespace leanhost::worker
