#pragma once

#include "engine_native/loaded_closure.hpp"

#include <string_view>

namespace leanhost::engine_native {

/// See Session::search_declarations. Throws Failure.
SearchSummary search(const LoadedClosure& loaded,
                     const DeclarationFilter& filter,
                     const DeclarationFields& fields,
                     const DeclarationSink& sink,
                     Monitor& monitor);

/// Whether all of `text` is as `pattern` says: `*` any bytes, `?` any one byte. Cost: at most the
/// product of their sizes.
bool matches_pattern(std::string_view text, std::string_view pattern) noexcept;

/// Whether `name` is `prefix` or stands below it; the anonymous name is above all.
bool is_below(const Name& name, const Name& prefix) noexcept;

} // namespace leanhost::engine_native
