#pragma once

#include "module/lean4export/json_fields.hpp"

#include <functional>

namespace leanhost::module::lean4export::json {

// What an object of one of the three spaces says, before its id is known: the id's key may come
// last.
enum class Space : std::uint8_t { name, level, term };
struct Item {
    Space space;
    std::function<void(Id, ExportSink&)> tell;
};

/// The name, level or term that a line holds under `key`; nullopt when none has that key. Texts in
/// it are valid as long as the parser's document.
std::optional<Item> read_item(std::string_view key, Value value);

} // namespace leanhost::module::lean4export::json
