#include "base/failure.hpp"
#include "lean4export/reading.hpp"
#include "lean4export/sample_lines.hpp"
#include "support/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zstd.h>

#include <random>

namespace leanhost::module::lean4export {
namespace {

using testing::HasSubstr;

enum class Checksum { without, with };

std::string packed(std::string_view text, Checksum checksum = Checksum::without) {
    std::string frame(ZSTD_compressBound(text.size()), '\0');
    ZSTD_CCtx* const context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, checksum == Checksum::with ? 1 : 0);
    const std::size_t size =
        ZSTD_compress2(context, frame.data(), frame.size(), text.data(), text.size());
    ZSTD_freeCCtx(context);
    EXPECT_EQ(ZSTD_isError(size), 0U);
    frame.resize(size);
    return frame;
}

std::string all_of(const std::filesystem::path& path, std::size_t piece_bytes) {
    const auto source = open_byte_source(path);
    std::string text;
    std::vector<char> piece(piece_bytes);
    while (const std::size_t n = source->read(piece.data(), piece.size())) {
        EXPECT_LE(n, piece.size());
        text.append(piece.data(), n);
    }
    EXPECT_EQ(source->read(piece.data(), piece.size()), 0U) << "the end stays the end";
    return text;
}

// Text that packs badly, so that a frame has several blocks.
std::string noise(std::size_t size) {
    std::mt19937 random(3); // NOLINT(cert-msc51-cpp): the same text in every run
    std::string text(size, '\0');
    for (char& c : text)
        c = static_cast<char>('a' + random() % 23);
    return text;
}

TEST(ByteSource, GivesTheBytesOfAFile) {
    const test::TempDir folder;
    for (const std::string& text : {std::string(), std::string("a"), std::string("\x28\xb5\x2f"),
                                    std::string("abcd"), noise(100'000)}) {
        const auto path = folder.write("file", text);
        EXPECT_EQ(all_of(path, 3), text);
        EXPECT_EQ(all_of(path, 1 << 20), text);
    }
}

// Also when a packed file is read to its end while unpacked bytes are still to be given out.
TEST(ByteSource, UnpacksFramesWhateverTheSizeOfTheReads) {
    const test::TempDir folder;
    for (const Checksum checksum : {Checksum::without, Checksum::with}) {
        for (const std::size_t size :
             {std::size_t{1}, std::size_t{1000}, std::size_t{131072}, std::size_t{700'001}}) {
            const std::string text = noise(size);
            const auto path = folder.write("file.zst", packed(text, checksum));
            for (const std::size_t piece : {1000UL, 4096UL, 131072UL, 1UL << 20})
                EXPECT_TRUE(all_of(path, piece) == text) << size << " in pieces of " << piece;
        }
    }
}

TEST(ByteSource, UnpacksSeveralFrames) {
    const test::TempDir folder;
    const std::string first = noise(300'000);
    const auto path =
        folder.write("file.zst", packed(first) + packed("", Checksum::with) + packed("second"));
    EXPECT_TRUE(all_of(path, 777) == first + "second");
}

TEST(ByteSource, AnExportMayBePacked) {
    const test::TempDir folder;
    const std::string text = text_of(test::lines_of_3_1());
    const test::Reading plain = test::read_calls(folder.write("a.ndjson", text));
    const test::Reading whole = test::read_calls(folder.write("b.ndjson.zst", packed(text)));
    EXPECT_EQ(plain.calls, whole.calls);
    EXPECT_EQ(whole.facts.bytes, text.size());
    // Cut in the middle of a line, into two frames.
    const test::Reading halves = test::read_calls(
        folder.write("c", packed(std::string_view(text).substr(0, text.size() / 2)) +
                              packed(std::string_view(text).substr(text.size() / 2))));
    EXPECT_EQ(plain.calls, halves.calls);
}

TEST(ByteSource, RefusesAFrameCutAnywhere) {
    const test::TempDir folder;
    const std::string text = text_of(test::lines_of_3_1());
    const std::string frame = packed(text, Checksum::with);
    constexpr std::size_t magic_bytes = 4;
    for (std::size_t size = magic_bytes; size < frame.size(); ++size) {
        const test::Reading reading =
            test::read_calls(folder.write("cut.zst", std::string_view(frame).substr(0, size)));
        ASSERT_TRUE(reading.error) << size;
        EXPECT_EQ(reading.error->code(), ErrorCode::invalid_input);
        EXPECT_THAT(reading.error->message(),
                    HasSubstr("cut.zst: cannot unpack: the file ends inside its zstd data"))
            << size;
    }
}

TEST(ByteSource, RefusesWhatIsNoFrameBehindAFrame) {
    const test::TempDir folder;
    const std::string text = text_of(test::lines_of_3_1());
    for (const std::string& behind :
         {std::string("garbage"), std::string("{\"il\":1,\"succ\":0}\n"), std::string(4, '\0')}) {
        const test::Reading reading =
            test::read_calls(folder.write("x.zst", packed(text) + behind));
        ASSERT_TRUE(reading.error);
        EXPECT_EQ(reading.error->code(), ErrorCode::invalid_input);
        EXPECT_THAT(reading.error->message(), HasSubstr("x.zst: cannot unpack: Unknown frame"));
    }
}

// A flipped bit may be one that means nothing; what is then unpacked is the same text.
TEST(ByteSource, RefusesAFrameThatIsDamaged) {
    const test::TempDir folder;
    const std::string text = text_of(test::lines_of_3_1());
    std::string frame = packed(text, Checksum::with);
    const auto path = folder.write("x.zst", "");
    std::size_t refused = 0;
    constexpr std::size_t magic_bytes = 4;
    for (std::size_t at = magic_bytes; at < frame.size(); ++at) {
        frame[at] = static_cast<char>(frame[at] ^ 0x10);
        folder.write("x.zst", frame);
        try {
            EXPECT_TRUE(all_of(path, 4096) == text) << at;
        } catch (const Failure& failure) {
            ++refused;
            EXPECT_EQ(failure.error().code(), ErrorCode::invalid_input);
            EXPECT_THAT(failure.error().message(), HasSubstr("x.zst: cannot unpack: "));
        }
        frame[at] = static_cast<char>(frame[at] ^ 0x10);
    }
    EXPECT_GE(refused, frame.size() - magic_bytes - 10);
}

TEST(ByteSource, RefusesAWindowBeyond128MiB) {
    const test::TempDir folder;
    // Magic, a frame header with a window descriptor of 2^31, one raw block of one byte.
    const std::string frame("\x28\xb5\x2f\xfd\x00\xa8\x09\x00\x00x", 10);
    const test::Reading reading = test::read_calls(folder.write("x.zst", frame));
    ASSERT_TRUE(reading.error);
    EXPECT_THAT(reading.error->message(), HasSubstr("Frame requires too much memory"));
}

TEST(ByteSource, RefusesAnEmptyExport) {
    const test::TempDir folder;
    const std::string empties[] = {"", "\n", "\r\n \t\n", packed(""),
                                   packed("", Checksum::with) + packed("\n\n")};
    for (const std::string& bytes : empties) {
        const test::Reading reading = test::read_calls(folder.write("empty.ndjson", bytes));
        ASSERT_TRUE(reading.error);
        EXPECT_EQ(reading.error->code(), ErrorCode::invalid_input);
        EXPECT_THAT(reading.error->message(), HasSubstr("empty.ndjson: an empty export"));
        EXPECT_NE(reading.error->find_fact("file"), nullptr);
    }
}

TEST(ByteSource, SaysWhyAFileCannotBeRead) {
    const test::TempDir folder;
    const test::Reading missing = test::read_calls(folder.path() / "none.ndjson");
    ASSERT_TRUE(missing.error);
    EXPECT_EQ(missing.error->code(), ErrorCode::not_found);
    EXPECT_THAT(missing.error->message(), HasSubstr("none.ndjson: No such file"));

    const test::Reading directory = test::read_calls(folder.path());
    ASSERT_TRUE(directory.error);
    EXPECT_EQ(directory.error->code(), ErrorCode::io);
    EXPECT_THAT(directory.error->message(), HasSubstr("Is a directory"));

    const test::Reading below = test::read_calls(folder.write("file", "x") / "below");
    ASSERT_TRUE(below.error);
    EXPECT_EQ(below.error->code(), ErrorCode::io);
}

// Root may read every file, so for a moment it is somebody else.
class AsNobody {
public:
    AsNobody() : was_root_(::geteuid() == 0) {
        if (was_root_) {
            EXPECT_EQ(::seteuid(65534), 0);
        }
    }
    AsNobody(const AsNobody&) = delete;
    AsNobody& operator=(const AsNobody&) = delete;
    ~AsNobody() {
        if (was_root_) {
            EXPECT_EQ(::seteuid(0), 0);
        }
    }

private:
    const bool was_root_;
};

TEST(ByteSource, SaysThatAFileIsNotOursToRead) {
    const test::TempDir folder;
    const auto path = folder.write("secret.ndjson", "{}");
    std::filesystem::permissions(path, std::filesystem::perms::none);
    const test::Reading reading = [&] {
        const AsNobody nobody;
        return test::read_calls(path);
    }();
    ASSERT_TRUE(reading.error);
    EXPECT_EQ(reading.error->code(), ErrorCode::io);
    EXPECT_THAT(reading.error->message(), HasSubstr("Permission denied"));
}

TEST(ByteSource, RefusesTheTextFormatsByName) {
    struct {
        const char* text;
        const char* found;
    } const cases[] = {
        {"2.0.0\n1 #NS 0 Nat\n", "2.0.0"},
        {"0.1.2\n", "0.1.2"},
        {"1 #NS 0 u\n1 #UP 1\n", "without a version line"},
        {"0 #ES 1\n", "without a version line"},
        {"\n\n2.0.0\r\n1 #NS 0 Nat\r\n", "2.0.0"},
    };
    for (const auto& c : cases) {
        const test::Reading reading = test::read_calls_of(c.text);
        ASSERT_TRUE(reading.error) << c.text;
        EXPECT_EQ(reading.error->code(), ErrorCode::unsupported_version);
        EXPECT_EQ(std::get<std::string>(*reading.error->find_fact("found")), c.found);
        EXPECT_THAT(reading.error->message(), HasSubstr("lean4export 3.0 or later"));
        EXPECT_THAT(reading.calls, testing::IsEmpty());
    }
}

TEST(ByteSource, EndsWhenItIsCancelled) {
    const test::TempDir folder;
    const auto path = folder.write("a.ndjson", text_of(test::lines_of_3_1()));
    CancellationSource source;
    source.cancel();
    Monitor monitor({}, source.token());
    test::RecordingSink sink;
    try {
        read_export(path, sink, monitor);
        FAIL() << "not cancelled";
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.error().code(), ErrorCode::cancelled);
    }
}

} // namespace
} // namespace leanhost::module::lean4export
