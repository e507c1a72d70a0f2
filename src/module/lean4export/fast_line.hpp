#pragma once

#include "module/lean4export/export_sink.hpp"

namespace leanhost::module::lean4export {

/// Takes a line that is written exactly as lean4export 3.x writes the common kinds: keys in
/// alphabetical order, no blanks, no escapes. False, and nothing was told to the sink, for any
/// other line. `levels` is scratch. Behind the line there are eight bytes or more that can be read
/// (LineReader::padding_bytes), whatever they are.
bool take_fast_line(std::string_view line, ExportSink& sink, std::vector<Id>& levels);

} // namespace leanhost::module::lean4export
