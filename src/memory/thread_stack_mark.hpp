#pragma once

#include "memory/range_registry.hpp"

namespace leanhost::memory {

/// Makes the calling thread's stack known as MappingClass::stacks while the mark lives; for the
/// entry of every thread of ours. Nothing else tells a thread's stack from the heap: the guard page
/// below it looks the same below an arena of malloc, and a stack may be merged with what stands
/// above it.
///
/// Destroy it on the thread that made it, before the thread ends. On the main thread it does
/// nothing: the kernel knows that stack. Best effort: never fails, and an unknown stack counts as
/// heap. Where the kernel keeps names the name stays with the stack, which glibc keeps for its next
/// thread.
class ThreadStackMark {
public:
    ThreadStackMark() noexcept;
    ThreadStackMark(const ThreadStackMark&) = delete;
    ThreadStackMark& operator=(const ThreadStackMark&) = delete;

private:
    RangeRegistration registration_;
};

} // namespace leanhost::memory
