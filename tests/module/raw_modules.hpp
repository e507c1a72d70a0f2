#pragma once

#include "module/raw_olean.hpp"
#include "module/real_modules.hpp"
#include "support/temp_dir.hpp"

#include <string>

namespace leanhost::test {

/// A module of one part whose content is `text`.
Bytes module_with_text(std::string_view text, std::uint64_t base, std::string_view version = "v2");

/// A module with public, server and private part, one behind the other from `base` on. Each part's
/// text ends with its number; the later ones hold the first one's as well, by pointer.
std::vector<Bytes> three_parts_with_text(std::string_view text, std::uint64_t base);

/// Writes them as Name.olean, Name.olean.server, Name.olean.private.
ModuleFiles write_parts(const TempDir& dir, std::string_view name, const std::vector<Bytes>& parts);

/// Writes a module of one part.
ModuleFiles write_part(const TempDir& dir, std::string_view name, const Bytes& part);

/// The texts that a part made by the functions above holds.
std::vector<std::string> texts(const module::Region& region, std::size_t part = 0);

/// Replaces the file by rename, as Lean and lake do.
void replace_by_rename(const std::filesystem::path& path, const Bytes& bytes);

/// Keeps something else mapped at an address while it lives.
class TakenPlace {
public:
    TakenPlace(std::uint64_t address, std::size_t bytes);
    ~TakenPlace();
    TakenPlace(const TakenPlace&) = delete;
    TakenPlace& operator=(const TakenPlace&) = delete;

private:
    void* at_;
    std::size_t bytes_;
};

} // namespace leanhost::test
