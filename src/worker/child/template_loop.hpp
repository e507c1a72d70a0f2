#pragma once

#include "worker/child/request_handler.hpp"

#include <sys/types.h>

#include <unordered_map>

namespace leanhost::worker {

/// The life of a template: imports once, then forks children that are ready to work.
///
/// It has one thread, always: a fork copies only the thread that calls it. So requests run one
/// after the other on that thread, imports end their own threads before they return, and it does
/// nothing but wait while its children live. It reaps them and tells the parent how they ended.
/// When it dies, so do they: in its pid namespace by the kernel's hand, else by the death signal
/// that they asked for.
class TemplateLoop {
public:
    TemplateLoop(FrameChannel& channel, RequestHandler& handler);

    /// In the template: nullopt, when the parent asked for the end or closed its side. In a forked
    /// child: the child's own socket. Throws Failure `protocol_error`, `io`.
    std::optional<UniqueFd> run();

private:
    enum class Next : std::uint8_t { go_on, end, is_child };
    Next take(std::string_view frame);
    Next fork_child(const wire::ToWorker& message);
    void become_child(UniqueFd socket,
                      UniqueFd output,
                      UniqueFd errors,
                      const wire::ForkRequest& request);
    void reap();
    bool wait_for_input();

    FrameChannel& channel_;
    RequestHandler& handler_;
    UniqueFd child_signals_;
    std::unordered_map<::pid_t, std::uint64_t> children_; // pid to the parent's name for it
    UniqueFd child_socket_;                               // only in a forked child
};

} // namespace leanhost::worker
