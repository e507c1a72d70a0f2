#include "module/pending_file.hpp"

#include "base/failure.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

namespace leanhost::module {
namespace {

[[noreturn]] void fail_write(const std::filesystem::path& path, const char* what, int error) {
    const bool exhausted = error == ENOSPC || error == EDQUOT || error == EFBIG ||
                           error == EMFILE || error == ENFILE || error == ENOMEM;
    fail(exhausted ? ErrorCode::resource_exhausted : ErrorCode::io,
         fmt::format("{}: cannot {}: {}", path.string(), what, std::strerror(error)),
         {{"file", path.string()}});
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
    return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

std::filesystem::path next_temporary(const std::filesystem::path& path) {
    static std::atomic<std::uint64_t> counter{0};
    return folder_of(path) /
           fmt::format(".{}.{}-{}.tmp", path.filename().string(), ::getpid(), counter.fetch_add(1));
}

} // namespace

PendingFile::PendingFile(std::filesystem::path path) : path_(std::move(path)) {
    constexpr ::mode_t mode = 0666; // less the umask, as for any file
    do {
        temporary_ = next_temporary(path_);
        fd_ = UniqueFd(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    } while (!fd_ && errno == EEXIST);
    if (!fd_) {
        const int error = errno;
        temporary_.clear();
        fail_write(path_, "make a temporary file beside it", error);
    }
}

PendingFile::PendingFile(PendingFile&& other) noexcept
    : path_(std::move(other.path_)), temporary_(std::exchange(other.temporary_, {})),
      fd_(std::move(other.fd_)) {}

PendingFile::~PendingFile() {
    // Ignored on purpose: a destructor cannot report, and the name says that it is a temporary
    // file.
    if (!temporary_.empty())
        static_cast<void>(::unlink(temporary_.c_str()));
}

void PendingFile::write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd_.get(), bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            fail_write(path_, "write", errno);
        bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
}

void PendingFile::sync() {
    if (::fsync(fd_.get()) != 0)
        fail_write(path_, "bring to the disk", errno);
    fd_.reset();
}

void PendingFile::commit() {
    if (::rename(temporary_.c_str(), path_.c_str()) != 0)
        fail_write(path_, "put in place", errno);
    temporary_.clear();
}

void sync_folder(const std::filesystem::path& folder) {
    const UniqueFd fd(
        ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd)
        fail_write(folder, "open the folder", errno);
    // Some file systems cannot sync a folder and say EINVAL; then there is nothing to be had.
    if (::fsync(fd.get()) != 0 && errno != EINVAL)
        fail_write(folder, "bring the folder to the disk", errno);
}

} // namespace leanhost::module
