#pragma once

#include "support/temp_dir.hpp"
#include "support_modules/module_maker.hpp"

#include <leanhost/runtime.hpp>

#include <gmock/gmock.h>

namespace leanhost::test {

/// A folder with the modules A (imports B), B and C, each with the constant of its name in small
/// letters.
class RuntimeFixture : public testing::Test {
protected:
    RuntimeFixture() {
        write_module(folder.path(), "B", {}, {"b"});
        write_module(folder.path(), "A", {"B"}, {"a"});
        write_module(folder.path(), "C", {}, {"c"});
    }

    /// The process's runtime over that folder; files are taken to be unchanged for an hour.
    Runtime runtime(std::chrono::milliseconds revalidate_after = std::chrono::hours(1)) const {
        auto made =
            Runtime::init({.search_path = {folder.path()}, .revalidate_after = revalidate_after});
        if (!made)
            throw std::runtime_error(made.error().message());
        return *std::move(made);
    }
    /// Whether the process has no runtime, so that one with other options can be made.
    static bool is_free() {
        return Runtime::init({.search_path = {"/of another runtime"}}).has_value();
    }

    static bool holds(const Session& session, const Name& name) {
        const auto rows = session.query_declarations(std::span(&name, 1));
        return rows && (*rows)[0].has_value();
    }

    TempDir folder;
};

template <class T>
T fact(const Error& error, std::string_view key) {
    const auto* const value = error.find_fact(key);
    if (value == nullptr)
        throw std::out_of_range("no fact " + std::string(key));
    return std::get<T>(*value);
}

} // namespace leanhost::test
