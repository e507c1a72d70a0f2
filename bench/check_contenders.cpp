// Runs checkers of exports against each other: any program that takes an export and says with its
// exit status what became of it (0 accepted, 1 rejected, 2 declined).
//
//   check_contenders [--rounds N] [--seed N] [--expect STATUS] [--runs] CONTENDER... -- FILE...
//
// A contender is NAME=COMMAND: words divided by blanks, in which {} is the file and {stem} its name
// without folder and ending. Without either the file is its standard input. Each contender's answer
// is compared with the expectation first; then all run in a new random order in each round, and the
// first is what the others are compared with, pair by pair.
#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <random>
#include <string>
#include <vector>

extern char** environ; // NOLINT

namespace {

struct Run {
    double wall_ms = 0;
    double cpu_ms = 0;
    double peak_mib = 0;
    int status = -1; ///< the exit status; 128 + its number after a signal
};

struct Contender {
    std::string name;
    std::vector<std::string> words;
};

struct Plan {
    unsigned rounds = 9;
    unsigned seed = 1;
    int expected = 0;
    bool shows_runs = false;
    std::vector<Contender> contenders;
    std::vector<std::string> files;
};

[[noreturn]] void fail(const std::string& what) {
    std::fprintf(stderr, "check_contenders: %s\n", what.c_str());
    std::exit(3); // NOLINT(concurrency-mt-unsafe)
}

std::string stem_of(const std::string& file) {
    const std::size_t slash = file.rfind('/');
    const std::string name = slash == std::string::npos ? file : file.substr(slash + 1);
    return name.substr(0, name.rfind('.'));
}

bool replace(std::string& word, const std::string& mark, const std::string& by) {
    const std::size_t at = word.find(mark);
    if (at != std::string::npos)
        word.replace(at, mark.size(), by);
    return at != std::string::npos;
}

double ms_of(const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
}

Run run_once(const Contender& contender, const std::string& file) {
    std::vector<std::string> words = contender.words;
    bool names_file = false;
    for (std::string& word : words) {
        names_file = replace(word, "{}", file) || names_file;
        names_file = replace(word, "{stem}", stem_of(file)) || names_file;
    }
    std::vector<char*> argv;
    for (std::string& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, names_file ? "/dev/null" : file.c_str(), O_RDONLY,
                                     0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    const auto start = std::chrono::steady_clock::now();
    pid_t child = 0;
    if (posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ) != 0)
        fail("cannot run " + words[0]);
    int status = 0;
    rusage usage{};
    wait4(child, &status, 0, &usage);
    const std::chrono::duration<double, std::milli> wall = std::chrono::steady_clock::now() - start;
    posix_spawn_file_actions_destroy(&actions);
    return {wall.count(), ms_of(usage.ru_utime) + ms_of(usage.ru_stime),
            static_cast<double>(usage.ru_maxrss) / 1024,
            WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)};
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const std::size_t half = values.size() / 2;
    return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

template <class F>
double median_of(const std::vector<Run>& runs, F&& value) {
    std::vector<double> values;
    for (const Run& run : runs)
        values.push_back(value(run));
    return median(std::move(values));
}

// A contender with another answer is left out: its time would mean nothing.
std::vector<std::size_t> with_expected_answer(const Plan& plan, const std::string& file) {
    std::vector<std::size_t> result;
    for (std::size_t i = 0; i < plan.contenders.size(); ++i) {
        const int status = run_once(plan.contenders[i], file).status;
        if (status == plan.expected)
            result.push_back(i);
        else
            std::printf("  %-16s answers %d where %d is expected: not timed\n",
                        plan.contenders[i].name.c_str(), status, plan.expected);
    }
    return result;
}

void print_medians(const Plan& plan,
                   const std::vector<std::size_t>& order,
                   const std::vector<std::vector<Run>>& runs) {
    const auto wall = [](const Run& run) { return run.wall_ms; };
    const auto cpu = [](const Run& run) { return run.cpu_ms; };
    const auto peak = [](const Run& run) { return run.peak_mib; };
    const std::size_t first = order.front();
    for (const std::size_t i : order) {
        std::vector<double> ratios;
        for (std::size_t round = 0; round < runs[i].size(); ++round)
            ratios.push_back(runs[first][round].wall_ms / runs[i][round].wall_ms);
        std::printf("  %-16s wall %9.2f ms  cpu %9.2f ms  peak %8.2f MiB", // one line each
                    plan.contenders[i].name.c_str(), median_of(runs[i], wall),
                    median_of(runs[i], cpu), median_of(runs[i], peak));
        if (i != first)
            std::printf("  | %s takes x %.3f of its wall (x %.3f cpu), x %.3f of its peak",
                        plan.contenders[first].name.c_str(), median(ratios),
                        median_of(runs[first], cpu) / std::max(median_of(runs[i], cpu), 1e-3),
                        median_of(runs[first], peak) / median_of(runs[i], peak));
        std::printf("\n");
    }
}

bool measure(const Plan& plan, const std::string& file, std::mt19937& random) {
    std::printf("%s\n", file.c_str());
    const std::vector<std::size_t> ready = with_expected_answer(plan, file);
    std::vector<std::vector<Run>> runs(plan.contenders.size());
    std::vector<std::size_t> order = ready;
    for (unsigned round = 0; round < plan.rounds; ++round) {
        std::shuffle(order.begin(), order.end(), random);
        for (const std::size_t i : order) {
            const Run run = run_once(plan.contenders[i], file);
            runs[i].push_back(run);
            if (plan.shows_runs)
                std::printf("    round %2u %-16s wall %9.2f ms  cpu %9.2f ms  peak %8.2f MiB\n",
                            round + 1, plan.contenders[i].name.c_str(), run.wall_ms, run.cpu_ms,
                            run.peak_mib);
        }
    }
    if (!ready.empty())
        print_medians(plan, ready, runs);
    std::fflush(stdout);
    return ready.size() == plan.contenders.size();
}

Contender contender_of(const std::string& text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos)
        fail("a contender is NAME=COMMAND, not " + text);
    Contender result{text.substr(0, equals), {}};
    for (std::size_t at = equals + 1; at < text.size();) {
        const std::size_t end = std::min(text.find(' ', at), text.size());
        if (end > at)
            result.words.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    if (result.words.empty())
        fail("a contender without a command: " + text);
    return result;
}

Plan plan_of(int argc, char** argv) {
    Plan plan;
    int i = 1;
    const auto number = [&] {
        if (i + 1 >= argc)
            fail(std::string("a number is expected behind ") + argv[i]);
        return std::atoi(argv[++i]); // NOLINT
    };
    for (; i < argc && std::strcmp(argv[i], "--") != 0; ++i) {
        const std::string word = argv[i];
        if (word == "--rounds")
            plan.rounds = static_cast<unsigned>(std::max(1, number()));
        else if (word == "--seed")
            plan.seed = static_cast<unsigned>(number());
        else if (word == "--expect")
            plan.expected = number();
        else if (word == "--runs")
            plan.shows_runs = true;
        else
            plan.contenders.push_back(contender_of(word));
    }
    for (++i; i < argc; ++i)
        plan.files.emplace_back(argv[i]);
    if (plan.contenders.empty() || plan.files.empty())
        fail("[--rounds N] [--seed N] [--expect STATUS] [--runs] NAME=COMMAND... -- FILE...");
    return plan;
}

} // namespace

int main(int argc, char** argv) {
    const Plan plan = plan_of(argc, argv);
    std::mt19937 random(plan.seed);
    bool all_agree = true;
    for (const std::string& file : plan.files)
        all_agree = measure(plan, file, random) && all_agree;
    rusage own{};
    getrusage(RUSAGE_SELF, &own);
    std::printf("a peak cannot read below this program's own: %.2f MiB\n",
                static_cast<double>(own.ru_maxrss) / 1024);
    return all_agree ? 0 : 1;
}
