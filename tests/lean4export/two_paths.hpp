#pragma once

#include "lean4export/reading.hpp"

#include <gtest/gtest.h>

namespace leanhost::test {

/// What the fast path takes, the JSON path takes with the same calls; what it declines, it tells
/// the sink nothing of.
inline void expect_paths_agree(const std::string& line) {
    const LineReading fast = take_fast(line);
    if (!fast.is_taken) {
        EXPECT_TRUE(fast.calls.empty()) << line;
        return;
    }
    const LineReading json = take_as_json(line);
    EXPECT_TRUE(json.is_taken) << line << "\n" << (json.bad ? json.bad->text : "");
    EXPECT_EQ(fast.calls, json.calls) << line;
}

} // namespace leanhost::test
