#pragma once

#include "module/lean4export/json_fields.hpp"

namespace leanhost::module::lean4export::json {

/// What a declaration line holds under `key`; nullopt when no kind of declaration has that key.
/// Knows those of formats 3.1 and 3.0 ("def", "inductive", …) and of before ("defnInfo", …).
std::optional<ExportDeclaration> read_declaration(std::string_view key, Value value);

} // namespace leanhost::module::lean4export::json
