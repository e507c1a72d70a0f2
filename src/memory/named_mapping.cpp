#include "memory/named_mapping.hpp"

#include "base/require.hpp"
#include "memory/mapping_class.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace leanhost::memory {
namespace {

std::size_t page_bytes() noexcept {
    return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

[[noreturn]] void fail_to_map(std::string_view what,
                              std::size_t bytes,
                              MappingClass mapping_class,
                              int system_error) {
    const auto class_name = mapping_class_name(mapping_class);
    const std::string reason = std::generic_category().message(system_error);
    const std::uint64_t held_bytes = mapping_meter(mapping_class).bytes();
    fail(ErrorCode::resource_exhausted,
         fmt::format("cannot {} {} bytes for {} ({}; {} bytes held already); free memory, or raise "
                     "the limit on address space (ulimit -v) or on mappings (vm.max_map_count)",
                     what, bytes, class_name, reason, held_bytes),
         {{"requested_bytes", std::uint64_t{bytes}},
          {"mapping_class", std::string(class_name)},
          {"class_held_bytes", held_bytes},
          {"system_error", reason}});
}

std::size_t guard_bytes_for(std::size_t bytes) noexcept {
    return bytes >= NamedMapping::guarded_from_bytes ? page_bytes() : 0;
}

// Rounded up to whole pages; fails where that and two guards would overflow.
std::size_t whole_pages(std::size_t bytes, MappingClass mapping_class) {
    const std::size_t one_page = page_bytes();
    if (bytes > std::numeric_limits<std::size_t>::max() - 3 * one_page)
        fail_to_map("map", bytes, mapping_class, ENOMEM);
    return (bytes + one_page - 1) / one_page * one_page;
}

// With guards the whole is reserved first and its middle opened later: it never stands beside a
// mapping with which it could merge.
std::span<std::byte> try_reserve(std::size_t bytes, std::size_t guard_bytes) noexcept {
    const int protection = guard_bytes == 0 ? PROT_READ | PROT_WRITE : PROT_NONE;
    const std::size_t all_bytes = bytes + 2 * guard_bytes;
    void* address = ::mmap(nullptr, all_bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (address == MAP_FAILED)
        return {};
    return {static_cast<std::byte*>(address), all_bytes};
}

// Unmapping the middle of a merged mapping makes two of it, which may pass the limit on mappings.
// Then the pages go back all the same, and only addresses are lost.
void give_back(std::span<std::byte> reserved) noexcept {
    if (reserved.empty() || ::munmap(reserved.data(), reserved.size()) == 0)
        return;
    static_cast<void>(::madvise(reserved.data(), reserved.size(), MADV_DONTNEED));
}

} // namespace

// Delegates, so that the destructor runs when a later step fails.
NamedMapping::NamedMapping(std::size_t bytes, MappingClass mapping_class) : NamedMapping() {
    LEANHOST_ASSERT(mapping_class != MappingClass::mapped_modules);
    if (bytes == 0)
        return;
    const std::size_t mapped_bytes = whole_pages(bytes, mapping_class);
    const std::size_t guard_bytes = guard_bytes_for(bytes);
    const auto reserved = try_reserve(mapped_bytes, guard_bytes);
    if (reserved.empty())
        fail_to_map("map", bytes, mapping_class, errno);
    std::byte* const data = reserved.data() + guard_bytes;
    extent_ = {reserved, data, bytes, mapped_bytes, mapping_class};
    if (guard_bytes != 0 && ::mprotect(data, mapped_bytes, PROT_READ | PROT_WRITE) != 0)
        fail_to_map("open", bytes, mapping_class, errno);
    set_anonymous_name(data, mapped_bytes, mapping_class);
    registration_ = RangeRegistration(data, mapped_bytes, mapping_class);
    metered_ = MeteredBytes(mapping_meter(mapping_class), mapped_bytes);
}

NamedMapping::NamedMapping(NamedMapping&& other) noexcept
    : extent_(std::exchange(other.extent_, {})), registration_(std::move(other.registration_)),
      metered_(std::move(other.metered_)) {}

NamedMapping& NamedMapping::operator=(NamedMapping&& other) noexcept {
    if (this == &other)
        return *this;
    reset();
    extent_ = std::exchange(other.extent_, {});
    registration_ = std::move(other.registration_);
    metered_ = std::move(other.metered_);
    return *this;
}

void NamedMapping::seal_read_only() {
    if (extent_.data == nullptr)
        return;
    if (::mprotect(extent_.data, extent_.mapped_bytes, PROT_READ) != 0)
        fail_to_map("seal", extent_.size_bytes, extent_.mapping_class, errno);
}

// The range goes first: it must not outlive its memory, which another thread may be given at once.
void NamedMapping::reset() noexcept {
    registration_.reset();
    give_back(std::exchange(extent_, {}).reserved);
    metered_.reset();
}

Meter& mapping_meter(MappingClass mapping_class) {
    const auto meter_for = [](MappingClass c) {
        return Meter("mapping." + std::string(mapping_class_name(c)));
    };
    // Never destroyed: mappings with static lifetime are counted here.
    static auto& meters = *new std::array<Meter, mapping_class_count>{
        meter_for(MappingClass::mapped_modules), meter_for(MappingClass::relocated_copies),
        meter_for(MappingClass::index),          meter_for(MappingClass::heap),
        meter_for(MappingClass::stacks),         meter_for(MappingClass::other)};
    return meters[static_cast<std::size_t>(mapping_class)];
}

} // namespace leanhost::memory
