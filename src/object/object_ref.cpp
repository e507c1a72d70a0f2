#include "object/object_ref.hpp"

#include <fmt/format.h>

namespace leanhost::object {
namespace {

std::string_view tag_name(std::uint8_t tag) {
    switch (tag) {
    case ObjectTag::promise:
        return "promise";
    case ObjectTag::closure:
        return "closure";
    case ObjectTag::array:
        return "array";
    case ObjectTag::struct_array:
        return "structure array";
    case ObjectTag::scalar_array:
        return "scalar array";
    case ObjectTag::string:
        return "string";
    case ObjectTag::mpz:
        return "big number";
    case ObjectTag::thunk:
        return "thunk";
    case ObjectTag::task:
        return "task";
    case ObjectTag::ref:
        return "reference";
    case ObjectTag::external:
        return "external object";
    default:
        return "reserved kind";
    }
}

} // namespace

MalformedObject::MalformedObject(std::uint64_t word,
                                 std::string_view expected,
                                 std::string_view found)
    : Failure(Error(ErrorCode::invalid_input,
                    fmt::format("malformed object: expected {}, found {}", expected, found))),
      word_(word) {}

std::string ObjectRef::describe() const {
    if (is_scalar())
        return fmt::format("scalar {}", word_ >> 1U);
    const ObjectHeader& h = header();
    if (h.tag > ObjectTag::max_constructor)
        return std::string(tag_name(h.tag));
    return fmt::format("constructor {} with {} object fields and {} bytes", h.tag, h.other,
                       h.cs_sz);
}

void ObjectRef::throw_kind(std::string_view expected) const {
    throw MalformedObject(word_, expected, describe());
}

void ObjectRef::throw_fields(unsigned wanted) const {
    throw MalformedObject(word_, fmt::format("at least {} object fields", wanted), describe());
}

void ObjectRef::throw_scalars(std::size_t wanted_bytes) const {
    throw MalformedObject(word_, fmt::format("at least {} scalar bytes", wanted_bytes), describe());
}

} // namespace leanhost::object
