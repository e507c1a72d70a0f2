#pragma once

#include "module/olean_writer.hpp"
#include "module/region.hpp"

#include <absl/container/flat_hash_map.h>

#include <optional>

namespace leanhost::module {

/// Copies objects with all that they lead to into an ObjectBuilder. What was copied once is not
/// copied again: each big number stays one object of its own, as it is in Lean.
///
/// Objects are made in the order of Lean's compactor. No recursion, so any nesting will do. What is
/// given must live as long as the copier.
class ObjectCopier {
public:
    explicit ObjectCopier(ObjectBuilder& to) : to_(to) {}

    BuiltRef copy(object::ObjectRef root);

private:
    bool collect_children(object::ObjectRef object);
    BuiltRef copy_one(object::ObjectRef object);
    BuiltRef copy_constructor(object::ObjectRef object);
    BuiltRef copy_big_number(object::ObjectRef object);

    ObjectBuilder& to_;
    absl::flat_hash_map<std::uint64_t, BuiltRef> copied_; // by the original's address
    std::vector<object::ObjectRef> todo_;
    std::vector<BuiltRef> children_; // of the object at hand
};

/// What the rewritten parts get that their originals may not have.
struct RewriteOptions {
    /// Where the first part belongs. Needed for the format of 2020, which has no addresses;
    /// default: where the original belongs.
    std::optional<std::uint64_t> base_address;
    /// Default: what the first part's header says.
    std::optional<LeanStamp> stamp;
};

/// Writes a module anew: every object that its roots reach, in container version 2, part by part.
/// Object layouts stay those of the version that made them: hashes and words are copied, not
/// computed.
///
/// Objects stand in the order of Lean's compactor, so a part that Lean wrote in version 2 comes out
/// as the same bytes. Each big number stays one object of its own, as it is in Lean. Cost: time and
/// private memory in proportion to the parts. No recursion, so any nesting will do. Throws Failure:
/// invalid_argument without a base address.
std::vector<BuiltPart> rewrite_module(const Region& region, const RewriteOptions& options = {});

} // namespace leanhost::module
