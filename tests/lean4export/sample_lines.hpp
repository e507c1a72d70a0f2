#pragma once

#include <string>
#include <vector>

namespace leanhost::test {

/// A line, and what it tells a sink (as RecordingSink has it).
struct SampleLine {
    std::string line;
    std::string call;
};

/// Each kind of line as lean4export 3.1 writes it; ids fit together, so that all of them in this
/// order are one export.
const std::vector<SampleLine>& lines_of_3_1();
/// What 3.0 writes otherwise.
const std::vector<SampleLine>& lines_of_3_0();
/// What was written before 3.0: "i" for all ids, longer keys, one line a constant.
const std::vector<SampleLine>& lines_before_3_0();
/// All three.
std::vector<SampleLine> all_sample_lines();

/// The lines, each with a newline.
std::string text_of(const std::vector<SampleLine>& lines);

} // namespace leanhost::test
