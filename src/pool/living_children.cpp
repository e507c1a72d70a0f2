#include "pool/living_children.hpp"

#include <algorithm>

namespace leanhost {

LivingChildren::LivingChildren(const worker::Supervisor& supervisor) {
    for (auto& generation : supervisor.alive()) {
        if (generation->is_killed())
            continue; // its memory goes as fast as it can
        const std::uint64_t bytes = generation->snapshot().anonymous_bytes.value_or(0);
        total_bytes_ += bytes;
        children_.push_back({std::move(generation), bytes});
    }
}

bool LivingChildren::kill_greatest(std::uint64_t limit_bytes,
                                   const std::function<bool(const worker::Generation&)>& may_be) {
    auto greatest = children_.end();
    for (auto child = children_.begin(); child != children_.end(); ++child) {
        if (may_be(*child->generation) &&
            (greatest == children_.end() || greatest->bytes < child->bytes))
            greatest = child;
    }
    if (greatest == children_.end() || greatest->bytes == 0)
        return false;
    const worker::RestartDecision decision{
        .reason = RestartReason::hard_limit, .limit = limit_bytes, .current = total_bytes_};
    greatest->generation->kill(decision.reason, worker::to_string(decision));
    leave_out(greatest);
    return true;
}

void LivingChildren::leave_out(const worker::Generation* generation) {
    const auto child = std::find_if(children_.begin(), children_.end(), [&](const Child& one) {
        return one.generation.get() == generation;
    });
    if (child != children_.end())
        leave_out(child);
}

void LivingChildren::leave_out(std::vector<Child>::iterator child) {
    total_bytes_ -= child->bytes;
    children_.erase(child);
}

} // namespace leanhost
