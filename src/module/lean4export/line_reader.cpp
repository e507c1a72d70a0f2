#include "module/lean4export/line_reader.hpp"

#include "base/failure.hpp"
#include "base/unique_fd.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

namespace leanhost::module::lean4export {
namespace {

constexpr std::size_t first_buffer_bytes = std::size_t{128} << 10;

class FileSource final : public ByteSource {
public:
    FileSource(UniqueFd fd, std::filesystem::path path)
        : fd_(std::move(fd)), path_(std::move(path)) {}

    std::size_t read(char* to, std::size_t size) override {
        for (;;) {
            const ssize_t n = ::read(fd_.get(), to, size);
            if (n >= 0)
                return static_cast<std::size_t>(n);
            if (errno != EINTR) {
                fail(ErrorCode::io, fmt::format("{}: {}", path_.string(), std::strerror(errno)),
                     {{"file", path_.string()}});
            }
        }
    }

private:
    UniqueFd fd_;
    std::filesystem::path path_;
};

// What was read to look at the start comes first.
class Prefixed final : public ByteSource {
public:
    Prefixed(std::string_view start, std::unique_ptr<ByteSource> rest)
        : start_(start), rest_(std::move(rest)) {}

    std::size_t read(char* to, std::size_t size) override {
        if (given_ == start_.size())
            return rest_->read(to, size);
        const std::size_t n = std::min(size, start_.size() - given_);
        std::memcpy(to, start_.data() + given_, n);
        given_ += n;
        return n;
    }

private:
    std::string start_;
    std::size_t given_ = 0;
    std::unique_ptr<ByteSource> rest_;
};

class ZstdSource final : public ByteSource {
public:
    ZstdSource(std::unique_ptr<ByteSource> packed, std::filesystem::path path)
        : packed_(std::move(packed)), path_(std::move(path)), stream_(ZSTD_createDStream()),
          buffer_(ZSTD_DStreamInSize()) {
        if (stream_ == nullptr)
            fail(ErrorCode::resource_exhausted, "no memory to unpack " + path_.string());
        // A window of more than 128 MiB is what no lean4export user makes and a hostile file asks
        // for.
        constexpr int window_log_max = 27;
        ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, window_log_max);
    }

    std::size_t read(char* to, std::size_t size) override {
        ZSTD_outBuffer out{to, size, 0};
        while (out.pos == 0) {
            if (in_.pos == in_.size) {
                in_ = {buffer_.data(), packed_->read(buffer_.data(), buffer_.size()), 0};
                if (in_.size == 0) {
                    if (is_inside_frame_)
                        fail_unpacking("the file ends inside its zstd data");
                    return 0;
                }
            }
            const std::size_t left = ZSTD_decompressStream(stream_.get(), &out, &in_);
            if (ZSTD_isError(left) != 0)
                fail_unpacking(ZSTD_getErrorName(left));
            is_inside_frame_ = left != 0;
        }
        return out.pos;
    }

private:
    [[noreturn]] void fail_unpacking(std::string_view why) const {
        fail(ErrorCode::invalid_input, fmt::format("{}: cannot unpack: {}", path_.string(), why),
             {{"file", path_.string()}});
    }
    struct Free {
        void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
    };

    std::unique_ptr<ByteSource> packed_;
    std::filesystem::path path_;
    std::unique_ptr<ZSTD_DStream, Free> stream_;
    std::vector<char> buffer_;
    ZSTD_inBuffer in_{nullptr, 0, 0};
    bool is_inside_frame_ = false;
};

UniqueFd open_file(const std::filesystem::path& path) {
    UniqueFd fd(path == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                            : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) {
        fail(errno == ENOENT ? ErrorCode::not_found : ErrorCode::io,
             fmt::format("{}: {}", path.string(), std::strerror(errno)), {{"file", path.string()}});
    }
    return fd;
}

} // namespace

std::unique_ptr<ByteSource> open_byte_source(const std::filesystem::path& path) {
    auto file = std::make_unique<FileSource>(open_file(path), path);
    constexpr std::string_view zstd_magic = "\x28\xb5\x2f\xfd";
    std::array<char, zstd_magic.size()> start{};
    std::size_t size = 0;
    while (size < start.size()) {
        const std::size_t n = file->read(start.data() + size, start.size() - size);
        if (n == 0)
            break;
        size += n;
    }
    const std::string_view seen(start.data(), size);
    auto whole = std::make_unique<Prefixed>(seen, std::move(file));
    if (seen != zstd_magic)
        return whole;
    return std::make_unique<ZstdSource>(std::move(whole), path);
}

LineReader::LineReader(std::unique_ptr<ByteSource> source, std::filesystem::path path)
    : source_(std::move(source)), path_(std::move(path)),
      buffer_(new char[first_buffer_bytes + padding_bytes]), // NOLINT: not zeroed
      buffer_bytes_(first_buffer_bytes + padding_bytes) {}

std::optional<std::string_view> LineReader::next() {
    std::size_t looked_at = 0;
    for (;;) {
        const char* const start = buffer_.get() + begin_;
        const std::size_t held = end_ - begin_;
        const void* const newline = std::memchr(start + looked_at, '\n', held - looked_at);
        if (newline != nullptr || (is_at_end_ && held > 0)) {
            const std::size_t size =
                newline != nullptr
                    ? static_cast<std::size_t>(static_cast<const char*>(newline) - start)
                    : held;
            const std::size_t taken = size + (newline != nullptr ? 1 : 0);
            if (size > max_line_bytes)
                fail_too_long();
            begin_ += taken;
            bytes_read_ += taken;
            ++line_number_;
            return std::string_view(start, size);
        }
        if (is_at_end_)
            return std::nullopt;
        looked_at = held;
        is_at_end_ = !fill();
    }
}

// Behind what is held, which moves to the front. False at the source's end.
bool LineReader::fill() {
    const std::size_t held = end_ - begin_;
    std::memmove(buffer_.get(), buffer_.get() + begin_, held);
    begin_ = 0;
    end_ = held;
    if (held > max_line_bytes)
        fail_too_long();
    if (buffer_bytes_ - padding_bytes - held < first_buffer_bytes / 2)
        grow();
    const std::size_t n = source_->read(buffer_.get() + end_, buffer_bytes_ - padding_bytes - end_);
    end_ += n;
    return n > 0;
}

void LineReader::grow() {
    std::unique_ptr<char[]> larger(new char[buffer_bytes_ * 2]); // NOLINT: not zeroed
    std::memcpy(larger.get(), buffer_.get(), end_);
    buffer_ = std::move(larger);
    buffer_bytes_ *= 2;
}

void LineReader::fail_too_long() const {
    fail(ErrorCode::invalid_input,
         fmt::format("{}:{}: a line of more than {} MiB", path_.string(), line_number_ + 1,
                     max_line_bytes >> 20),
         {{"file", path_.string()}, {"line", line_number_ + 1}});
}

} // namespace leanhost::module::lean4export
