#pragma once

#include "module/part_file.hpp"
#include "object/object_ref.hpp"

#include <optional>
#include <vector>

namespace leanhost::module {

/// The parts of one module as they lie in memory: validated, read-only, every pointer right.
///
/// Either each part is mapped at its base address (costing no private memory, shared by every
/// region with the same files), or all of them are one relocated private copy. Immutable and
/// thread-safe; kept by RegionHandles, and everything read from it is valid as long as one of them
/// is.
class Region {
public:
    struct Part {
        std::filesystem::path path;
        PartKind kind;
        FileIdentity identity;
        OleanHeader header;
        std::span<const std::byte> bytes; ///< where it lies now, header included
    };

    explicit Region(std::vector<Part> parts, bool is_relocated)
        : parts_(std::move(parts)), is_relocated_(is_relocated) {}

    std::span<const Part> parts() const noexcept { return parts_; }
    /// Whether this is a private copy, because the base address was taken or the format has none.
    bool is_relocated() const noexcept { return is_relocated_; }
    /// Bytes of all parts.
    std::uint64_t size_bytes() const noexcept;

    /// What the part's root pointer leads to: its ModuleData.
    object::ObjectRef root(std::size_t part) const noexcept;

    /// Where in which part's file the address lies.
    struct Place {
        const Part* part;
        std::uint64_t offset;
    };
    std::optional<Place> find(std::uint64_t address) const noexcept;

private:
    std::vector<Part> parts_;
    bool is_relocated_;
};

/// Runs `body`, which reads objects of `region`, and turns a MalformedObject into an error that
/// names file and offset. `what` says what was being read.
template <class F>
decltype(auto) reading(const Region& region, std::string_view what, F&& body);

[[noreturn]] void fail_malformed(const Region& region,
                                 std::string_view what,
                                 const object::MalformedObject& malformed);

template <class F>
decltype(auto) reading(const Region& region, std::string_view what, F&& body) {
    try {
        return std::forward<F>(body)();
    } catch (const object::MalformedObject& malformed) {
        fail_malformed(region, what, malformed);
    }
}

} // namespace leanhost::module
