#pragma once

#include "regions/region_table.hpp"
#include "regions/system_call.hpp"

#include <time.h>
#include <unistd.h>

#include <type_traits>

namespace leanhost::regions {

/// For people, such as "address taken". `refusal` is a LeanhostRegionsRefusal.
const char* refusal_text(int refusal) noexcept;

/// The kernel, asked by number: none of these calls passes through a symbol that the library
/// exports, and none allocates. errno stays as it was. Results: negative errno for an error.
class LinuxSystem {
public:
    std::intptr_t map(const MapRequest& request) const noexcept {
        return call(SYS_mmap, request.address, request.length, request.protection, request.flags,
                    request.fd, request.offset);
    }
    int unmap(std::uintptr_t address, std::size_t length) const noexcept {
        return static_cast<int>(call(SYS_munmap, address, length));
    }
    int protect(std::uintptr_t address, std::size_t length, int protection) const noexcept {
        return static_cast<int>(call(SYS_mprotect, address, length, protection));
    }
    std::intptr_t remap(std::uintptr_t address,
                        std::size_t length,
                        std::size_t new_length,
                        int flags,
                        std::uintptr_t new_address) const noexcept {
        return call(SYS_mremap, address, length, new_length, flags, new_address);
    }

    /// False when `fd` is no regular file.
    bool identify(int fd, FileIdentity& identity) const noexcept;
    /// As many bytes as there are, at most `size`; 0 as well when `fd` cannot be read.
    std::size_t read_at(int fd, void* to, std::size_t size, std::int64_t offset) const noexcept;
    /// Of the path that `fd` was opened by; 0 when it cannot be told, or the file has lost it.
    std::uint64_t path_hash(int fd) const noexcept;

    /// What lies at exactly `address`, by PROCMAP_QUERY (Linux 6.11); else `cannot_say`.
    MappingAnswer mapping_at(std::uintptr_t address, Mapping& mapping) const noexcept;
    /// Every line of /proc/self/maps; none when it cannot be read.
    template <class Visit>
    void list_mappings(const Visit& visit) const noexcept {
        list_mappings(
            [](void* context, const Mapping& mapping) {
                (*static_cast<const Visit*>(context))(mapping);
            },
            const_cast<Visit*>(&visit));
    }

    void* storage(std::size_t bytes) const noexcept;
    void give_back(void* storage, std::size_t bytes) const noexcept;

    std::int64_t now_ms() const noexcept;

    /// The kernel's own signal set: 64 bits, those that the C library keeps to itself included.
    using SignalSet = std::uint64_t;
    SignalSet block_signals() const noexcept;
    void restore_signals(SignalSet signals) const noexcept;

    void log_event(LeanhostRegionsMode mode, const char* what, const Region& region) const noexcept;
    void log_refusal(LeanhostRegionsMode mode, int refusal, std::uintptr_t address) const noexcept;

private:
    template <class T>
    static std::uintptr_t word(T value) noexcept {
        if constexpr (std::is_pointer_v<T>)
            return reinterpret_cast<std::uintptr_t>(value);
        else
            return static_cast<std::uintptr_t>(value);
    }
    template <class... Arguments>
    static std::intptr_t call(long number, Arguments... arguments) noexcept {
        return system_call(number, word(arguments)...);
    }
    void list_mappings(void (*visit)(void*, const Mapping&), void* context) const noexcept;
};

} // namespace leanhost::regions
