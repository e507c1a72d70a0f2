#pragma once

#include "module/raw_olean.hpp"

#include <leanhost/expected.hpp>

#include <string>

namespace leanhost::test {

/// How reading a module ended: read and walked whole, or refused.
struct ReadingOutcome {
    bool is_refused = false;
    bool is_refused_by_walk = false; ///< else by header or validation
    ErrorCode code{};
    std::string message;
    std::uint64_t offset = 0;
};

/// Opens, validates and maps the parts, then walks the last one: every name, level, term and
/// reachable object is read, every cached word recomputed. An outcome other than those that bad
/// input may have fails the test: an error of another code, one that does not name file and offset,
/// any other exception.
ReadingOutcome read_module(const std::vector<std::filesystem::path>& parts,
                           module::Trust trust = module::Trust::stable);

/// The same in a block of memory of exactly the part's size, where an address sanitizer sees each
/// access beyond it.
ReadingOutcome read_in_memory(const Bytes& file);

} // namespace leanhost::test
