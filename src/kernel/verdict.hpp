#pragma once

#include "kernel/term.hpp"

#include <exception>
#include <string>

namespace leanhost::kernel {

/// Why a declaration is refused. The ids of these are stable: `reject_reason_id`.
enum class RejectReason : std::uint8_t {
    duplicate_name,
    duplicate_universe_parameter,
    undeclared_universe_parameter,
    wrong_number_of_levels,
    unknown_constant,
    later_constant,
    unsafe_constant,
    loose_bound_variable,
    free_variable,
    metavariable,
    sort_expected,
    function_expected,
    application_type_mismatch,
    let_type_mismatch,
    value_type_mismatch,
    theorem_not_a_proposition,
    bad_projection,
    bad_literal,
    bad_inductive,
    positivity,
    universe_too_small,
    bad_constructor,
    bad_recursor,
    bad_quotient,
    bad_block,
};

/// "duplicate_name", "value_type_mismatch", … Stable.
const char* reject_reason_id(RejectReason reason) noexcept;

/// Thrown deep inside a check; caught in Checker::check alone. `text` is bounded.
class Rejection : public std::exception {
public:
    Rejection(RejectReason reason, std::string text) : reason_(reason), text_(std::move(text)) {}
    const char* what() const noexcept override { return text_.c_str(); }
    RejectReason reason() const noexcept { return reason_; }
    const std::string& text() const noexcept { return text_; }

private:
    RejectReason reason_;
    std::string text_;
};

[[noreturn]] inline void reject(RejectReason reason, std::string text) {
    throw Rejection(reason, std::move(text));
}

} // namespace leanhost::kernel
