#include "regions/olean_header.hpp"
#include "support/test_data.hpp"

#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <random>
#include <vector>

namespace leanhost::regions {
namespace {

using Header = std::vector<unsigned char>;

bool is_header(const Header& header, std::uint64_t base_address) {
    return is_olean_header(header.data(), header.size(), base_address);
}

Header first_bytes(const std::filesystem::path& path) {
    Header header(olean_header_bytes);
    std::ifstream file(path, std::ios::binary);
    file.read(reinterpret_cast<char*>(header.data()), static_cast<std::streamsize>(header.size()));
    header.resize(static_cast<std::size_t>(file.gcount()));
    return header;
}

// Where the base address stands, by docs/olean-format.md; 0 for v0, which has none.
std::uint64_t base_address_of(const Header& header) {
    std::size_t at = 0;
    if (header[5] == 1)
        at = 48;
    else if (header[5] == 2)
        at = 80;
    else
        at = 16;
    std::uint64_t base = 0;
    std::memcpy(&base, header.data() + at, sizeof base);
    return base % 65536 == 0 ? base : 0;
}

struct Seen {
    int with_base = 0;
    int without = 0;
};

// Every module below `root`: its own base address is recognised, and no other.
Seen check_all(const std::filesystem::path& root) {
    Seen seen;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
        if (entry.path().filename().string().find(".olean") == std::string::npos ||
            !entry.is_regular_file())
            continue;
        const Header header = first_bytes(entry.path());
        const std::uint64_t base = base_address_of(header);
        EXPECT_FALSE(is_header(header, base + 65536)) << entry.path();
        EXPECT_FALSE(is_header(header, base + 4096)) << entry.path();
        EXPECT_EQ(is_header(header, base), base != 0) << entry.path();
        ++(base != 0 ? seen.with_base : seen.without);
    }
    return seen;
}

TEST(OleanHeader, OfRealModulesInTheCorpusTellsItsBaseAddress) {
    const Seen seen = check_all(LEANHOST_SOURCE_DIR "/tests/corpus/olean");
    EXPECT_EQ(seen.with_base, 20);
    EXPECT_EQ(seen.without, 1) << "v0";
}

TEST(OleanHeader, OfRealModulesInTheTestDataTellsItsBaseAddress) {
    LEANHOST_NEEDS_DATA("olean");
    const Seen seen = check_all(test::test_data("olean"));
    EXPECT_GE(seen.with_base, 300);
    EXPECT_LE(seen.without, 2) << "v0";
}

Header header_with(std::uint64_t base_address, std::size_t at) {
    Header header(olean_header_bytes, 0);
    std::memcpy(header.data(), "olean", 5);
    std::memcpy(header.data() + at, &base_address, sizeof base_address);
    return header;
}

TEST(OleanHeader, MayStateTheBaseAtAnyAlignedPlace) {
    for (std::size_t at = 16; at < olean_header_bytes; at += 8)
        EXPECT_TRUE(is_header(header_with(0x10000, at), 0x10000)) << at;
    EXPECT_FALSE(is_header(header_with(0x10000, 8), 0x10000)) << "among the letters";
    EXPECT_FALSE(is_header(header_with(0x11220000, 20), 0x11220000)) << "not aligned";
}

TEST(OleanHeader, NeedsTheMagic) {
    Header header = header_with(0x10000, 48);
    ASSERT_TRUE(is_header(header, 0x10000));
    header[4] = 'm';
    EXPECT_FALSE(is_header(header, 0x10000));
}

TEST(OleanHeader, IsNotReadBeyondItsSize) {
    const Header header = header_with(0x10000, 80);
    for (std::size_t size = 0; size < 88; ++size)
        EXPECT_FALSE(
            is_header(Header(header.begin(), header.begin() + static_cast<long>(size)), 0x10000));
    EXPECT_TRUE(is_header(Header(header.begin(), header.begin() + 88), 0x10000));
}

TEST(OleanHeader, IsNotSeenInRandomBytes) {
    std::mt19937_64 random(1);
    for (int i = 0; i < 10'000; ++i) {
        std::array<std::uint64_t, olean_header_bytes / 8> words{};
        for (std::uint64_t& word : words)
            word = random();
        ASSERT_FALSE(is_olean_header(reinterpret_cast<const unsigned char*>(words.data()),
                                     sizeof words, words[6]));
    }
}

} // namespace
} // namespace leanhost::regions
