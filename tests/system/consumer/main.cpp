// A user's program: prints the library's version and the id of an error that it made.
#include <leanhost/error.hpp>
#include <leanhost/version.hpp>

#include <iostream>

int main() {
    const leanhost::Error error(leanhost::ErrorCode::not_found, "an example");
    std::cout << leanhost::version << " " << error.id() << "\n";
}
