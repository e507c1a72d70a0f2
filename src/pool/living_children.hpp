#pragma once

#include "worker/parent/supervisor.hpp"

namespace leanhost {

/// Every child that lives and was not killed, and what each held when it was last sampled: also
/// those that no slot of the pool holds, because they start, end, or are templates.
class LivingChildren {
public:
    explicit LivingChildren(const worker::Supervisor& supervisor);

    std::uint64_t total_bytes() const noexcept { return total_bytes_; }

    /// Kills the one that holds most among those that `may_be` admits, because all together hold
    /// more than `limit_bytes`. False when none of them holds anything.
    bool kill_greatest(std::uint64_t limit_bytes,
                       const std::function<bool(const worker::Generation&)>& may_be);
    /// It was ended in another way.
    void leave_out(const worker::Generation* generation);

private:
    struct Child {
        std::shared_ptr<worker::Generation> generation;
        std::uint64_t bytes;
    };
    void leave_out(std::vector<Child>::iterator child);

    std::vector<Child> children_;
    std::uint64_t total_bytes_ = 0;
};

} // namespace leanhost
