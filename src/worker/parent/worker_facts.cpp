#include <leanhost/worker_facts.hpp>

#include <fmt/format.h>

namespace leanhost {

std::string_view confinement_name(Confinement confinement) noexcept {
    switch (confinement) {
    case Confinement::pid_namespace:
        return "pid_namespace";
    case Confinement::no_new_processes:
        return "no_new_processes";
    case Confinement::none:
        return "none";
    }
    return "unknown";
}

std::string ExitFacts::to_string() const {
    std::string text = exit_status ? fmt::format("exited with status {}", *exit_status)
                       : signal    ? fmt::format("killed by signal {}", *signal)
                                   : std::string("ended, how is not known");
    if (was_out_of_memory)
        text += " (the machine was out of memory)";
    if (ended_by_us)
        text += fmt::format(" (ended by us, {}: {})", restart_reason_name(*ended_by_us), detail);
    text += fmt::format(" after {} requests, {} in flight", requests_served, requests_in_flight);
    if (!stderr_tail.empty()) {
        std::string_view last(stderr_tail);
        while (last.ends_with('\n'))
            last.remove_suffix(1);
        text += fmt::format("; it wrote: {}", last.substr(last.rfind('\n') + 1));
    }
    return text;
}

} // namespace leanhost
