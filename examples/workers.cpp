// workers FOLDER MODULE: what a module declares, asked in a worker process of a pool.
#include <leanhost/leanhost.hpp>

#include <cstdio>

using namespace leanhost;

namespace {

Expected<void> demo(const std::filesystem::path& library, const Name& module) {
    WorkerPoolOptions options;
    options.max_workers = 4;
    options.max_total_bytes = std::uint64_t{2} << 30;
    options.worker.runtime.search_path = {library};
    options.worker.restart_policy.max_anonymous_bytes = std::uint64_t{512} << 20;
    auto pool = WorkerPool::make(options);
    if (!pool)
        return std::move(pool).failure();

    // From here on SIGTERM and SIGINT let what runs finish, at most for ten seconds.
    const auto signals = DrainOnSignal::watch(*pool, std::chrono::seconds(10));
    if (!signals)
        return signals.error();

    auto lease = pool->acquire(ImportSet({module}, Profile::all, true));
    if (!lease)
        return std::move(lease).failure();
    auto names = (*lease)->list_declarations(0, 20); // a lease is a Session
    if (!names)
        return std::move(names).failure();
    auto rows = (*lease)->query_declarations(*names, {.type = true});
    if (!rows)
        return std::move(rows).failure();
    for (std::size_t i = 0; i < names->size(); ++i)
        std::printf("%s : %s\n", (*names)[i].to_string().c_str(), (*rows)[i]->type.c_str());

    const PoolSnapshot snapshot = pool->snapshot();
    std::printf("leases=%ju children=%ju requests=%ju\n", std::uintmax_t{snapshot.acquired},
                std::uintmax_t{snapshot.generations}, std::uintmax_t{snapshot.requests});
    return {};
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: workers FOLDER MODULE\n");
        return 64;
    }
    const Expected<void> done = demo(argv[1], argv[2]);
    if (done)
        return 0;
    std::fprintf(stderr, "%s\n", done.error().message().c_str());
    return cli_exit_code(done.error().code());
}
