#include "regions/log_line.hpp"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <algorithm>

namespace leanhost::regions {

void write_log_line(const char* format, ...) noexcept {
    const int saved = errno;
    char line[400];
    constexpr int room = sizeof line - 1; // for the newline
    int size = ::snprintf(line, room, "leanhost_regions[%d]: ", static_cast<int>(::getpid()));
    va_list arguments;
    va_start(arguments, format);
    size += ::vsnprintf(line + size, static_cast<std::size_t>(room - size), format, arguments);
    va_end(arguments);
    size = std::min(size, room - 1);
    line[size++] = '\n';
    // Ignored on purpose: there is no other place to say it.
    static_cast<void>(::write(STDERR_FILENO, line, static_cast<std::size_t>(size)) == size);
    errno = saved;
}

} // namespace leanhost::regions
