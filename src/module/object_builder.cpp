#include "module/object_builder.hpp"

#include "base/failure.hpp"
#include "base/require.hpp"

#include <absl/hash/hash.h>
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace leanhost::module {
namespace {

using object::ObjectHeader;
using object::ObjectTag;

constexpr std::size_t word_bytes = 8;
constexpr std::size_t objects_begin = BuiltPart::header_bytes + word_bytes;

std::size_t round_up(std::size_t bytes, std::size_t multiple) {
    return (bytes + multiple - 1) & ~(multiple - 1);
}

template <class T>
void store(std::byte* at, const T& value) {
    std::memcpy(at, &value, sizeof(T));
}

void copy_bytes(std::byte* to, const void* from, std::size_t bytes) {
    if (bytes > 0)
        std::memcpy(to, from, bytes);
}

std::uint64_t num_code_points(std::string_view utf8) {
    return static_cast<std::uint64_t>(
        std::count_if(utf8.begin(), utf8.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

ObjectHeader small_header(std::uint8_t tag, std::size_t bytes, std::size_t num_fields = 0) {
    return {0, static_cast<std::uint16_t>(bytes), static_cast<std::uint8_t>(num_fields), tag};
}

// Of the kinds that carry a length of their own and say 1 for their size.
ObjectHeader sized_header(std::uint8_t tag, unsigned element_bytes = 0) {
    return {0, 1, static_cast<std::uint8_t>(element_bytes), tag};
}

void require_constructor(unsigned index, std::size_t num_fields, std::size_t bytes) {
    if (index <= ObjectTag::max_constructor && num_fields <= UINT8_MAX && bytes <= UINT16_MAX)
        return;
    fail(ErrorCode::invalid_argument,
         fmt::format(
             "constructor {} with {} fields and {} bytes: expected an index up to {}, at most {} "
             "fields and {} bytes",
             index, num_fields, bytes, ObjectTag::max_constructor, UINT8_MAX, UINT16_MAX));
}

void require_base_address(std::uint64_t base) {
    if (base % base_address_alignment == 0 && base >= min_base_address)
        return;
    fail(ErrorCode::invalid_argument,
         fmt::format("base address {:#x}: expected a multiple of 64 KiB above zero", base));
}

} // namespace

// The candidate is the last object of the last part. As the first words of an object settle its
// size, it is enough to compare as many bytes as the candidate has.
bool ObjectBuilder::SharedEq::operator()(const Shared& known, const Shared& candidate) const {
    if (known.hash != candidate.hash)
        return false;
    if (known.address == candidate.address)
        return true;
    const BuiltPart& last = builder->parts_.back();
    const BuiltPart& home = builder->part_of(known.address);
    const std::size_t bytes = last.base_address + last.bytes.size() - candidate.address;
    const std::size_t room = home.base_address + home.bytes.size() - known.address;
    return bytes <= room && std::memcmp(builder->bytes_at(known.address),
                                        builder->bytes_at(candidate.address), bytes) == 0;
}

ObjectBuilder::ObjectBuilder(std::uint64_t base_address)
    : shared_(0, SharedHash{}, SharedEq{this}) {
    begin_part(base_address);
}

void ObjectBuilder::begin_part(std::uint64_t base_address) {
    require_base_address(base_address);
    parts_.push_back({base_address, std::vector<std::byte>(objects_begin), 0});
}

BuiltRef ObjectBuilder::mk_scalar(std::uint64_t value) {
    if (value >> 63U != 0) {
        fail(ErrorCode::invalid_argument, fmt::format("scalar {}: expected less than 2^63", value));
    }
    return BuiltRef(value << 1U | 1U);
}

BuiltRef ObjectBuilder::mk_constructor(unsigned index,
                                       std::span<const BuiltRef> fields,
                                       std::span<const std::byte> scalars) {
    const std::size_t scalars_begin = sizeof(ObjectHeader) + word_bytes * fields.size();
    const std::size_t bytes = round_up(scalars_begin + scalars.size(), word_bytes);
    require_constructor(index, fields.size(), bytes);
    std::byte* const at = append(bytes);
    store(at, small_header(static_cast<std::uint8_t>(index), bytes, fields.size()));
    copy_bytes(at + sizeof(ObjectHeader), fields.data(), fields.size_bytes());
    copy_bytes(at + scalars_begin, scalars.data(), scalars.size());
    return share(at);
}

BuiltRef ObjectBuilder::mk_string(std::string_view utf8) {
    const std::uint64_t size = utf8.size() + 1;
    std::byte* const at = append(sizeof(object::StringObject) + size);
    store(at,
          object::StringObject{sized_header(ObjectTag::string), size, size, num_code_points(utf8)});
    copy_bytes(at + sizeof(object::StringObject), utf8.data(), utf8.size());
    return share(at);
}

BuiltRef ObjectBuilder::mk_array(std::span<const BuiltRef> elements) {
    std::byte* const at = append(sizeof(object::ArrayObject) + elements.size_bytes());
    store(at,
          object::ArrayObject{sized_header(ObjectTag::array), elements.size(), elements.size()});
    copy_bytes(at + sizeof(object::ArrayObject), elements.data(), elements.size_bytes());
    return share(at);
}

BuiltRef ObjectBuilder::mk_scalar_array(unsigned element_bytes,
                                        std::span<const std::byte> elements) {
    if (element_bytes == 0 || element_bytes > word_bytes || elements.size() % element_bytes != 0) {
        fail(ErrorCode::invalid_argument,
             fmt::format(
                 "scalar array of {} bytes in elements of {}: expected whole elements of 1 to 8",
                 elements.size(), element_bytes));
    }
    const std::uint64_t size = elements.size() / element_bytes;
    std::byte* const at = append(sizeof(object::ScalarArrayObject) + elements.size());
    store(at, object::ScalarArrayObject{sized_header(ObjectTag::scalar_array, element_bytes), size,
                                        size});
    copy_bytes(at + sizeof(object::ScalarArrayObject), elements.data(), elements.size());
    return share(at);
}

BuiltRef ObjectBuilder::mk_boxed(std::uint8_t tag, BuiltRef value) {
    LEANHOST_REQUIRE(tag == ObjectTag::thunk || tag == ObjectTag::task || tag == ObjectTag::ref);
    const std::size_t bytes =
        tag == ObjectTag::ref ? sizeof(object::RefObject) : sizeof(object::ThunkObject);
    std::byte* const at = append(bytes);
    store(at, small_header(tag, bytes));
    store(at + offsetof(object::ThunkObject, value), value.word());
    return share(at);
}

BuiltRef ObjectBuilder::mk_nat(std::uint64_t value) {
    return value >> 63U == 0 ? mk_scalar(value) : mk_big_number({&value, 1});
}

BuiltRef ObjectBuilder::mk_big_number(std::span<const std::uint64_t> limbs, bool is_negative) {
    while (!limbs.empty() && limbs.back() == 0)
        limbs = limbs.first(limbs.size() - 1);
    const std::size_t bytes = sizeof(object::GmpObject) + limbs.size_bytes();
    if (limbs.size() > INT32_MAX) {
        fail(ErrorCode::invalid_argument,
             fmt::format("number of {} limbs: expected at most 2^31 - 1", limbs.size()));
    }
    const auto size = static_cast<std::int32_t>(limbs.size());
    std::byte* const at = append(bytes);
    const std::uint64_t address =
        parts_.back().base_address + static_cast<std::uint64_t>(at - parts_.back().bytes.data());
    // The header keeps 16 bits of the size, as Lean's does; readers count limbs.
    store(at, object::GmpObject{small_header(ObjectTag::mpz, bytes), size,
                                is_negative ? -size : size, address + sizeof(object::GmpObject)});
    copy_bytes(at + sizeof(object::GmpObject), limbs.data(), limbs.size_bytes());
    return keep(at);
}

void ObjectBuilder::finish_part(BuiltRef root) {
    BuiltPart& part = parts_.back();
    store(part.bytes.data() + BuiltPart::header_bytes, root.word());
    begin_part(round_up(part.base_address + part.bytes.size(), base_address_alignment));
}

std::vector<BuiltPart> ObjectBuilder::take_parts() && {
    LEANHOST_REQUIRE(parts_.back().num_objects ==
                     0); // what stands there belongs to no finished part
    parts_.pop_back();
    return std::move(parts_);
}

std::uint64_t ObjectBuilder::num_objects() const noexcept {
    return std::accumulate(
        parts_.begin(), parts_.end(), std::uint64_t{0},
        [](std::uint64_t sum, const BuiltPart& p) { return sum + p.num_objects; });
}

const BuiltPart& ObjectBuilder::part_of(std::uint64_t address) const {
    const auto home = std::find_if(parts_.rbegin(), parts_.rend(), [&](const BuiltPart& part) {
        return address - part.base_address < part.bytes.size();
    });
    LEANHOST_REQUIRE(home != parts_.rend());
    return *home;
}

const std::byte* ObjectBuilder::bytes_at(std::uint64_t address) const {
    const BuiltPart& part = part_of(address);
    return part.bytes.data() + (address - part.base_address);
}

std::byte* ObjectBuilder::append(std::size_t bytes) {
    std::vector<std::byte>& to = parts_.back().bytes;
    const std::size_t offset = to.size();
    to.resize(offset + round_up(bytes, word_bytes)); // zeros, so padding is zero
    return to.data() + offset;
}

BuiltRef ObjectBuilder::keep(const std::byte* object) {
    BuiltPart& part = parts_.back();
    ++part.num_objects;
    return BuiltRef(part.base_address + static_cast<std::uint64_t>(object - part.bytes.data()));
}

BuiltRef ObjectBuilder::share(const std::byte* object) {
    BuiltPart& part = parts_.back();
    const auto offset = static_cast<std::size_t>(object - part.bytes.data());
    const std::string_view bytes(reinterpret_cast<const char*>(object), part.bytes.size() - offset);
    const auto [known, is_new] = shared_.insert({part.base_address + offset, absl::HashOf(bytes)});
    if (is_new)
        return keep(object);
    part.bytes.resize(offset);
    return BuiltRef(known->address);
}

} // namespace leanhost::module
