#include "kernel/type_checker.hpp"

#include <fmt/format.h>

#include <bit>
#include <limits>

namespace leanhost::kernel {
namespace {

constexpr std::size_t max_env_nodes = std::size_t{1} << 30;
constexpr std::uint32_t small_table = 256;

} // namespace

TypeChecker::TypeChecker(const Environment& environment,
                         const NameTable& names,
                         const KernelNames& known,
                         TermArena& persistent,
                         const Limits& limits)
    : environment_(environment), names_(names), known_(known), scratch_(scratch_bit, 1024),
      store_(persistent, &scratch_), order_(store_), limits_(limits), envs_(max_env_nodes),
      far_parents_(small_table), roots_(small_table), substituted_levels_(small_table),
      substituted_(small_table), abstracted_(64), types_(small_table), checked_(small_table),
      checked_levels_(64), whnf_core_(small_table), whnf_core_cheap_(small_table),
      whnf_(small_table), equal_(small_table), unequal_(small_table), tried_args_(small_table) {
    envs_.push(EnvNode{});
    order_.set_watch([this] { require_not_cancelled(); });
}

const ConstantInfo* TypeChecker::find(NameId name) const {
    if (overlay_ != nullptr) {
        if (const ConstantInfo* const found = overlay_->find(name))
            return found;
    }
    const ConstantInfo* const found = environment_.find(name);
    return found != nullptr && found->ordinal < ordinal_ ? found : nullptr;
}

const InductiveFacts& TypeChecker::facts(const ConstantInfo& info) const {
    return overlay_ != nullptr && overlay_->find(info.name) == &info ? overlay_->facts(info)
                                                                     : environment_.facts(info);
}

void TypeChecker::begin_declaration(Ordinal ordinal, Levels params, DefinitionSafety safety) {
    total_heartbeats_ += heartbeats_;
    heartbeats_ = 0;
    ordinal_ = ordinal;
    params_ = params;
    // What an unsafe declaration may use, a safe one must not: nothing of its checks is kept.
    const bool was_safe = safety_ == DefinitionSafety::safe;
    safety_ = safety;
    overlay_ = nullptr;
    is_eager_ = false;
    has_met_compiled_call_ = false;
    ++serial_;
    stack_.clear();
    spine_.clear();
    nested_.clear();
    pairs_.clear();
    path_.clear();
    if (!sees_view_)
        store_.see_all();
    peak_scratch_bytes_ = peak_scratch_bytes();
    const std::size_t most = limits_.max_scratch_bytes;
    if (limits_.keep_scratch_bytes == Limits::keep_all)
        LEANHOST_REQUIRE(was_safe);
    else if (!was_safe || load_bytes() > limits_.keep_scratch_bytes ||
             (most != 0 && scratch_bytes() > most / 2))
        reset_scratch();
}

bool TypeChecker::start_afresh() {
    if (limits_.keep_scratch_bytes == Limits::keep_all ||
        store_.num_persistent_seen() == num_persistent_at_reset_)
        return false;
    peak_scratch_bytes_ = peak_scratch_bytes();
    reset_scratch();
    return true;
}

void TypeChecker::see(const TermArena::View& view) {
    peak_scratch_bytes_ = peak_scratch_bytes();
    sees_view_ = true;
    store_.see(view);
    reset_scratch();
}

void TypeChecker::set_max_scratch_bytes(std::size_t max_bytes) noexcept {
    limits_.max_scratch_bytes = max_bytes;
    // Between two looks at the whole, each part is held on its own.
    const std::size_t most_bytes =
        max_bytes == 0 ? std::numeric_limits<std::size_t>::max() : max_bytes;
    scratch_.set_max_bytes(most_bytes);
    envs_.set_max_bytes(most_bytes);
}

void TypeChecker::reset_scratch() {
    num_persistent_at_reset_ = store_.num_persistent_seen();
    // Half as much again as is kept when a declaration begins: pages that are given back and taken
    // again cost more than all that is done with them.
    const std::size_t keep = limits_.keep_scratch_bytes / 2 * 3;
    scratch_.reset(keep);
    envs_.shrink(0, keep / 2);
    envs_.push(EnvNode{});
    // Tables stay as large as they were, within reason: growing costs more than clearing.
    constexpr std::size_t most_slots = 16384;
    constexpr std::size_t least_slots = 256;
    constexpr std::size_t bytes_for_a_slot = 1024;
    const std::size_t most_bytes = limits_.max_scratch_bytes;
    const std::size_t keep_slots =
        most_bytes == 0
            ? most_slots
            : std::clamp(std::bit_floor(most_bytes / bytes_for_a_slot), least_slots, most_slots);
    far_parents_.clear(keep_slots);
    roots_.clear(keep_slots);
    abstracted_.clear();
    checked_levels_.clear();
    drop_facts(keep_slots);
}

// What was found out about terms that stay: it can be found out again.
void TypeChecker::drop_facts(std::size_t keep_slots) {
    substituted_levels_.clear(keep_slots);
    substituted_.clear(keep_slots);
    types_.clear(keep_slots);
    checked_.clear(keep_slots);
    whnf_core_.clear(keep_slots);
    whnf_core_cheap_.clear(keep_slots);
    whnf_.clear(keep_slots);
    equal_.clear(keep_slots);
    unequal_.clear(keep_slots);
    tried_args_.clear(keep_slots);
}

void TypeChecker::forget_inequalities() {
    unequal_.clear();
    tried_args_.clear();
}

std::size_t TypeChecker::load_bytes() const noexcept {
    return scratch_.load_bytes() + envs_.bytes() + far_parents_.load_bytes() + roots_.load_bytes() +
           substituted_levels_.load_bytes() + substituted_.load_bytes() + types_.load_bytes() +
           checked_.load_bytes() + whnf_core_.load_bytes() + whnf_core_cheap_.load_bytes() +
           whnf_.load_bytes() + equal_.load_bytes() + unequal_.load_bytes() +
           tried_args_.load_bytes();
}

std::size_t TypeChecker::fact_bytes() const noexcept {
    return substituted_levels_.bytes() + substituted_.bytes() + types_.bytes() + checked_.bytes() +
           whnf_core_.bytes() + whnf_core_cheap_.bytes() + whnf_.bytes() + equal_.bytes() +
           unequal_.bytes() + tried_args_.bytes();
}

std::size_t TypeChecker::scratch_bytes() const noexcept {
    return fact_bytes() + scratch_.bytes() + envs_.bytes() + far_parents_.bytes() + roots_.bytes() +
           abstracted_.bytes() + checked_levels_.bytes() + nested_.capacity() * sizeof(Closure) +
           pairs_.capacity() * sizeof(TermPair);
}

void TypeChecker::require_not_cancelled() const {
    if (token_.is_cancelled() || stop_token_.is_cancelled())
        fail(ErrorCode::cancelled, "the check was cancelled");
}

void TypeChecker::check_limits() {
    require_not_cancelled();
    if (monitor_ != nullptr)
        monitor_->report("check", heartbeats_, limits_.max_heartbeats);
    if (limits_.max_heartbeats != 0 && heartbeats_ > limits_.max_heartbeats)
        fail(ErrorCode::resource_exhausted,
             fmt::format("more than {} heartbeats", limits_.max_heartbeats));
    check_memory();
}

// Facts go first; declining comes last. Nobody holds a place in their tables across a heartbeat.
void TypeChecker::check_memory() {
    constexpr std::size_t most_fact_bytes = std::size_t{256} << 20;
    const std::size_t bytes = scratch_bytes();
    peak_scratch_bytes_ = std::max(peak_scratch_bytes_, bytes);
    if (fact_bytes() > most_fact_bytes)
        drop_facts(0);
    if (limits_.max_scratch_bytes == 0 || bytes <= limits_.max_scratch_bytes)
        return;
    drop_facts(0);
    if (scratch_bytes() > limits_.max_scratch_bytes)
        fail(ErrorCode::resource_exhausted,
             fmt::format("more than the {} bytes that are left of the memory allowed",
                         limits_.max_scratch_bytes));
}

void TypeChecker::fail_deep() const {
    fail(ErrorCode::deep_recursion, "a term is nested too deeply to be checked");
}

} // namespace leanhost::kernel
