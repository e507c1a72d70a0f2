#include "base/guard.hpp"
#include "base/unique_fd.hpp"

#include <leanhost/drain_on_signal.hpp>

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <mutex>
#include <system_error>
#include <thread>

namespace leanhost {
namespace {

constexpr std::array handled_signals{SIGTERM, SIGINT};

// What the handler may touch: no lock, no allocation.
std::atomic<int> wake_descriptor{-1};
std::atomic<int> first_signal{0};
std::atomic<int> handlers_running{0};
static_assert(std::atomic<int>::is_always_lock_free);

void wake(int descriptor) noexcept {
    const std::uint64_t one = 1;
    // Ignored on purpose: it fails only when it is full of wakes already.
    static_cast<void>(!::write(descriptor, &one, sizeof one));
}

void on_signal(int number) {
    const int error = errno;
    ++handlers_running;
    int none = 0;
    first_signal.compare_exchange_strong(none, number);
    if (const int descriptor = wake_descriptor; descriptor >= 0)
        wake(descriptor);
    --handlers_running;
    errno = error;
}

// The handlers of the signals that are not ignored; put back once, by whoever comes first.
class Handlers {
public:
    Handlers() {
        struct ::sigaction action {};
        action.sa_handler = &on_signal;
        action.sa_flags = SA_RESTART;
        ::sigemptyset(&action.sa_mask);
        for (std::size_t i = 0; i < handled_signals.size(); ++i) {
            ::sigaction(handled_signals[i], nullptr, &before_[i]);
            if (!was_ignored(i))
                ::sigaction(handled_signals[i], &action, nullptr);
        }
    }
    Handlers(const Handlers&) = delete;
    Handlers& operator=(const Handlers&) = delete;
    ~Handlers() { put_back(); }

    void put_back() noexcept {
        std::call_once(is_put_back_, [&] {
            for (std::size_t i = 0; i < handled_signals.size(); ++i) {
                if (!was_ignored(i))
                    ::sigaction(handled_signals[i], &before_[i], nullptr);
            }
        });
    }

private:
    bool was_ignored(std::size_t i) const noexcept { return before_[i].sa_handler == SIG_IGN; }

    std::array<struct ::sigaction, handled_signals.size()> before_{};
    std::once_flag is_put_back_;
};

// One in a program: the handler has nothing but globals to tell them apart by.
class OnlyOne {
public:
    OnlyOne() {
        if (is_taken_.exchange(true))
            fail(ErrorCode::invalid_argument,
                 "signals drain a pool of this program already; one at a time can be");
    }
    OnlyOne(const OnlyOne&) = delete;
    OnlyOne& operator=(const OnlyOne&) = delete;
    ~OnlyOne() { is_taken_ = false; }

private:
    static inline std::atomic<bool> is_taken_ = false;
};

UniqueFd open_event() {
    UniqueFd event(::eventfd(0, EFD_CLOEXEC));
    if (!event)
        fail(ErrorCode::resource_exhausted,
             fmt::format("eventfd: {}", std::generic_category().message(errno)));
    // Before the handlers: the first signal may come at once.
    first_signal = 0;
    wake_descriptor = event.get();
    return event;
}

} // namespace

class DrainOnSignal::Watch {
public:
    Watch(WorkerPool& pool, std::chrono::milliseconds patience)
        : pool_(pool), patience_(patience), event_(open_event()), thread_([this] { run(); }) {}
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    ~Watch() {
        handlers_.put_back();
        wake_descriptor = -1;
        while (handlers_running != 0)
            std::this_thread::yield();
        wake(event_.get());
        thread_.join();
    }

private:
    void run() {
        std::uint64_t ignored = 0;
        while (::read(event_.get(), &ignored, sizeof ignored) < 0 && errno == EINTR) {
        }
        if (first_signal == 0)
            return; // nothing came, and nothing will
        handlers_.put_back();
        static_cast<void>(guarded("drain", [&] { pool_.drain(patience_); }));
    }

    const OnlyOne only_;
    WorkerPool& pool_;
    const std::chrono::milliseconds patience_;
    const UniqueFd event_;
    Handlers handlers_;
    std::thread thread_;
};

DrainOnSignal::DrainOnSignal(std::unique_ptr<Watch> watch) noexcept : watch_(std::move(watch)) {}
DrainOnSignal::DrainOnSignal(DrainOnSignal&&) noexcept = default;
DrainOnSignal::~DrainOnSignal() = default;

Expected<DrainOnSignal> DrainOnSignal::watch(WorkerPool& pool, std::chrono::milliseconds patience) {
    return guarded("DrainOnSignal::watch",
                   [&] { return DrainOnSignal(std::make_unique<Watch>(pool, patience)); });
}

std::optional<int> DrainOnSignal::signal() const noexcept {
    const int number = first_signal;
    return number == 0 ? std::nullopt : std::optional(number);
}

} // namespace leanhost
