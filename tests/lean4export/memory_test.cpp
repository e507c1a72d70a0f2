// What input may cost: the peak of this process's memory while it is refused.
#include "base/failure.hpp"
#include "lean4export/reading.hpp"
#include "support/temp_dir.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zstd.h>

#include <fstream>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LEANHOST_SANITIZED 1
#endif

namespace leanhost::module::lean4export {
namespace {

constexpr std::uint64_t mib = std::uint64_t{1} << 20;

std::uint64_t status_bytes(const std::string& key) {
    std::ifstream status("/proc/self/status");
    std::string word;
    while (status >> word) {
        std::uint64_t kib = 0;
        if (word == key + ":" && status >> kib)
            return kib * 1024;
    }
    return 0;
}

// Peak resident bytes beyond those of the start.
std::uint64_t peak_of(const std::function<void()>& work) {
    std::ofstream("/proc/self/clear_refs") << 5; // the peak starts anew
    const std::uint64_t before = status_bytes("VmRSS");
    work();
    const std::uint64_t peak = status_bytes("VmHWM");
    return peak > before ? peak - before : 0;
}

// One short text, again and again, for ever.
class Endless final : public ByteSource {
public:
    explicit Endless(std::string_view text) : text_(text) {}
    std::size_t read(char* to, std::size_t size) override {
        for (std::size_t i = 0; i < size; ++i)
            to[i] = text_[at_++ % text_.size()];
        return size;
    }

private:
    std::string_view text_;
    std::size_t at_ = 0;
};

class MemoryOfBadInput : public testing::Test {
protected:
    void SetUp() override {
#ifdef LEANHOST_SANITIZED
        GTEST_SKIP() << "would measure the sanitizer";
#endif
    }

    // Packed, so that the file's own text is not in this process.
    std::filesystem::path packed(const std::string& piece, std::size_t times) {
        ZSTD_CStream* const stream = ZSTD_createCStream();
        std::vector<char> buffer(ZSTD_CStreamOutSize());
        std::ofstream out(folder_.path() / "x.zst", std::ios::binary);
        for (std::size_t i = 0; i <= times; ++i) {
            ZSTD_inBuffer in{piece.data(), i < times ? piece.size() : 0, 0};
            const ZSTD_EndDirective how = i < times ? ZSTD_e_continue : ZSTD_e_end;
            std::size_t left = 1;
            while (in.pos < in.size || (how == ZSTD_e_end && left != 0)) {
                ZSTD_outBuffer to{buffer.data(), buffer.size(), 0};
                left = ZSTD_compressStream2(stream, &to, &in, how);
                out.write(buffer.data(), static_cast<std::streamsize>(to.pos));
            }
        }
        ZSTD_freeCStream(stream);
        return folder_.path() / "x.zst";
    }

    test::TempDir folder_;
};

TEST_F(MemoryOfBadInput, AnEndlessLineCostsTwiceItsLimit) {
    const std::uint64_t peak = peak_of([] {
        LineReader reader(std::make_unique<Endless>("x"), "endless");
        EXPECT_THROW(reader.next(), Failure);
    });
    EXPECT_LE(peak, 4 * LineReader::max_line_bytes);
}

TEST_F(MemoryOfBadInput, AnEndlessPackedLineCostsNoMore) {
    const auto path = packed(std::string(mib, ' '), 4096);
    EXPECT_LE(std::filesystem::file_size(path), mib);
    std::optional<Error> error;
    const std::uint64_t peak = peak_of([&] { error = test::read_table(path).error; });
    ASSERT_TRUE(error);
    EXPECT_THAT(error->message(), testing::HasSubstr("x.zst:1: a line of more than 64 MiB"));
    EXPECT_LE(peak, 4 * LineReader::max_line_bytes);
}

TEST_F(MemoryOfBadInput, ALineOfItsLimitFullOfBracketsIsBounded) {
    for (const char* piece : {"[", "{\"a\":", "[],", "0,", "\"\",", "}"}) {
        std::string text;
        while (text.size() < mib)
            text += piece;
        const auto path = packed(text, 63);
        std::optional<Error> error;
        const std::uint64_t peak = peak_of([&] { error = test::read_table(path).error; });
        EXPECT_TRUE(error);
        EXPECT_LE(peak, 32 * LineReader::max_line_bytes) << piece;
    }
}

TEST_F(MemoryOfBadInput, BlankLinesCostNothing) {
    const auto path = packed(std::string(mib, '\n'), 256);
    std::optional<Error> error;
    const std::uint64_t peak = peak_of([&] { error = test::read_table(path).error; });
    ASSERT_TRUE(error);
    EXPECT_LE(peak, 32 * mib);
}

TEST_F(MemoryOfBadInput, FarIdsCostForTheirNumberOnly) {
    std::string text;
    for (std::uint64_t i = 0; i < 100'000; ++i)
        text += fmt::format("{{\"ie\":{},\"sort\":0}}\n", ~std::uint64_t{0} - i * 1'000'003);
    const auto path = folder_.write("far.ndjson", text);
    const std::uint64_t peak = peak_of([&] { EXPECT_FALSE(test::read_table(path).error); });
    EXPECT_LE(peak, 32 * mib);
}

TEST_F(MemoryOfBadInput, AnIdJustAheadDoesNotDoubleTheTable) {
    // Each as far ahead as the array still follows.
    std::string text;
    std::uint64_t id = 4000;
    for (std::uint64_t i = 0; i < 100'000; ++i, id += 2)
        text += fmt::format("{{\"ie\":{},\"sort\":0}}\n", id);
    const auto path = folder_.write("ahead.ndjson", text);
    const std::uint64_t peak = peak_of([&] { EXPECT_FALSE(test::read_table(path).error); });
    EXPECT_LE(peak, 32 * mib);
}

} // namespace
} // namespace leanhost::module::lean4export
