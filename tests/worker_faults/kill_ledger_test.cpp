// kill -9 at random moments under many clients, with a ledger that is written before and after each
// request: each was answered once and rightly, or failed with an error that says where it was.
//
// LEANHOST_KILL_REQUESTS says how many requests there are (300).
#include "worker_faults/fault_fixture.hpp"

#include <csignal>
#include <cstdlib>
#include <map>
#include <random>

namespace leanhost::test {
namespace {

using namespace std::chrono_literals;
using testing::AnyOf;

std::size_t number_of_requests() {
    const char* const wanted = std::getenv("LEANHOST_KILL_REQUESTS");
    return wanted == nullptr ? 300 : std::stoul(wanted);
}

constexpr std::size_t num_names = 2000;

// Each has its predecessor as its type, so that no two rows are alike.
std::string name_at(std::size_t index) {
    return "L.declaration_" + std::to_string(index);
}
std::string type_at(std::size_t index) {
    return index == 0 ? "Prop" : name_at(index - 1);
}

// What a request asks for: a run of names, some of which are not there.
struct Question {
    std::size_t first;
    std::size_t count;

    bool is_there(std::size_t index) const { return index % 7 != 3; }
    std::vector<Name> names() const {
        std::vector<Name> names;
        for (std::size_t i = first; i < first + count; ++i)
            names.emplace_back(is_there(i) ? name_at(i) : "Nobody");
        return names;
    }
};

// One line of the ledger.
struct Entry {
    Question question{};
    int begun = 0; ///< times
    int ended = 0;
    std::optional<std::uint64_t> checksum = std::nullopt; ///< of the rows, when it was answered
    std::optional<Error> error = std::nullopt;
};

// Over all that a row says, in order.
std::uint64_t checksum_of(const DeclarationRows& rows) {
    std::uint64_t sum = 7;
    const auto mix = [&](std::uint64_t value) { sum = (sum ^ value) * 0x100000001B3ULL; };
    for (const DeclarationRow& row : rows) {
        mix(row ? 1 : 0);
        if (!row)
            continue;
        mix(static_cast<std::uint64_t>(row->kind));
        mix(std::hash<std::string_view>()(row->module));
        mix(std::hash<std::string>()(row->type));
    }
    return sum;
}

// What the rows must be, without asking any child.
std::uint64_t expected_checksum(const Question& question) {
    std::vector<DeclarationRow> rows;
    for (std::size_t i = question.first; i < question.first + question.count; ++i) {
        rows.emplace_back();
        if (!question.is_there(i))
            continue;
        rows.back().emplace();
        rows.back()->module = "L";
        rows.back()->kind = DeclarationKind::axiom;
        rows.back()->type = type_at(i);
    }
    return checksum_of({std::move(rows), nullptr});
}

// Kills one of the live children, templates too but seldom, at random moments until it is stopped.
class Killer {
public:
    // Kills at random moments, but no faster than `answered` grows: on a slow machine, or under a
    // sanitizer, nothing would be answered otherwise.
    Killer(std::string mark, std::uint32_t seed, const std::atomic<std::size_t>& answered)
        : answered_(answered), thread_([this, mark = std::move(mark), seed] { run(mark, seed); }) {}
    Killer(const Killer&) = delete;
    Killer& operator=(const Killer&) = delete;
    ~Killer() { stop(); }
    void stop() {
        is_stopped_ = true;
        if (thread_.joinable())
            thread_.join();
    }
    std::size_t kills() const { return kills_; }

private:
    void run(const std::string& mark, std::uint32_t seed) {
        std::mt19937 random(seed);
        std::size_t wait_for = 1;
        while (!is_stopped_) {
            std::this_thread::sleep_for(std::chrono::microseconds(random() % 20'000));
            if (answered_ < wait_for)
                continue;
            wait_for = answered_ + 1 + random() % 3;
            std::vector<ProcessLine> processes = processes_with(mark);
            std::erase_if(processes, [&](const ProcessLine& process) {
                const bool is_template = process.parent == ::getpid() &&
                                         process.command.find("--template") != std::string::npos;
                return process.state == 'Z' || (is_template && random() % 16 != 0);
            });
            if (processes.empty())
                continue;
            const ProcessLine& victim = processes[random() % processes.size()];
            kills_ += ::kill(victim.pid, SIGKILL) == 0 ? 1 : 0;
        }
    }

    const std::atomic<std::size_t>& answered_;
    std::atomic<bool> is_stopped_ = false;
    std::atomic<std::size_t> kills_ = 0;
    std::thread thread_;
};

class KillLedger : public FaultFixture, public testing::WithParamInterface<bool> {
protected:
    KillLedger() {
        ModuleMaker maker("L");
        for (std::size_t i = 0; i < num_names; ++i)
            maker.add_axiom(name_at(i), i == 0 ? maker.prop() : maker.constant(name_at(i - 1)));
        std::move(maker).write(folder.path());
    }

    static std::vector<Entry> questions(std::size_t count) {
        std::mt19937 random(20'240'601);
        std::vector<Entry> ledger(count);
        for (Entry& entry : ledger) {
            entry.question.first = random() % (num_names / 2);
            entry.question.count = 1 + random() % (num_names / 2);
        }
        return ledger;
    }

    // As many children live afterwards as may: before and after a test are comparable.
    static void lease_all(WorkerPool& pool) {
        std::vector<WorkerLease> leases;
        while (leases.size() < pool.snapshot().max_workers) {
            auto lease = pool.acquire({"L"});
            ASSERT_TRUE(lease) << lease.error().message();
            leases.push_back(*std::move(lease));
        }
    }

    void answer(WorkerPool& pool, Entry& entry) {
        ++entry.begun;
        DeclarationFields fields;
        fields.type = true;
        const auto lease = pool.acquire({"L"});
        if (!lease) {
            entry.error = lease.error();
        } else if (const auto rows = (*lease)->query_declarations(entry.question.names(), fields)) {
            entry.checksum = checksum_of(*rows);
            ++answered_;
        } else {
            entry.error = rows.error();
        }
        ++entry.ended;
    }

    // Several clients take one question after the other, no faster than children are killed: one
    // for thirty questions, whatever else the machine does.
    void answer_all(WorkerPool& pool, std::vector<Entry>& ledger, const Killer* killer = nullptr) {
        std::atomic<std::size_t> next = 0;
        std::vector<std::thread> clients;
        for (int i = 0; i < 6; ++i) {
            clients.emplace_back([&] {
                for (std::size_t at = next++; at < ledger.size(); at = next++) {
                    if (killer != nullptr)
                        comes_true(5s, [&] { return killer->kills() >= at / 30; });
                    answer(pool, ledger[at]);
                }
            });
        }
        for (std::thread& client : clients)
            client.join();
    }

    // How many were answered; the test fails for each entry that is not as it should be.
    static std::size_t check(const std::vector<Entry>& ledger) {
        std::size_t answered = 0;
        std::map<std::string, std::size_t> errors;
        for (const Entry& entry : ledger) {
            EXPECT_EQ(entry.begun, 1);
            EXPECT_EQ(entry.ended, 1);
            EXPECT_NE(entry.checksum.has_value(), entry.error.has_value());
            if (entry.checksum) {
                ++answered;
                EXPECT_EQ(*entry.checksum, expected_checksum(entry.question));
                continue;
            }
            ++errors[std::string(entry.error->id())];
            EXPECT_THAT(entry.error->code(),
                        AnyOf(ErrorCode::child_exited, ErrorCode::restart_limit,
                              ErrorCode::admission_refused))
                << entry.error->message();
            EXPECT_NE(entry.error->find_fact("work_entered_child"), nullptr)
                << "it does not say whether the work entered a child: " << entry.error->message();
        }
        for (const auto& [id, count] : errors)
            std::cout << "  " << id << ": " << count << '\n';
        return answered;
    }

    std::atomic<std::size_t> answered_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Births, KillLedger, testing::Bool(), [](const auto& one) {
    return std::string(one.param ? "forked" : "started");
});

TEST_P(KillLedger, EachRequestIsAnsweredOnceOrFailsTyped) {
    WorkerPoolOptions with = real_options(GetParam());
    with.worker.max_unplanned_restarts = 4096; // of one key, and all its children are killed here
    with.max_workers = 4;
    with.max_wait = 20s;
    WorkerPool pool = make(with);
    std::vector<Entry> ledger = questions(number_of_requests());
    lease_all(pool);
    const std::size_t descriptors_before = open_descriptors();
    const std::uint64_t bytes_before = own_anonymous_bytes();

    Killer killer(folder.path(), 7, answered_);
    answer_all(pool, ledger, &killer);
    killer.stop();

    const std::size_t answered = check(ledger);
    std::cout << "  answered: " << answered << " of " << ledger.size()
              << "; killed: " << killer.kills() << "; generations: " << pool.snapshot().generations
              << '\n';
    EXPECT_GT(answered, ledger.size() / 4) << "too few were answered to say anything";
    EXPECT_GE(killer.kills(), (ledger.size() - 1) / 30)
        << "a control: too few were killed to say anything";
    EXPECT_GT(pool.snapshot().ended_by_reason["child_exited"], 0U);

    // Quiet again: all is served, and nothing has piled up.
    std::vector<Entry> quiet = questions(20);
    comes_true(10s, [&] { return pool.acquire({"L"}).has_value(); });
    answer_all(pool, quiet);
    EXPECT_EQ(check(quiet), quiet.size());
    lease_all(pool);
    EXPECT_TRUE(comes_true(2s, [&] { return open_descriptors() <= descriptors_before; }))
        << open_descriptors() << " descriptors, " << descriptors_before << " before";
    EXPECT_LT(own_anonymous_bytes(), bytes_before + (8U << 20));
    for (const ProcessLine& process : processes_with(folder.path()))
        EXPECT_NE(process.state, 'Z') << process;
}

// A control: with rows of another question the ledger does not balance.
TEST_P(KillLedger, SeesWrongRows) {
    WorkerPool pool = make(real_options(GetParam()));
    Entry entry{.question = {.first = 10, .count = 20}};
    answer(pool, entry);
    ASSERT_TRUE(entry.checksum) << entry.error->message();
    EXPECT_EQ(*entry.checksum, expected_checksum(entry.question));
    EXPECT_NE(*entry.checksum, expected_checksum({.first = 11, .count = 20}));
    EXPECT_NE(*entry.checksum, expected_checksum({.first = 10, .count = 19}));
}

} // namespace
} // namespace leanhost::test
