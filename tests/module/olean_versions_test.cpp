// Headers: every version there is, cut at every field, with unknown flags and unknown versions.
#include "module/olean_versions.hpp"
#include "module/raw_olean.hpp"
#include "module/real_modules.hpp"
#include "support/test_data.hpp"

#include <leanhost/name.hpp>

#include <gmock/gmock.h>

#include <map>

namespace leanhost::module {
namespace {

using test::Bytes;
using testing::AllOf;
using testing::HasSubstr;

constexpr std::string_view all_versions[] = {"v0", "v0b", "v1", "v2"};

struct Refusal {
    ErrorCode code;
    std::string message;
    std::uint64_t offset;
};

// Fails the test when the header is accepted.
Refusal refusal_of(const Bytes& file) {
    const Expected<OleanHeader> header = read_olean_header(file);
    if (header) {
        ADD_FAILURE() << "accepted";
        return {};
    }
    const auto* offset = header.error().find_fact("offset");
    EXPECT_NE(offset, nullptr) << header.error().message();
    return {header.error().code(), header.error().message(),
            offset != nullptr ? std::get<std::uint64_t>(*offset) : 0};
}

TEST(OleanVersions, EachIsRead) {
    for (const std::string_view id : all_versions) {
        const Bytes file = test::empty_module(id, 0x123450000);
        const Expected<OleanHeader> header = read_olean_header(file);
        ASSERT_TRUE(header) << header.error().message();
        EXPECT_EQ(header->version->id, id);
        EXPECT_EQ(header->base_address, id == "v0" ? std::uint64_t{0} - 16 : 0x123450000U);
        EXPECT_EQ(header->githash, id == "v1"   ? std::string(42, 'h')
                                   : id == "v2" ? std::string(40, 'h')
                                                : "");
        EXPECT_EQ(header->lean_version, id == "v2" ? std::string(33, 'v') : "");
        EXPECT_TRUE(header->gmp_encoding);
    }
}

TEST(OleanVersions, EveryRealHeaderIsRead) {
    LEANHOST_NEEDS_DATA("olean");
    std::map<std::string_view, int> counts;
    for (const auto& files : test::find_modules(test::test_data("olean"))) {
        for (const PartFile& part : test::open_module(files)) {
            ++counts[part.header.version->id];
            EXPECT_EQ(part.header.lean_version.empty(), !part.header.version->has_flags)
                << part.path;
        }
    }
    for (const std::string_view id : all_versions) {
        EXPECT_GT(counts[id], 0) << id;
        std::printf("%s: %d real headers\n", std::string(id).c_str(), counts[id]);
    }
}

TEST(OleanVersions, AHeaderCutAnywhereIsRefused) {
    for (const std::string_view id : all_versions) {
        const Bytes file = test::empty_module(id);
        // v0 is told from v0b by the first 8 bytes behind its own header.
        const std::size_t needed = id == "v0" ? 24 : test::version_named(id).header_bytes;
        for (std::size_t bytes = 0; bytes < needed; ++bytes) {
            const Refusal refusal =
                refusal_of(Bytes(file.begin(), file.begin() + std::ptrdiff_t(bytes)));
            EXPECT_EQ(refusal.code, ErrorCode::invalid_input) << id << " cut at " << bytes;
            const bool has_magic = bytes >= 5;
            EXPECT_EQ(refusal.offset, has_magic ? bytes : 0);
            EXPECT_THAT(refusal.message, has_magic ? HasSubstr("cut short inside its header")
                                                   : HasSubstr("expected 'olean'"));
        }
        EXPECT_TRUE(read_olean_header(Bytes(file.begin(), file.begin() + std::ptrdiff_t(needed))));
    }
}

TEST(OleanVersions, AnUnknownVersionNamesWhatIsKnown) {
    Bytes file = test::empty_module("v2");
    for (const int version : {0, 3, 4, 255}) {
        file[5] = std::byte(version);
        const Refusal refusal = refusal_of(file);
        EXPECT_EQ(refusal.code, ErrorCode::unsupported_version);
        EXPECT_EQ(refusal.offset, 5U);
        EXPECT_THAT(refusal.message,
                    AllOf(HasSubstr("container version " + std::to_string(version)),
                          HasSubstr("known: the one of 2020 to 4.3.0"), HasSubstr("1 and 2")));
    }
}

TEST(OleanVersions, UnknownFlagsNameWhatIsKnown) {
    Bytes file = test::empty_module("v2");
    for (unsigned flags = 0; flags < 256; ++flags) {
        file[6] = std::byte(flags);
        if (flags <= 1) {
            EXPECT_EQ(read_olean_header(file)->gmp_encoding, flags == 1);
            continue;
        }
        const Refusal refusal = refusal_of(file);
        EXPECT_EQ(refusal.code, ErrorCode::unsupported_version);
        EXPECT_EQ(refusal.offset, 6U);
        EXPECT_THAT(refusal.message,
                    AllOf(HasSubstr("unknown header flags"), HasSubstr("known: bit 0")));
    }
}

TEST(OleanVersions, ABaseAddressThatCannotBeIsRefused) {
    const auto refusal_with = [](std::string_view id, std::uint64_t base) {
        return refusal_of(test::empty_module(id, base));
    };
    for (const std::string_view id : {"v1", "v2"}) {
        for (const std::uint64_t base :
             {std::uint64_t{0}, std::uint64_t{0x123451000}, std::uint64_t{0x123450001},
              max_base_address, ~std::uint64_t{0xffff}}) {
            const Refusal refusal = refusal_with(id, base);
            EXPECT_EQ(refusal.code, ErrorCode::invalid_input);
            EXPECT_EQ(refusal.offset, test::version_named(id).header_bytes - 8);
            EXPECT_THAT(refusal.message, HasSubstr("expected a multiple of 64 KiB from 0x10000"));
        }
    }
    EXPECT_EQ(refusal_with("v0b", 0).offset, 16U);
    EXPECT_EQ(refusal_with("v0b", std::uint64_t{1} << 47U).offset, 16U);
}

// Lean reduced a module's hash by 2^47 in April 2022, by 0x7f0000000000 since; one module in 128 of
// that time has a base address between the two.
TEST(OleanVersions, ABaseAddressOf2022MayLieHigher) {
    EXPECT_TRUE(read_olean_header(test::empty_module("v0b", max_base_address)));
    EXPECT_FALSE(read_olean_header(test::empty_module("v1", max_base_address)));
}

TEST(OleanVersions, OtherFilesAreRefused) {
    for (const std::string_view text : {"", "o",
                                        "\x7f"
                                        "ELF",
                                        "OLEAN", "oleaf file"}) {
        Bytes file(text.size());
        std::transform(text.begin(), text.end(), file.begin(),
                       [](char c) { return static_cast<std::byte>(c); });
        const Refusal refusal = refusal_of(file);
        EXPECT_EQ(refusal.code, ErrorCode::invalid_input);
        EXPECT_EQ(refusal.offset, 0U);
        EXPECT_THAT(refusal.message, HasSubstr("not a module file: expected 'olean'"));
    }
}

TEST(OleanVersions, BaseAddressIsThatOfLean) {
    EXPECT_EQ(base_address_of(Name("Batteries").hash()), 71342636924928U);
    EXPECT_EQ(base_address_of(Name("lakefile").hash()), 13187904503808U);
    EXPECT_EQ(base_address_of(0),
              min_base_address); // Lean's formula gives 0, where nothing can be mapped
}

} // namespace
} // namespace leanhost::module
