#include "kernel/big_integer.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <thread>

namespace leanhost::kernel {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

void take_a_second(mpz_ptr result, mpz_srcptr a, mpz_srcptr b) {
    std::this_thread::sleep_for(std::chrono::seconds(1));
    mpz_add(result, a, b);
}

TEST(BigInteger, WhatIsComputedApartIsTheSame) {
    Integer a;
    Integer b;
    mpz_ui_pow_ui(a, 3, 100'000);
    mpz_ui_pow_ui(b, 7, 30'000);
    for (const IntegerOperation operation : {mpz_mul, mpz_fdiv_q, mpz_fdiv_r, mpz_gcd}) {
        Integer expected;
        Integer result;
        operation(expected, a, b);
        compute_apart(result, a, b, operation, [] {});
        EXPECT_EQ(mpz_cmp(result, expected), 0);
    }
}

TEST(BigInteger, WhoIsToEndDoesNotWaitForIt) {
    Integer a;
    Integer b;
    Integer result;
    mpz_set_ui(a, 20);
    mpz_set_ui(b, 3);
    int looks = 0;
    const auto began = Clock::now();
    EXPECT_THROW(compute_apart(result, a, b, take_a_second,
                               [&] {
                                   if (++looks == 3)
                                       throw std::runtime_error("cancelled");
                               }),
                 std::runtime_error);
    EXPECT_LT(Clock::now() - began, milliseconds(500));
    EXPECT_EQ(mpz_sgn(static_cast<mpz_ptr>(result)), 0);
    compute_apart(result, a, b, take_a_second, [] {});
    EXPECT_EQ(mpz_get_ui(result), 23U);
}

// Those that were left still run: beyond a few, the caller does the work.
TEST(BigInteger, NoMoreThanAFewRunAtATime) {
    Integer a;
    Integer b;
    Integer result;
    int num_waited = 0;
    for (int i = 0; i < 10; ++i) {
        const auto began = Clock::now();
        EXPECT_THROW(compute_apart(result, a, b, take_a_second,
                                   [] { throw std::runtime_error("cancelled"); }),
                     std::runtime_error);
        num_waited += Clock::now() - began > milliseconds(500) ? 1 : 0;
    }
    EXPECT_GE(num_waited, 1);
    EXPECT_LE(num_waited, 3);
}

} // namespace
} // namespace leanhost::kernel
