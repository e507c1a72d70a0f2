#pragma once

#include <chrono>

namespace leanhost::worker {

/// Whether the two ends of a child's socket look for each other's next message for a moment before
/// they sleep: the caller for its answer, the child, when it has answered, for the next request.
///
/// Two that sleep must be woken, and a virtual processor that has nothing to do halts: some 20 us
/// each way, more than a small request takes. What is spent on looking is bounded:
/// 1. At most `limit` for a message, and nothing while a child is idle.
/// 2. Only when each request under way can have a processor, and its caller another.
/// 3. Only as long as it pays. After n waits in a row that were vain, a caller sends 2^n - 1
///    requests without one, at most 63. A child is asked to wait only if the pause before the
///    request was shorter than the wait would be.
///
/// Pure but for the count of vain waits. Not thread-safe.
class BusyWaitPolicy {
public:
    using microseconds = std::chrono::microseconds;

    BusyWaitPolicy(microseconds limit, unsigned processors) noexcept
        : limit_(limit), processors_(processors) {}

    /// How long to look for the answer of a request that was sent just now. `calls`: under way in
    /// this program, this one included.
    microseconds for_answer(unsigned calls) noexcept;
    /// What became of it, if it was to be looked for at all.
    void note_answer(bool came) noexcept;

    /// How long the child is to look for another request after its answer to this one. `pause`:
    /// from its last answer to this request.
    microseconds for_next_request(std::chrono::nanoseconds pause, unsigned calls) const noexcept;

private:
    bool has_processors_for(unsigned calls) const noexcept { return calls <= processors_ / 2; }

    const microseconds limit_;
    const unsigned processors_;
    unsigned vain_ = 0; ///< in a row
    unsigned left_out_ = 0;
};

} // namespace leanhost::worker
