#include "worker/child/worker_main.hpp"

#include <leanhost/version.hpp>

#include <CLI/CLI.hpp>

#ifdef __SANITIZE_ADDRESS__
// The leak checker stops a process's threads by their numbers in /proc, which in a pid namespace of
// its own are another namespace's. Its name is the checker's.
// NOLINTNEXTLINE(bugprone-reserved-identifier)
extern "C" int __lsan_is_turned_off() {
    return 1;
}
#endif

int main(int argc, char** argv) {
    leanhost::worker::WorkerArguments arguments;
    CLI::App app{"leanhost-worker: holds Lean environments on behalf of a leanhost program, which "
                 "starts it.\n"
                 "Not for use by hand: it talks to its parent over a socket that it inherits."};
    app.set_version_flag("--version", "leanhost-worker " + std::string(leanhost::version));
    app.add_option("--socket", arguments.socket, "Descriptor of the connected socket")
        ->required()
        ->check(CLI::Range(0, 1 << 20));
    app.add_flag("--template", arguments.is_template,
                 "Import, then fork children that are ready to work");
    CLI11_PARSE(app, argc, argv);
    return leanhost::worker::run_worker(arguments);
}
