#pragma once

#include <cstdint>
#include <optional>

namespace leanhost {

/// What to do when memory cannot be sampled, so that a limit on bytes cannot be compared.
enum class WhenUnavailable : std::uint8_t { refuse, admit };

/// Bounds that a fresh import must respect. Without a limit everything is admitted.
/// A limit is reached when the value equals it. Both reached: bytes is the one named.
struct MemoryPolicy {
    /// Of this process's anonymous + swapped bytes, before the import.
    std::optional<std::uint64_t> max_anonymous_bytes = std::nullopt;
    /// Imports so far, over the pool's life.
    std::optional<std::uint64_t> max_fresh_imports = std::nullopt;
    WhenUnavailable when_unavailable = WhenUnavailable::refuse;
};

} // namespace leanhost
