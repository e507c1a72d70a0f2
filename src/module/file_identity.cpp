#include "module/file_identity.hpp"

#include "base/failure.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

namespace leanhost::module {
namespace {

std::int64_t nanoseconds(const timespec& t) {
    return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

} // namespace

FileIdentity identity_from(const struct stat& status) noexcept {
    return {static_cast<std::uint64_t>(status.st_dev), static_cast<std::uint64_t>(status.st_ino),
            static_cast<std::uint64_t>(status.st_size), nanoseconds(status.st_mtim),
            nanoseconds(status.st_ctim)};
}

FileIdentity identity_of(int fd, const std::filesystem::path& path) {
    struct stat status;
    if (::fstat(fd, &status) != 0) {
        fail(ErrorCode::io, fmt::format("{}: {}", path.string(), std::strerror(errno)),
             {{"file", path.string()}});
    }
    return identity_from(status);
}

std::optional<FileIdentity> identity_at(const std::filesystem::path& path) noexcept {
    struct stat status;
    if (::stat(path.c_str(), &status) != 0)
        return std::nullopt;
    return identity_from(status);
}

} // namespace leanhost::module
