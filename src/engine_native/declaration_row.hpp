#pragma once

#include "engine_native/loaded_closure.hpp"

namespace leanhost::engine_native {

DeclarationKind public_kind(object::ConstantKind kind);

/// What is known of the constant at `place`. `module` in it is valid as long as `loaded`.
/// Throws Failure(invalid_input): a constant that is none.
Declaration declaration_at(const LoadedClosure& loaded,
                           module::ConstantPlace place,
                           const DeclarationFields& fields);

} // namespace leanhost::engine_native
