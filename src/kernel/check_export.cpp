#include "kernel/check_export.hpp"

#include "base/large_stack.hpp"
#include "kernel/checker.hpp"
#include "kernel/export_loader.hpp"
#include "module/lean4export/export_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace leanhost::kernel {
namespace {

constexpr std::size_t stack_bytes = std::size_t{1} << 30;
// What is left for functions that do not look, and for what an exception needs.
constexpr std::size_t stack_reserve_bytes = std::size_t{1} << 18;

// Slots for the terms of an export of that size, at the length that lines have: growing the table
// later costs more than the rest of the reading.
std::uint32_t table_slots(const std::filesystem::path& path) {
    constexpr std::uint64_t least_slots = 1U << 10U;
    constexpr std::uint64_t most_slots = 1U << 24U;
    constexpr std::uint64_t bytes_of_a_line = 68;
    std::error_code error;
    const auto bytes = std::filesystem::file_size(path, error);
    if (error)
        return least_slots;
    return static_cast<std::uint32_t>(std::bit_ceil(
        std::clamp<std::uint64_t>(bytes / bytes_of_a_line * 8 / 5, least_slots, most_slots)));
}

/// Ends the reading: a declaration was not accepted.
struct Ended {};

class ExportCheck {
public:
    ExportCheck(const std::filesystem::path& path, const CheckOptions& options, Monitor& monitor)
        : options_(options), monitor_(monitor), known_(names_), arena_(0, table_slots(path)),
          store_(arena_), checker_(environment_, names_, known_, arena_, limits(options)),
          loader_(store_, names_, [this](Declaration& d) { take(d); }) {
        const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
        checker_.types().set_stack_limit(here - stack_bytes + stack_reserve_bytes);
        checker_.types().set_token(monitor.token());
    }

    ExportReport run(const std::filesystem::path& path) {
        try {
            report_.read_bytes = module::lean4export::read_export(path, loader_, monitor_).bytes;
        } catch (const Ended&) {
            // The verdict says why.
        } catch (const Failure& failure) {
            const ErrorCode code = failure.error().code();
            if (code != ErrorCode::deep_recursion && code != ErrorCode::unsupported)
                throw;
            report_.verdict = {Outcome::declined, std::string(failure.error().id()),
                               failure.error().message(), "reading"};
        }
        report_.lean_version = loader_.export_meta().lean_version;
        report_.format_version = loader_.export_meta().format_version;
        report_.heartbeats = checker_.types().total_heartbeats();
        report_.persistent_bytes = arena_.bytes() + names_.bytes();
        report_.index_bytes = loader_.bytes() + environment_.bytes();
        return std::move(report_);
    }

private:
    static Limits limits(const CheckOptions& options) {
        return {options.max_heartbeats, static_cast<std::size_t>(options.max_memory_bytes),
                options.keep_scratch_bytes};
    }

    void take(Declaration& declaration) {
        const auto ordinal = static_cast<Ordinal>(++num_read_);
        report_.verdict = checker_.check(declaration, ordinal);
        if (report_.verdict.outcome == Outcome::accepted)
            check_policy(declaration);
        report_.peak_scratch_bytes =
            std::max(report_.peak_scratch_bytes, checker_.types().scratch_bytes());
        if (report_.verdict.outcome != Outcome::accepted) {
            report_.declaration = names_.text(declaration.constants.front().name);
            throw Ended{};
        }
        add(declaration, ordinal);
    }

    void check_policy(const Declaration& declaration) {
        const ConstantInfo& info = declaration.constants.front();
        if (info.kind != ConstantKind::axiom)
            return;
        const std::string name = names_.text(info.name);
        report_.axioms.push_back(name);
        const auto* const allowed = options_.allowed_axioms;
        if (allowed != nullptr &&
            std::find(allowed->begin(), allowed->end(), name) == allowed->end())
            report_.verdict = {Outcome::rejected, "axiom_not_allowed",
                               fmt::format("the axiom {} is not among those allowed", name), ""};
    }

    void add(Declaration& declaration, Ordinal ordinal) {
        for (ConstantInfo& info : declaration.constants) {
            info.ordinal = ordinal;
            ++report_.constants[static_cast<std::size_t>(info.kind)];
            report_.num_unsafe += info.safety == DefinitionSafety::safe ? 0 : 1;
            environment_.add(
                info, info.facts == ConstantInfo::none ? nullptr : &declaration.facts[info.facts]);
        }
        ++report_.num_declarations;
        for (const ConstantInfo& info : declaration.constants)
            checker_.types().learn_builtin(info);
    }

    const CheckOptions& options_;
    Monitor& monitor_;
    NameTable names_;
    KernelNames known_;
    Environment environment_;
    TermArena arena_;
    TermStore store_;
    Checker checker_;
    ExportLoader loader_;
    ExportReport report_;
    std::uint64_t num_read_ = 0;
};

} // namespace

ExportReport
check_export(const std::filesystem::path& path, const CheckOptions& options, Monitor& monitor) {
    return run_on_large_stack(stack_bytes, [&] {
        ExportCheck check(path, options, monitor);
        return check.run(path);
    });
}

} // namespace leanhost::kernel
