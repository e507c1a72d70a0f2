#pragma once

#include "base/unique_fd.hpp"
#include "module/file_identity.hpp"
#include "module/olean_versions.hpp"

#include <filesystem>

namespace leanhost::module {

/// The files of one module, in the order in which later ones may point into earlier ones.
enum class PartKind : std::uint8_t { olean, server, private_part, ir };
std::string_view part_suffix(PartKind kind) noexcept; ///< ".olean", ".olean.server", …
std::string_view part_name(PartKind kind) noexcept;   ///< "public", "server", "private", "ir"

/// Whether the files of a search path may change in place while they are mapped.
enum class Trust : std::uint8_t {
    stable,  ///< files are replaced by rename only (Lean, lake): map them
    hostile, ///< copy each file once into sealed memory and map that
};

/// A larger file is refused: the largest parts of real libraries have some 100 MB, and a sparse
/// file may claim any size.
inline constexpr std::uint64_t max_part_bytes = std::uint64_t{4} << 30U;

/// Whether something is at `path`. Only "no such file" is absence: throws Failure(io) when it
/// cannot be told.
bool is_there(const std::filesystem::path& path);

/// One part, open and identified, its header read, not yet validated.
struct PartFile {
    std::filesystem::path path;
    PartKind kind;
    UniqueFd fd;           ///< the file, or (hostile) a sealed memfd with its bytes
    FileIdentity identity; ///< of the file, also when `fd` is a copy
    OleanHeader header;
};

/// Opens the part and reads its header. Throws Failure: not_found, io, invalid_input,
/// unsupported_version, file_changed (it changed while it was being copied); each names the file.
PartFile open_part(const std::filesystem::path& path, PartKind kind, Trust trust);

/// Throws Failure(file_changed) when the file was written to since it was opened. Says nothing of a
/// sealed copy, which nobody can write to.
void require_unchanged(const PartFile& part);

/// The error for something wrong inside `path` at `offset`.
[[noreturn]] void
fail_in_file(const std::filesystem::path& path, std::uint64_t offset, const std::string& message);

} // namespace leanhost::module
