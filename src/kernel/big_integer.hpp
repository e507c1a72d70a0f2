#pragma once

#include <gmp.h>

#include <cstddef>
#include <functional>

namespace leanhost::kernel {

/// Of a natural-number literal.
inline constexpr std::size_t max_literal_bytes = std::size_t{16} << 20;

/// A GMP integer that goes with its scope.
class Integer {
public:
    Integer() { mpz_init(value_); }
    Integer(const Integer&) = delete;
    Integer& operator=(const Integer&) = delete;
    ~Integer() { mpz_clear(value_); }
    operator mpz_ptr() noexcept { return value_; } // NOLINT: as GMP's own class has it
private:
    mpz_t value_;
};

using IntegerOperation = void (*)(mpz_ptr result, mpz_srcptr a, mpz_srcptr b);

/// `operation`, which may take seconds and cannot be interrupted, on a thread of its own and with
/// copies of its operands. Meanwhile `look` is called every few milliseconds; when it throws, so
/// does this, at once, and the thread is left to end by itself: it has nothing of the caller's.
/// Where no thread can be had, or some that were left still run, the caller's thread does the work
/// and looks afterwards.
void compute_apart(mpz_ptr result,
                   mpz_srcptr a,
                   mpz_srcptr b,
                   IntegerOperation operation,
                   const std::function<void()>& look);

} // namespace leanhost::kernel
