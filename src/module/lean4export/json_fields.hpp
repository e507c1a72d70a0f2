#pragma once

#include "module/lean4export/export_sink.hpp"

#include <simdjson.h>

/// Fields of the JSON objects in an export's lines. All throw: BadLine where the line says what it
/// must not, simdjson_error where it is no JSON.
namespace leanhost::module::lean4export::json {

namespace ondemand = simdjson::ondemand;

[[noreturn]] inline void bad(std::string text) {
    throw BadLine{std::move(text), std::nullopt, std::nullopt};
}

// The first of two spellings of a key that is there: formats before 3.0 had longer ones.
inline ondemand::value
field(ondemand::object& object, std::string_view key, std::string_view older = {}) {
    auto value = object.find_field_unordered(key);
    if (value.error() == simdjson::NO_SUCH_FIELD && !older.empty())
        value = object.find_field_unordered(older);
    if (value.error() == simdjson::NO_SUCH_FIELD)
        bad("no \"" + std::string(key) + "\" in it");
    return value.value();
}

inline std::uint64_t number(ondemand::value value) {
    return value.get_uint64();
}
inline std::uint64_t
number(ondemand::object& object, std::string_view key, std::string_view older = {}) {
    return number(field(object, key, older));
}
inline bool flag(ondemand::object& object, std::string_view key) {
    return field(object, key).get_bool();
}
inline std::string_view text(ondemand::object& object, std::string_view key) {
    return field(object, key).get_string();
}
// Any error but the field's absence ends the parser's use: going on would read behind the line.
inline bool has(ondemand::object& object, std::string_view key) {
    const auto error = object.find_field_unordered(key).error();
    if (error != simdjson::SUCCESS && error != simdjson::NO_SUCH_FIELD)
        throw simdjson::simdjson_error(error);
    return error == simdjson::SUCCESS;
}

inline std::vector<Id> ids(ondemand::value value) {
    std::vector<Id> result;
    for (ondemand::value element : value.get_array())
        result.push_back(number(element));
    return result;
}
inline std::vector<Id> ids(ondemand::object& object, std::string_view key) {
    return ids(field(object, key));
}

} // namespace leanhost::module::lean4export::json
