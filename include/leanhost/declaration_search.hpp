#pragma once

#include <leanhost/declaration.hpp>
#include <leanhost/progress.hpp>

#include <functional>

namespace leanhost {

/// Which declarations a search wants: all conditions must hold, and one left empty holds always.
struct DeclarationFilter {
    Name prefix = {};         ///< the declaration's name is this, or stands below it
    std::string pattern = {}; ///< over the whole dotted name: `*` any text, `?` any byte
    std::vector<DeclarationKind> kinds = {}; ///< it is of one of them
    Name module = {};                        ///< its module is this, or stands below it
    std::vector<Name> type_mentions = {};    ///< its type mentions each of these constants
};

/// Takes one declaration that was found; its texts are valid during the call. `stop` ends the
/// search early, which is no error; an exception ends it with `sink_failed`.
using DeclarationSink = std::function<SinkAnswer(const Name&, const Declaration&)>;

/// What a search that ran to its end, or was stopped by its sink, looked at and found.
struct SearchSummary {
    std::uint64_t looked_at = 0;
    std::uint64_t found = 0;
    bool was_stopped = false;
};

/// The axioms that a declaration rests on, through everything that it mentions.
struct AxiomReport {
    std::vector<Name> axioms;
    /// False when it rests on a constant that no imported module has (`allow_missing`): there may
    /// be more.
    bool is_complete = true;
};

/// Another declaration that one mentions, or that mentions it.
struct Reference {
    Name name;
    bool is_in_type = false; ///< the mentioning type does; else only a value, a rule, a constructor
};

/// The answer for one name: nothing when the environment does not hold it.
template <class T>
using Answer = std::optional<T>;

} // namespace leanhost
