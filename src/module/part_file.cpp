#include "module/part_file.hpp"

#include "base/failure.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace leanhost::module {
namespace {

// clang-format off
constexpr std::array<std::string_view, 4> suffixes = {".olean", ".olean.server", ".olean.private", ".ir"};
constexpr std::array<std::string_view, 4> names = {"public", "server", "private", "ir"};
// clang-format on

[[noreturn]] void fail_io(const std::filesystem::path& path, const char* what, int error) {
    const ErrorCode code = error == ENOENT || error == ENOTDIR ? ErrorCode::not_found
                           : error == EMFILE || error == ENFILE || error == ENOMEM
                               ? ErrorCode::resource_exhausted
                               : ErrorCode::io;
    fail(code, fmt::format("{}: cannot {}: {}", path.string(), what, std::strerror(error)),
         {{"file", path.string()}});
}

[[noreturn]] void fail_changed(const std::filesystem::path& path) {
    fail(ErrorCode::file_changed,
         fmt::format(
             "{}: changed while it was being read; write modules to a temporary file and rename "
             "it (as lake does), or declare the search path hostile",
             path.string()),
         {{"file", path.string()}});
}

UniqueFd open_read_only(const std::filesystem::path& path) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd)
        fail_io(path, "open", errno);
    struct stat status;
    if (::fstat(fd.get(), &status) != 0)
        fail_io(path, "stat", errno);
    if (!S_ISREG(status.st_mode)) {
        fail(ErrorCode::invalid_input, fmt::format("{}: not a regular file", path.string()),
             {{"file", path.string()}});
    }
    return fd;
}

// Reads up to `bytes` from the start of the file.
std::size_t
read_start(int fd, std::byte* to, std::size_t bytes, const std::filesystem::path& path) {
    std::size_t done = 0;
    while (done < bytes) {
        const ssize_t n = ::pread(fd, to + done, bytes - done, static_cast<off_t>(done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            fail_io(path, "read", errno);
        if (n == 0)
            break;
        done += static_cast<std::size_t>(n);
    }
    return done;
}

void write_all(int fd,
               const std::byte* from,
               std::size_t bytes,
               const std::filesystem::path& path) {
    while (bytes > 0) {
        const ssize_t n = ::write(fd, from, bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            fail_io(path, "copy into memory", errno);
        from += n;
        bytes -= static_cast<std::size_t>(n);
    }
}

// A copy that nobody can write to any more, us included.
UniqueFd sealed_copy(int fd, const FileIdentity& identity, const std::filesystem::path& path) {
    UniqueFd copy(::memfd_create("leanhost-olean", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!copy)
        fail_io(path, "make a sealed copy of", errno);
    std::array<std::byte, 64 * 1024> buffer;
    std::uint64_t done = 0;
    while (done < identity.size_bytes) {
        const std::size_t want = std::min<std::uint64_t>(buffer.size(), identity.size_bytes - done);
        const ssize_t n = ::pread(fd, buffer.data(), want, static_cast<off_t>(done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            fail_io(path, "read", errno);
        if (n == 0)
            fail_changed(path);
        write_all(copy.get(), buffer.data(), static_cast<std::size_t>(n), path);
        done += static_cast<std::uint64_t>(n);
    }
    if (identity_of(fd, path) != identity)
        fail_changed(path);
    if (::fcntl(copy.get(), F_ADD_SEALS,
                F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0) {
        fail_io(path, "seal the copy of", errno);
    }
    return copy;
}

OleanHeader header_of(int fd, const std::filesystem::path& path) {
    std::array<std::byte, 128> start;
    const std::size_t bytes = read_start(fd, start.data(), start.size(), path);
    Expected<OleanHeader> header = read_olean_header({start.data(), bytes});
    if (header)
        return *std::move(header);
    const Error& error = header.error();
    std::vector<ErrorFact> facts = error.facts();
    facts.push_back({"file", path.string()});
    fail(error.code(), path.string() + ": " + error.message(), std::move(facts));
}

} // namespace

std::string_view part_suffix(PartKind kind) noexcept {
    return suffixes[static_cast<std::size_t>(kind)];
}

std::string_view part_name(PartKind kind) noexcept {
    return names[static_cast<std::size_t>(kind)];
}

bool is_there(const std::filesystem::path& path) {
    struct stat status;
    if (::stat(path.c_str(), &status) == 0)
        return true;
    if (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG)
        return false;
    // A folder that may not be searched and the like: the module may well be there.
    fail(ErrorCode::io, fmt::format("cannot look for {}: {}", path.string(), std::strerror(errno)),
         {{"file", path.string()}});
}

PartFile open_part(const std::filesystem::path& path, PartKind kind, Trust trust) {
    UniqueFd fd = open_read_only(path);
    const FileIdentity identity = identity_of(fd.get(), path);
    if (identity.size_bytes > max_part_bytes) {
        fail(ErrorCode::invalid_input,
             fmt::format("{}: {} bytes; a part has at most {}", path.string(), identity.size_bytes,
                         max_part_bytes),
             {{"file", path.string()}});
    }
    if (trust == Trust::hostile)
        fd = sealed_copy(fd.get(), identity, path);
    OleanHeader header = header_of(fd.get(), path);
    return {path, kind, std::move(fd), identity, std::move(header)};
}

void require_unchanged(const PartFile& part) {
    const FileIdentity now = identity_of(part.fd.get(), part.path);
    const bool is_copy = now.device != part.identity.device || now.inode != part.identity.inode;
    // The link count's change by a rename over the file alters ctime, not the content: compare the
    // rest.
    if (!is_copy &&
        (now.size_bytes != part.identity.size_bytes || now.mtime_ns != part.identity.mtime_ns)) {
        fail_changed(part.path);
    }
}

void fail_in_file(const std::filesystem::path& path,
                  std::uint64_t offset,
                  const std::string& message) {
    fail(ErrorCode::invalid_input,
         fmt::format("{}: at offset {}: {}", path.string(), offset, message),
         {{"file", path.string()}, {"offset", offset}});
}

} // namespace leanhost::module
