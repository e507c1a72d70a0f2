#include "worker/parent/quarantine.hpp"

#include "base/require.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

namespace leanhost::worker {
namespace {

using TimePoint = std::chrono::steady_clock::time_point;

constexpr std::uint32_t max_kills_kept = 64;

// Cut at the start of a UTF-8 sequence, so that what is left is still text.
std::string first_bytes(std::string_view text, std::size_t most) {
    if (text.size() <= most)
        return std::string(text);
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U)
        --most;
    return std::string(text.substr(0, most));
}

bool has_killed(const std::vector<KillEvidence>& kills, std::uint64_t generation) noexcept {
    return std::any_of(kills.begin(), kills.end(),
                       [&](const KillEvidence& kill) { return kill.generation == generation; });
}

std::string company_text(std::size_t others_in_flight) {
    return others_in_flight == 0 ? "alone" : fmt::format("first of {}", others_in_flight + 1);
}

std::string kill_text(const KillEvidence& kill, TimePoint now) {
    const auto ago = std::chrono::duration_cast<std::chrono::seconds>(now - kill.at);
    return fmt::format("generation {} ({}; {}; {} s ago)", kill.generation, kill.exit_text,
                       company_text(kill.others_in_flight), ago.count());
}

} // namespace

std::string to_string(const QuarantineRefusal& refusal) {
    std::string text =
        fmt::format("the request \"{}\" is quarantined, its children died:", refusal.label);
    for (const KillEvidence& kill : refusal.kills)
        text += ' ' + kill_text(kill, refusal.at);
    return text;
}

std::vector<ErrorFact> error_facts(const QuarantineRefusal& refusal) {
    std::vector<std::uint64_t> generations;
    for (const KillEvidence& kill : refusal.kills)
        generations.push_back(kill.generation);
    return {{"fingerprint", refusal.hash},
            {"label", refusal.label},
            {"kills", std::uint64_t{refusal.kills.size()}},
            {"generations", fmt::format("{}", fmt::join(generations, ", "))},
            {"last_exit", refusal.kills.back().exit_text}};
}

Quarantine::Quarantine(const QuarantineOptions& options) : options_(options) {
    // Without room for one entry or one kill there is no last one to read.
    LEANHOST_REQUIRE(options.kills >= 1 && options.kills <= max_kills_kept);
    LEANHOST_REQUIRE(options.max_entries >= 1);
    LEANHOST_REQUIRE(options.max_age >= std::chrono::milliseconds{1} &&
                     options.max_age <= std::chrono::hours{24});
}

void Quarantine::record_death(std::uint64_t generation,
                              std::string_view exit_text,
                              std::span<const RequestFingerprint> in_flight,
                              TimePoint now) {
    if (in_flight.empty())
        return;
    KillEvidence kill{generation, first_bytes(exit_text, max_exit_text_bytes), in_flight.size() - 1,
                      now};
    std::vector<KillEvidence>& kills = suspect_of(in_flight.front(), now).kills;
    if (has_killed(kills, generation))
        return;
    if (kills.size() == options_.kills)
        kills.erase(kills.begin());
    kills.push_back(std::move(kill));
}

void Quarantine::record_success(std::uint64_t hash) {
    if (const auto found = by_hash_.find(hash); found != by_hash_.end())
        forget(found->second);
}

std::optional<QuarantineRefusal> Quarantine::find_refusal(std::uint64_t hash, TimePoint now) {
    const auto suspect = find_recent(hash, now);
    if (suspect == suspects_.end() || suspect->kills.size() < options_.kills)
        return std::nullopt;
    suspects_.splice(suspects_.begin(), suspects_, suspect);
    return QuarantineRefusal{suspect->hash, suspect->label, suspect->kills, now};
}

Quarantine::Suspect& Quarantine::suspect_of(const RequestFingerprint& fingerprint, TimePoint now) {
    if (const auto known = find_recent(fingerprint.hash, now); known != suspects_.end()) {
        suspects_.splice(suspects_.begin(), suspects_, known);
        return *known;
    }
    if (suspects_.size() == options_.max_entries)
        forget(std::prev(suspects_.end()));
    // Made aside: whatever fails to be allocated leaves the table as it was.
    Suspects made;
    made.push_back({fingerprint.hash, first_bytes(fingerprint.label, max_label_bytes), {}});
    made.front().kills.reserve(options_.kills);
    by_hash_.emplace(fingerprint.hash, made.begin());
    suspects_.splice(suspects_.begin(), made);
    return suspects_.front();
}

// Forgets a suspect that is too old.
Quarantine::Suspects::iterator Quarantine::find_recent(std::uint64_t hash, TimePoint now) {
    const auto found = by_hash_.find(hash);
    if (found == by_hash_.end())
        return suspects_.end();
    const Suspects::iterator suspect = found->second;
    if (now - suspect->kills.back().at < options_.max_age)
        return suspect;
    forget(suspect);
    return suspects_.end();
}

void Quarantine::forget(Suspects::iterator suspect) noexcept {
    by_hash_.erase(suspect->hash);
    suspects_.erase(suspect);
}

} // namespace leanhost::worker
