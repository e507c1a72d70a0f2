#pragma once

#include "module/part_validator.hpp"
#include "module/raw_olean.hpp"

#include <gmock/gmock.h>

namespace leanhost::test {

/// What validation says of a file: "" when the part is valid, else "offset: reason".
inline std::string verdict(const Bytes& file, std::span<const module::EarlierPart> earlier = {}) {
    const Expected<module::OleanHeader> header = module::read_olean_header(file);
    EXPECT_TRUE(header) << header.error().message();
    try {
        static_cast<void>(module::validate_part({file, &*header}, earlier));
        return "";
    } catch (const module::BadPart& bad) {
        return std::to_string(bad.offset()) + ": " + bad.what();
    }
}

/// Matches the verdict that refuses a part at `offset`, for a reason with these words.
inline auto at(std::size_t offset, const std::string& reason) {
    return testing::AllOf(testing::StartsWith(std::to_string(offset) + ": "),
                          testing::HasSubstr(reason));
}

/// A file with one object of interest, and an empty module's data behind it as root.
struct Laid {
    Bytes file;
    std::size_t offset; ///< of the object of interest
    std::size_t root;   ///< of the root object
};

/// `build(RawObjects&)` lays out the object of interest and returns its word.
template <class F>
Laid lay(std::string_view version, F&& build, std::uint64_t base = 0x10000000000) {
    RawOlean olean(version, base);
    const std::uint64_t object = build(olean.objects);
    const std::uint64_t root = olean.empty_module_data();
    return {olean.file(root), olean.offset(object), olean.offset(root)};
}

} // namespace leanhost::test
