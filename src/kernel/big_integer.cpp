#include "kernel/big_integer.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

namespace leanhost::kernel {
namespace {

struct Job {
    Integer a;
    Integer b;
    Integer result;
    std::mutex mutex;
    std::condition_variable changed;
    bool is_done = false;
};

/// Room among the threads that run at a time, in the whole process.
class Place {
public:
    Place() noexcept : is_taken_(num_taken.fetch_add(1) < most) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() { num_taken.fetch_sub(1); }
    bool is_taken() const noexcept { return is_taken_; }

private:
    static constexpr int most = 8;
    inline static std::atomic<int> num_taken = 0;
    const bool is_taken_;
};

bool start(const std::shared_ptr<Job>& job, IntegerOperation operation) {
    auto place = std::make_shared<Place>();
    if (!place->is_taken())
        return false;
    try {
        std::thread([job, operation, place = std::move(place)] {
            operation(job->result, job->a, job->b);
            const std::lock_guard lock(job->mutex);
            job->is_done = true;
            job->changed.notify_all();
        }).detach();
        return true;
    } catch (const std::system_error&) {
        return false;
    }
}

} // namespace

void compute_apart(mpz_ptr result,
                   mpz_srcptr a,
                   mpz_srcptr b,
                   IntegerOperation operation,
                   const std::function<void()>& look) {
    constexpr auto between_looks = std::chrono::milliseconds(5);
    const auto job = std::make_shared<Job>();
    mpz_set(job->a, a);
    mpz_set(job->b, b);
    if (!start(job, operation)) {
        operation(result, a, b);
        look();
        return;
    }
    std::unique_lock lock(job->mutex);
    while (!job->changed.wait_for(lock, between_looks, [&] { return job->is_done; }))
        look();
    mpz_swap(result, job->result);
}

} // namespace leanhost::kernel
