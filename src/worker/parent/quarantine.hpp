#pragma once

#include <leanhost/error.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace leanhost::worker {

/// What makes two requests the same one, sent again. Two requests of equal hash are held for the
/// same, whatever their labels: the hash is to be taken over all that the child is told.
struct RequestFingerprint {
    std::uint64_t hash;
    std::string label; ///< for people; the first max_label_bytes are kept
};

inline constexpr std::size_t max_label_bytes = 128;
inline constexpr std::size_t max_exit_text_bytes = 256;

/// One generation that ended while a request was its suspect.
struct KillEvidence {
    std::uint64_t generation;
    std::string exit_text;        ///< such as "signal 11"; at most max_exit_text_bytes
    std::size_t others_in_flight; ///< 0: the suspect was alone in the child
    std::chrono::steady_clock::time_point at;

    bool operator==(const KillEvidence&) const = default;
};

/// Why a request is not sent to any child.
struct QuarantineRefusal {
    std::uint64_t hash;
    std::string label;                        ///< as of the first kill
    std::vector<KillEvidence> kills;          ///< the last `QuarantineOptions::kills`, oldest first
    std::chrono::steady_clock::time_point at; ///< of the refusal
};

/// One line: the label, and of each kill generation, exit and how long ago.
std::string to_string(const QuarantineRefusal& refusal);

/// The refusal for an Error: fingerprint, label, kills, generations ("3, 5, 6"), last_exit.
std::vector<ErrorFact> error_facts(const QuarantineRefusal& refusal);

struct QuarantineOptions {
    std::uint32_t kills = 3;                    ///< generations that a request may kill; 1 to 64
    std::size_t max_entries = 1024;             ///< suspects remembered, at least 1
    std::chrono::milliseconds max_age{600'000}; ///< of a suspect's last kill; 1 ms to a day
};

/// Finds the requests that kill their child, and keeps them from killing more.
///
/// Whom a death is held against: the one request that had entered the child first among those that
/// it had not answered, whether alone or with others. The child takes requests up in that order, so
/// all others may not have been begun; and a death is one piece of evidence, not one for each that
/// stood near. A bystander that happens to be first is cleared by its next success, which the
/// killer never has; the killer meets fresh and empty children, where it is first. Evidence says
/// how many others there were.
///
/// A request is refused once it is the suspect of `kills` different generations. It is let in again
/// when its last kill is max_age old, with a clean record: refusals do not prolong it. A success,
/// of a copy that was in flight already too, clears it at once. When the table is full, the suspect
/// whose last kill or refusal is longest ago is forgotten.
///
/// Reads no clock: time is passed in. Memory: max_entries × (a label + kills × an exit text). Cost
/// of each call: O(1). Not thread-safe.
class Quarantine {
public:
    /// Throws RequirementFailed for options out of range.
    explicit Quarantine(const QuarantineOptions& options = {});

    /// The generation has ended with these requests unanswered, in the order in which they entered
    /// it. Told of deaths that a request may have caused (an unplanned exit, the hard limit, a
    /// deadline), not of planned ones or cancellations. A generation counts once for each suspect.
    void record_death(std::uint64_t generation,
                      std::string_view exit_text,
                      std::span<const RequestFingerprint> in_flight,
                      std::chrono::steady_clock::time_point now);

    /// A child has answered the request, with a result or an error of its own, and lived: nothing
    /// speaks against it now. Not told of cancelled requests, which ended before they could kill.
    void record_success(std::uint64_t hash);

    /// The evidence if the request is quarantined; nullopt lets it in.
    std::optional<QuarantineRefusal> find_refusal(std::uint64_t hash,
                                                  std::chrono::steady_clock::time_point now);

    /// How many suspects are remembered, with those that are too old but not looked at since.
    std::size_t size() const noexcept { return suspects_.size(); }

private:
    struct Suspect {
        std::uint64_t hash;
        std::string label;
        std::vector<KillEvidence> kills; // different generations; never empty outside record_death
    };
    using Suspects = std::list<Suspect>;

    Suspect& suspect_of(const RequestFingerprint& fingerprint,
                        std::chrono::steady_clock::time_point now);
    Suspects::iterator find_recent(std::uint64_t hash, std::chrono::steady_clock::time_point now);
    void forget(Suspects::iterator suspect) noexcept;

    // Constant after construction.
    QuarantineOptions options_;

    // Invariant: by_hash_ holds an iterator for each suspect and nothing else.
    Suspects suspects_; // most recently killed or refused first
    std::unordered_map<std::uint64_t, Suspects::iterator> by_hash_;
};

} // namespace leanhost::worker
