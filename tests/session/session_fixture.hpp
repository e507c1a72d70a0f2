#pragma once

#include "support_modules/corpus.hpp"

#include <leanhost/runtime.hpp>

#include <gmock/gmock.h>

namespace leanhost::test {

using SessionHandle = std::shared_ptr<const Session>;

/// A session over modules below `root`. Modules that are not there are left out.
inline SessionHandle open_session(const std::filesystem::path& root,
                                  std::vector<Name> modules,
                                  Profile profile = Profile::all) {
    const auto runtime = Runtime::init({.search_path = {root}});
    if (!runtime)
        throw std::runtime_error(runtime.error().message());
    auto session = runtime->open_session(ImportSet(std::move(modules), profile, true));
    if (!session)
        throw std::runtime_error(session.error().message());
    return *std::move(session);
}

inline std::vector<Name> all_names(const Session& session) {
    return *session.list_declarations(0, UINT64_MAX);
}

} // namespace leanhost::test
