#pragma once

#include "module/olean_writer.hpp"
#include "module/region.hpp"

#include <optional>

namespace leanhost::module {

/// What the rewritten parts get that their originals may not have.
struct RewriteOptions {
    /// Where the first part belongs. Needed for the format of 2020, which has no addresses; default: where
    /// the original belongs.
    std::optional<std::uint64_t> base_address;
    /// Default: what the first part's header says.
    std::optional<LeanStamp> stamp;
};

/// Writes a module anew: every object that its roots reach, in container version 2, part by part. Object
/// layouts stay those of the version that made them: hashes and words are copied, not computed.
///
/// Objects stand in the order of Lean's compactor, so a part that Lean wrote in version 2 comes out as the
/// same bytes. Each big number stays one object of its own, as it is in Lean.
/// Cost: time and private memory in proportion to the parts. No recursion, so any nesting will do.
/// Throws Failure: invalid_argument without a base address.
std::vector<BuiltPart> rewrite_module(const Region& region, const RewriteOptions& options = {});

} // namespace leanhost::module
