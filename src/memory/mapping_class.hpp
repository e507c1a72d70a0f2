#pragma once

#include <leanhost/memory_sample.hpp>

#include <cstddef>
#include <string_view>

namespace leanhost::memory {

/// The class of a mapping as /proc/<pid>/smaps shows it: `name` is what stands after the inode
/// (empty for anonymous memory without a name), `permissions` is such as "rw-p".
MappingClass classify_mapping(std::string_view name, std::string_view permissions) noexcept;

/// What anonymous memory of ours is named with prctl(PR_SET_VMA_ANON_NAME). Zero-terminated.
const char* anonymous_name_of(MappingClass mapping_class) noexcept;

/// Names whole pages of anonymous memory, so that other processes can tell their class as well.
/// Without effect on a kernel that keeps no such names, or where `address` is not the start of a
/// page.
void set_anonymous_name(void* address, std::size_t bytes, MappingClass mapping_class) noexcept;

} // namespace leanhost::memory
