#pragma once

#include <leanhost/capability_abi.h>

#include <string>
#include <vector>

namespace leanhost::host {

/// A library's function, its name checked and copied.
struct CapabilityFunction {
    std::string name;
    bool gives_rows;
    leanhost_capability_call call;
};

/// What a library's table says, copied, so that nothing of it is looked at twice.
struct CapabilityTable {
    std::string name;
    std::string version;
    std::vector<CapabilityFunction> functions;
};

/// Checks the table and copies it. `library` is for messages. That pointers lead somewhere is the
/// library's word; that they are not null, and all else that can be seen, is checked. Throws
/// Failure: unsupported_version (found, known); invalid_input.
CapabilityTable read_capability_table(const leanhost_capability_table* table,
                                      const std::string& library);

} // namespace leanhost::host
