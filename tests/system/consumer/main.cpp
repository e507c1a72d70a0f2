// A user's program: prints the library's version, and why an import of nothing fails.
#include <leanhost/leanhost.hpp>

#include <iostream>

int main() {
    const auto runtime = leanhost::Runtime::init({.search_path = {"."}});
    if (!runtime) {
        std::cerr << runtime.error().message() << "\n";
        return 1;
    }
    const auto session = runtime->open_session({"No.Such.Module"});
    if (session)
        return 1;
    std::cout << leanhost::version << " " << session.error().id() << "\n";
    return 0;
}
