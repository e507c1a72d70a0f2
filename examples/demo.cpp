// demo FOLDER MODULE: what a module declares, by way of a session from a pool.
#include <leanhost/leanhost.hpp>

#include <cstdio>
#include <string>

using namespace leanhost;

namespace {

void print(const std::vector<Name>& names, const DeclarationRows& rows) {
    for (std::size_t i = 0; i < names.size(); ++i) {
        const DeclarationRow& row = rows[i]; // nothing, if the name is not known
        if (!row)
            continue;
        std::printf("%s %s : %s\n", std::string(declaration_kind_name(row->kind)).c_str(),
                    names[i].to_string().c_str(), row->type.c_str());
    }
}

void print(const PoolStats& stats) {
    std::printf("imports=%ju reused=%ju acquired=%ju released_to_pool=%ju\n",
                std::uintmax_t{stats.imports}, std::uintmax_t{stats.reused},
                std::uintmax_t{stats.acquired}, std::uintmax_t{stats.released_to_pool});
}

Expected<void> demo(const std::filesystem::path& library, const Name& module) {
    auto runtime = Runtime::init({.engine = EngineKind::native, .search_path = {library}});
    if (!runtime)
        return std::move(runtime).failure();
    SessionPool pool{*runtime, {.capacity = 4}};

    // What the module imports may be absent here: the last argument.
    const ImportSet imports({module}, Profile::all, true);
    for (int i = 0; i < 2; ++i) {
        auto session = pool.acquire(imports); // PooledSession: back to the pool on destruction
        if (!session)
            return std::move(session).failure();
        if (i > 0)
            continue; // the second time it comes from the pool

        auto names = (*session)->list_declarations(0, 20);
        if (!names)
            return std::move(names).failure();
        auto rows = (*session)->query_declarations(*names, {.type = true}); // an answer per name
        if (!rows)
            return std::move(rows).failure();
        print(*names, *rows);
    }
    print(pool.stats());
    return {};
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: demo FOLDER MODULE\n");
        return cli_exit_code(ErrorCode::invalid_argument);
    }
    const auto done = demo(argv[1], argv[2]);
    if (done)
        return 0;
    std::fprintf(stderr, "demo: %s\n", done.error().message().c_str());
    return cli_exit_code(done.error().code());
}
