// Linked statically, so that no library can be preloaded into it.
#include <unistd.h>

int main() {
    ::usleep(600'000);
    return 3;
}
