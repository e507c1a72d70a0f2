#include "kernel/verdict.hpp"

namespace leanhost::kernel {

const char* reject_reason_id(RejectReason reason) noexcept {
    switch (reason) {
    case RejectReason::duplicate_name:
        return "duplicate_name";
    case RejectReason::duplicate_universe_parameter:
        return "duplicate_universe_parameter";
    case RejectReason::undeclared_universe_parameter:
        return "undeclared_universe_parameter";
    case RejectReason::wrong_number_of_levels:
        return "wrong_number_of_levels";
    case RejectReason::unknown_constant:
        return "unknown_constant";
    case RejectReason::later_constant:
        return "later_constant";
    case RejectReason::unsafe_constant:
        return "unsafe_constant";
    case RejectReason::loose_bound_variable:
        return "loose_bound_variable";
    case RejectReason::free_variable:
        return "free_variable";
    case RejectReason::metavariable:
        return "metavariable";
    case RejectReason::sort_expected:
        return "sort_expected";
    case RejectReason::function_expected:
        return "function_expected";
    case RejectReason::application_type_mismatch:
        return "application_type_mismatch";
    case RejectReason::let_type_mismatch:
        return "let_type_mismatch";
    case RejectReason::value_type_mismatch:
        return "value_type_mismatch";
    case RejectReason::theorem_not_a_proposition:
        return "theorem_not_a_proposition";
    case RejectReason::bad_projection:
        return "bad_projection";
    case RejectReason::bad_literal:
        return "bad_literal";
    case RejectReason::bad_inductive:
        return "bad_inductive";
    case RejectReason::positivity:
        return "positivity";
    case RejectReason::universe_too_small:
        return "universe_too_small";
    case RejectReason::bad_constructor:
        return "bad_constructor";
    case RejectReason::bad_recursor:
        return "bad_recursor";
    case RejectReason::bad_quotient:
        return "bad_quotient";
    case RejectReason::bad_block:
        return "bad_block";
    }
    return "unknown";
}

} // namespace leanhost::kernel
