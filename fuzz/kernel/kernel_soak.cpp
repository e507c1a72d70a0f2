// kernel_soak COUNT SEED OUT SEEDS...: COUNT changed exports through the kernel and its oracles.
//
// Starts from the exports SEEDS (files or folders) and from changed ones that were accepted. What
// is wrong goes to OUT/problem-N.ndjson, and the run goes on; with LEANHOST_KEEP_ACCEPTED set, up
// to that many accepted ones go to OUT/accepted-N.ndjson, for other checkers to judge. Ends with 1
// if anything was wrong.

#include "base/large_stack.hpp"
#include "fuzz/kernel/examine.hpp"
#include "fuzz/kernel/export_mutator.hpp"
#include "fuzz/kernel/kernel_run.hpp"
#include "fuzz/kernel/restate.hpp"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <unordered_set>

namespace leanhost::fuzz {
namespace {

constexpr std::size_t stack_bytes_of_soak = std::size_t{256} << 20;
constexpr std::size_t most_terms = 3000;

class Soak {
public:
    Soak(std::uint64_t seed, std::filesystem::path out)
        : random_(seed), mutator_(seed), out_(std::move(out)) {
        std::filesystem::create_directories(out_);
        if (const char* const most = std::getenv("LEANHOST_KEEP_ACCEPTED"))
            most_kept_ = std::stoull(most);
    }

    void add_seeds(const std::filesystem::path& path) {
        if (!std::filesystem::is_directory(path))
            return add_seed(path);
        for (const auto& entry : std::filesystem::directory_iterator(path))
            add_seed(entry.path());
    }

    int run(std::uint64_t count) {
        const auto begin = std::chrono::steady_clock::now();
        if (seeds_.empty())
            return 2;
        for (std::uint64_t i = 1; i <= count; ++i) {
            one();
            if (i % 20'000 == 0 || i == count)
                say(i, begin);
        }
        return num_problems_ == 0 ? 0 : 1;
    }

private:
    void add_seed(const std::filesystem::path& file) {
        std::stringstream text;
        text << std::ifstream(file).rdbuf();
        auto model = ExportModel::parse(text.str());
        if (model && model->terms.size() <= most_terms)
            seeds_.push_back(std::move(*model));
    }

    void one() {
        const bool is_later = !later_.empty() && random_() % 2 == 0;
        const std::vector<ExportModel>& from = is_later ? later_ : seeds_;
        ExportModel model = from[random_() % from.size()];
        if (random_() % 32 == 0)
            mutator_.cross(model, seeds_[random_() % seeds_.size()]);
        mutator_.mutate(model);
        if (random_() % 2 == 0)
            restate_refused_block(model);
        if (model.declarations.empty())
            return;
        const Examination found = examine(model, static_cast<unsigned>(random_() % 1024) + 1);
        if (!found.problem.empty())
            keep_problem(model, found.problem);
        if (!found.verdict) {
            ++num_not_exports_;
            return;
        }
        if (found.verdict->kind == VerdictKind::accepted)
            accepted(std::move(model));
        else
            ++reasons_[found.verdict->reason];
    }

    void accepted(ExportModel model) {
        ++num_accepted_;
        const std::string text = model.text();
        if (!known_.insert(std::hash<std::string>{}(text)).second)
            return;
        // From time to time all over again: what has been changed too often says nothing any more.
        constexpr std::size_t most_later = 400;
        auto compact = ExportModel::parse(text);
        if (!compact || compact->terms.size() > most_terms)
            return;
        // Parsed again, ids are dense: others insist on that.
        if (num_kept_ < most_kept_)
            std::ofstream(out_ / fmt::format("accepted-{}.ndjson", ++num_kept_)) << compact->text();
        if (later_.size() < most_later)
            later_.push_back(std::move(*compact));
        else if (random_() % 8 == 0)
            later_[random_() % most_later] = seeds_[random_() % seeds_.size()];
        else
            later_[random_() % most_later] = std::move(*compact);
    }

    void keep_problem(const ExportModel& model, const std::string& problem) {
        ++num_problems_;
        constexpr std::uint64_t most = 200;
        if (num_problems_ > most)
            return;
        std::ofstream(out_ / fmt::format("problem-{}.ndjson", num_problems_)) << model.text();
        std::cout << fmt::format("problem {}: {}\n", num_problems_, problem) << std::flush;
    }

    void say(std::uint64_t done, std::chrono::steady_clock::time_point begin) {
        const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
        std::cout << fmt::format(
            "{} executions in {:.0f} s, {} accepted ({} different), {} no exports, "
            "{} problems;",
            done, taken.count(), num_accepted_, known_.size(), num_not_exports_, num_problems_);
        for (const auto& [reason, count] : reasons_)
            std::cout << ' ' << reason << ' ' << count;
        std::cout << '\n' << std::flush;
    }

    std::mt19937_64 random_;
    ExportMutator mutator_;
    std::filesystem::path out_;
    std::vector<ExportModel> seeds_;
    std::vector<ExportModel> later_;
    std::unordered_set<std::size_t> known_;
    std::map<std::string, std::uint64_t> reasons_;
    std::uint64_t num_accepted_ = 0;
    std::uint64_t num_not_exports_ = 0;
    std::uint64_t num_problems_ = 0;
    std::uint64_t num_kept_ = 0;
    std::uint64_t most_kept_ = 0;
};

} // namespace
} // namespace leanhost::fuzz

int main(int argc, char** argv) {
    using namespace leanhost;
    if (argc < 5) {
        std::cerr << "usage: kernel_soak COUNT SEED OUT SEEDS...\n";
        return 2;
    }
    return run_on_large_stack(fuzz::stack_bytes_of_soak, [&] {
        fuzz::set_stack_bytes(fuzz::stack_bytes_of_soak);
        fuzz::Soak soak(std::stoull(argv[2]), argv[3]);
        for (int i = 4; i < argc; ++i)
            soak.add_seeds(argv[i]);
        return soak.run(std::stoull(argv[1]));
    });
}
