#pragma once

namespace leanhost::worker {

/// How a worker process was asked to live.
struct WorkerArguments {
    int socket = -1;          ///< connected to the parent; taken over
    bool is_template = false; ///< imports, then forks children: see TemplateLoop
};

/// The whole life of a worker process. Returns its exit status; what went wrong is said on stderr.
/// 0: the parent asked for the end or went away.
int run_worker(const WorkerArguments& arguments);

} // namespace leanhost::worker
