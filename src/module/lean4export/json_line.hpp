#pragma once

#include "module/lean4export/export_sink.hpp"

#include <cstddef>
#include <memory>

namespace leanhost::module::lean4export {

/// Takes any line that is one JSON object of a known kind, of every NDJSON format so far (3.1, 3.0
/// and those before it). Holds a parser and its memory. Not thread-safe.
class JsonLineParser {
public:
    JsonLineParser();
    ~JsonLineParser();

    /// Whether its id was called "i", as formats before 3.0 did for all kinds. Throws BadLine.
    bool take(std::string_view line, ExportSink& sink);

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace leanhost::module::lean4export
