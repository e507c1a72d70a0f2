// Real files, damaged: cut, flipped, mixed up. Each is refused for a reason that names file and
// offset, or read whole; nothing else may happen.
#include "module/reading_outcome.hpp"
#include "module/real_modules.hpp"
#include "support/temp_dir.hpp"
#include "support_modules/corpus.hpp"

#include <gmock/gmock.h>

#include <map>
#include <random>

namespace leanhost::module {
namespace {

using test::Bytes;
using test::ReadingOutcome;
using testing::HasSubstr;

// A small file of each container version.
std::map<std::string, std::filesystem::path> small_files() {
    return {{"v0", test::corpus(test::v0_library) / "test.olean"},
            {"v0b", test::corpus(test::v0b_library) / "Main.olean"},
            {"v1", test::corpus(test::v1_library) / "BPlusTreeLean/Basic.olean"},
            {"v2", test::corpus(test::batteries) / "Batteries/Lean/LawfulMonad.olean"}};
}

class BadInput : public testing::Test {
protected:
    // A new file each time: to truncate and rewrite one makes ext4 wait for the disk.
    std::filesystem::path write(const char* name, const Bytes& file) {
        std::filesystem::remove(dir_.path() / name);
        return dir_.write(name, test::as_text(file));
    }
    ReadingOutcome read(const Bytes& file) {
        return test::read_module({write("Damaged.olean", file)});
    }
    test::TempDir dir_;
};

TEST_F(BadInput, WholeFilesAreRead) {
    for (const auto& [version, path] : small_files()) {
        EXPECT_FALSE(read(test::read_file(path)).is_refused) << path;
        EXPECT_FALSE(test::read_in_memory(test::read_file(path)).is_refused) << path;
        EXPECT_FALSE(test::read_module({path}, Trust::hostile).is_refused) << path;
    }
}

TEST_F(BadInput, FilesCutAnywhereAreRefused) {
    for (const auto& [version, path] : small_files()) {
        const Bytes file = test::read_file(path);
        std::vector<std::size_t> lengths;
        for (std::size_t n = 0; n <= 128; ++n)
            lengths.push_back(n);
        for (std::size_t i = 0; i < 200; ++i)
            lengths.push_back(128 + i * (file.size() - 136) / 199);
        for (const std::size_t offset : {8, 16, 24})
            lengths.push_back(file.size() - offset);
        for (const std::size_t length : lengths) {
            const auto outcome =
                read(Bytes(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(length)));
            EXPECT_TRUE(outcome.is_refused) << version << " cut at " << length;
            EXPECT_FALSE(outcome.is_refused_by_walk) << version << " cut at " << length;
            EXPECT_LE(outcome.offset, length);
        }
    }
}

// What a flipped byte of the header must lead to.
void expect_flip_outcome(const OleanVersion& version,
                         std::size_t at,
                         const ReadingOutcome& outcome) {
    const bool is_old = version.id == "v0" || version.id == "v0b";
    const std::size_t base_at = version.header_bytes - 8;
    if (at < 5) {
        EXPECT_THAT(outcome.message, HasSubstr("not a module file: expected 'olean' at offset 0"));
    } else if (at == 5 || (is_old && at < 16)) {
        EXPECT_EQ(outcome.code, ErrorCode::unsupported_version);
        EXPECT_THAT(outcome.message, HasSubstr("container version"));
        EXPECT_EQ(outcome.offset, 5U);
    } else if (at == 6 && outcome.is_refused) {
        EXPECT_THAT(outcome.message, HasSubstr("unknown header flags"));
    } else if (at < base_at) {
        EXPECT_FALSE(outcome.is_refused)
            << outcome.message; // text that nobody relies on, or no big number
    } else if (at < base_at + 2) {
        EXPECT_THAT(outcome.message, HasSubstr("expected a multiple of 64 KiB"));
        EXPECT_EQ(outcome.offset, base_at);
    } else {
        EXPECT_TRUE(outcome.is_refused);
        EXPECT_THAT(outcome.message,
                    testing::AnyOf(HasSubstr("base address"), HasSubstr("pointer 0x")));
    }
}

TEST_F(BadInput, EachByteOfTheHeaderFlippedHasItsOutcome) {
    for (const auto& [id, path] : small_files()) {
        const OleanVersion& version = test::version_named(id);
        const Bytes file = test::read_file(path);
        for (std::size_t at = 0; at < version.header_bytes; ++at) {
            for (const unsigned flip : {1U, 2U, 4U, 8U, 16U, 32U, 64U, 128U, 255U}) {
                Bytes damaged = file;
                damaged[at] ^= std::byte(flip);
                SCOPED_TRACE(id + " byte " + std::to_string(at) + " flip " + std::to_string(flip));
                expect_flip_outcome(version, at, read(damaged));
            }
        }
    }
}

// ---- random damage

class Damage {
public:
    explicit Damage(std::uint64_t seed) : random_(seed) {}

    Bytes apply(Bytes file) {
        const std::size_t times = 1 + below(3);
        for (std::size_t i = 0; i < times; ++i)
            apply_one(file);
        return file;
    }

private:
    std::size_t below(std::size_t bound) { return random_() % bound; }
    std::size_t some_word(const Bytes& file) { return 8 * below(file.size() / 8); }

    void apply_one(Bytes& file) {
        switch (below(6)) {
        case 0:
            file[below(file.size())] ^= std::byte(1U << below(8));
            break;
        case 1:
            file[below(file.size())] = std::byte(below(256));
            break;
        case 2:
            test::store(file, some_word(file), random_() >> below(64));
            break;
        // A word of the file in another place: a pointer, as a rule, to an object of another kind.
        case 3:
            test::store(file, some_word(file), test::load(file, some_word(file)));
            break;
        case 4:
            shift_a_word(file);
            break;
        default:
            swap_words(file);
            break;
        }
    }
    void shift_a_word(Bytes& file) {
        const std::size_t at = some_word(file);
        test::store(file, at, test::load(file, at) + 8 * (below(9) - 4));
    }
    void swap_words(Bytes& file) {
        const std::size_t a = some_word(file);
        const std::size_t b = some_word(file);
        const std::uint64_t word = test::load(file, a);
        test::store(file, a, test::load(file, b));
        test::store(file, b, word);
    }
    std::mt19937_64 random_;
};

struct Tally {
    int read = 0;
    int refused_by_validation = 0;
    int refused_by_walk = 0;

    void add(const ReadingOutcome& outcome) {
        ++(!outcome.is_refused          ? read
           : outcome.is_refused_by_walk ? refused_by_walk
                                        : refused_by_validation);
    }
    void expect_all_and_print(const char* what) const {
        std::printf("%s: %d refused by validation, %d by the walk, %d read\n", what,
                    refused_by_validation, refused_by_walk, read);
        EXPECT_GT(refused_by_validation, 0);
        EXPECT_GT(refused_by_walk, 0);
        EXPECT_GT(read, 0);
    }
};

TEST_F(BadInput, RandomDamageInMemoryIsRefusedOrHarmless) {
    Tally tally;
    std::uint64_t seed = 1;
    for (const auto& [version, path] : small_files()) {
        const Bytes file = test::read_file(path);
        Damage damage(seed++);
        for (int i = 0; i < 3500; ++i)
            tally.add(test::read_in_memory(damage.apply(file)));
    }
    tally.expect_all_and_print("in memory");
}

TEST_F(BadInput, RandomDamageInFilesIsRefusedOrHarmless) {
    Tally tally;
    std::uint64_t seed = 100;
    for (const auto& [version, path] : small_files()) {
        const Bytes file = test::read_file(path);
        Damage damage(seed++);
        for (int i = 0; i < 500; ++i)
            tally.add(read(damage.apply(file)));
    }
    tally.expect_all_and_print("in files");
}

TEST_F(BadInput, RandomDamageInALaterPartIsRefusedOrHarmless) {
    const auto files = test::find_modules(test::corpus(test::batteries) / "Batteries/Data").at(0);
    ASSERT_EQ(files.size(), 3U);
    EXPECT_FALSE(test::read_module(files).is_refused);
    const Bytes last = test::read_file(files[2]);
    Damage damage(200);
    Tally tally;
    for (int i = 0; i < 4000; ++i) {
        const auto path = write("Damaged.olean.private", damage.apply(last));
        tally.add(test::read_module({files[0], files[1], path}));
    }
    tally.expect_all_and_print("in a private part");
}

} // namespace
} // namespace leanhost::module
