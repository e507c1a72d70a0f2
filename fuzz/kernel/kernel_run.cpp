#include "fuzz/kernel/kernel_run.hpp"

#include "base/failure.hpp"

#include <cstdio>
#include <cstdlib>

namespace leanhost::fuzz {

using kernel::Declaration;

namespace {

struct Ended {};

thread_local std::size_t stack_bytes = std::size_t{4} << 20;

kernel::Limits limits() {
    return {max_heartbeats, max_scratch_bytes, std::size_t{384} << 10};
}

bool is_closed(const kernel::TermStore& store, const Declaration& declaration) {
    const auto closed = [&](kernel::Term term) {
        return term == kernel::no_term || store[term].loose == 0;
    };
    for (const kernel::ConstantInfo& info : declaration.constants) {
        if (!closed(info.type) || !closed(info.value))
            return false;
    }
    for (const kernel::InductiveFacts& facts : declaration.facts) {
        for (const kernel::RecursorRule& rule : facts.rules) {
            if (!closed(rule.rhs))
                return false;
        }
    }
    return true;
}

} // namespace

void set_stack_bytes(std::size_t bytes) {
    stack_bytes = bytes;
}

KernelRun::KernelRun(const ExportModel& model)
    : known_(names_), arena_(0, 1024), store_(arena_),
      loader_(store_, names_, 0, [this](Declaration& declaration) { take(declaration); }),
      checker_(environment_, names_, known_, arena_, limits()) {
    constexpr std::size_t reserve_bytes = std::size_t{256} << 10;
    const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    checker_.types().set_stack_limit(here - stack_bytes + reserve_bytes);
    try {
        model.tell(loader_);
        verdict_ = acceptance();
    } catch (const Ended&) {
        // The verdict is there.
    } catch (const module::lean4export::BadLine&) {
        // No export.
    } catch (const Failure& failure) {
        const ErrorCode code = failure.error().code();
        if (code != ErrorCode::deep_recursion && code != ErrorCode::unsupported) {
            std::fprintf(stderr, "the kernel failed: %s\n", failure.what());
            std::abort();
        }
        verdict_ = refusal(VerdictKind::declined, std::string(failure.error().id()), "");
    }
}

void KernelRun::take(Declaration& declaration) {
    const kernel::Ordinal ordinal = ++num_read_;
    Verdict verdict = checker_.check(declaration, ordinal);
    if (verdict.kind != VerdictKind::accepted) {
        verdict_ = std::move(verdict);
        refused_ = std::make_unique<Declaration>(declaration);
        throw Ended{};
    }
    if (!is_closed(store_, declaration)) {
        std::fprintf(stderr, "accepted: a declaration with loose variables\n");
        std::abort();
    }
    ++num_accepted_;
    for (kernel::ConstantInfo info : declaration.constants) {
        info.ordinal = ordinal;
        environment_.add(info, info.facts == kernel::ConstantInfo::none
                                   ? nullptr
                                   : &declaration.facts[info.facts]);
    }
    for (const kernel::ConstantInfo& info : declaration.constants)
        checker_.types().learn_builtin(*environment_.find(info.name), ordinal + 1);
}

void KernelRun::begin_questions() {
    checker_.types().begin_declaration(num_read_ + 1, kernel::no_levels,
                                       kernel::DefinitionSafety::safe);
}

} // namespace leanhost::fuzz
