#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>

namespace leanhost::test {

/// The folder of real Lean files that the environment variable LEANHOST_TEST_DATA names, if it
/// does.
std::optional<std::filesystem::path> test_data_root();

/// The file or folder `relative_path` in it. Call after LEANHOST_NEEDS_DATA: without a root it
/// throws.
std::filesystem::path test_data(const std::filesystem::path& relative_path);

/// Whether a file of the test data can be had, and if not, why.
struct DataAnswer {
    enum class Kind { present, no_root, missing };
    Kind kind;
    std::string reason; ///< for the report; empty when present
};
DataAnswer look_for_data(const std::filesystem::path& relative_path);

/// Whether `skip_message` is that of a test which LEANHOST_NEEDS_DATA skipped.
bool is_skip_for_lack_of_data(const std::string& skip_message);

} // namespace leanhost::test

/// Ends the test as skipped when LEANHOST_TEST_DATA is unset, and as failed when it is set but
/// lacks `relative_path`: a test must not fall silent because a file was renamed.
#define LEANHOST_NEEDS_DATA(relative_path)                                                         \
    if (const auto leanhost_data = ::leanhost::test::look_for_data(relative_path);                 \
        leanhost_data.kind == ::leanhost::test::DataAnswer::Kind::no_root)                         \
        GTEST_SKIP() << leanhost_data.reason;                                                      \
    else if (leanhost_data.kind == ::leanhost::test::DataAnswer::Kind::missing)                    \
    GTEST_FAIL() << leanhost_data.reason
