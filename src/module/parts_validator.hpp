#pragma once

#include "module/part_file.hpp"
#include "module/part_validator.hpp"

#include <memory>

namespace leanhost::module {

/// Validates the parts of one module one after the other, each against those before it.
class PartsValidator {
public:
    /// Validates `bytes`, which hold `part` as it is in the file, and makes sure that the file did
    /// not change meanwhile. Throws Failure: invalid_input (file, offset), file_changed.
    void validate(const PartFile& part, std::span<const std::byte> bytes);

    /// Takes a part for valid that was validated before, behind the same earlier parts.
    /// `later_follow` says whether parts behind it are still to be validated.
    void skip(const PartFile& part, std::span<const std::byte> bytes, bool later_follow);

private:
    void add(const PartFile& part, std::span<const std::byte> bytes, StartBitmap starts);

    std::vector<std::unique_ptr<StartBitmap>> bitmaps_;
    std::vector<EarlierPart> earlier_;
};

/// A later part starts at the first multiple of 64 KiB behind the part before it, as Lean writes
/// them. That keeps a hostile header from asking for an address range of its own choice. Throws
/// Failure(invalid_input).
void require_contiguous(std::span<const PartFile> parts);

} // namespace leanhost::module
