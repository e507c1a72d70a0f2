#pragma once

#include "kernel/environment.hpp"

namespace leanhost::kernel {

/// What a built-in rule computes. Its bit says that the rule may be used.
enum class NatCall : std::uint8_t {
    add,
    sub,
    mul,
    pow,
    div,
    mod,
    gcd,
    beq,
    ble,
    land,
    lor,
    xor_,
    shift_left,
    shift_right,
    log2,
    none
};

inline constexpr std::uint32_t nat_literals = 1;

constexpr std::uint32_t builtin_bit(NatCall call) {
    return std::uint32_t{2} << static_cast<unsigned>(call);
}

/// The operation of that name, or `none`.
NatCall nat_call(const KernelNames& known, NameId name);

} // namespace leanhost::kernel
