#pragma once

#include "module/lean4export/export_sink.hpp"
#include "module/lean4export/json_text.hpp"

/// Fields of the JSON objects in an export's lines. All throw: BadLine where the line says what it
/// must not, JsonError where a value has another type.
namespace leanhost::module::lean4export::json {

[[noreturn]] inline void bad(std::string text) {
    throw BadLine{std::move(text), std::nullopt, std::nullopt};
}

// The first of two spellings of a key that is there: formats before 3.0 had longer ones.
inline Value field(Value object, std::string_view key, std::string_view older = {}) {
    auto value = object.find(key);
    if (!value && !older.empty())
        value = object.find(older);
    if (!value)
        bad("no \"" + std::string(key) + "\" in it");
    return *value;
}

inline std::uint64_t number(Value object, std::string_view key, std::string_view older = {}) {
    return field(object, key, older).natural();
}
inline bool flag(Value object, std::string_view key) {
    return field(object, key).flag();
}
inline std::string_view text(Value object, std::string_view key) {
    return field(object, key).text();
}
inline bool has(Value object, std::string_view key) {
    return object.find(key).has_value();
}

inline std::vector<Id> ids(Value value) {
    std::vector<Id> result;
    value.for_each_element([&](Value element) { result.push_back(element.natural()); });
    return result;
}
inline std::vector<Id> ids(Value object, std::string_view key) {
    return ids(field(object, key));
}

} // namespace leanhost::module::lean4export::json
