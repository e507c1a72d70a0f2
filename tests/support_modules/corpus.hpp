#pragma once

#include <filesystem>
#include <string_view>

namespace leanhost::test {

/// The folder of one library in tests/corpus/olean: an entry for a search path.
std::filesystem::path corpus(std::string_view library);

// What is there, by container version.
inline constexpr std::string_view v0_library = "4.0.0-pre-2020-11-03/gebner+lean4"; // test
inline constexpr std::string_view v0b_library =
    "unknown-le-4.3.0/RemyDegenne+brownian-motion"; // Main
inline constexpr std::string_view v1_library =
    "4.12.0/KentBeck+BPlusTreeLean"; // BPlusTreeLean(.Basic)
inline constexpr std::string_view v2_library =
    "4.14.0/GideonDevRel+zkevm-verifier-prototype"; // zkEVM.EVMAddMod, zkEVM.EVMDiv: they clash
inline constexpr std::string_view batteries = "4.28.0/batteries"; // with server and private parts

} // namespace leanhost::test
