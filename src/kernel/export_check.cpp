#include "kernel/export_check.hpp"

#include "kernel/lean_axioms.hpp"
#include "module/lean4export/export_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>

namespace leanhost::kernel {
namespace {

// How many terms an export of that size has, at the length that lines have. What would grow with
// them is made as large at once: growing costs as much again as filling.
std::size_t expected_terms(const std::filesystem::path& path, const CheckOptions& options) {
    constexpr std::uint64_t memory_for_a_term = 128;
    constexpr std::uint64_t bytes_of_a_line = 56;
    std::uint64_t most_terms = std::uint64_t{1} << 24;
    if (options.max_memory_bytes != 0)
        most_terms = std::min(most_terms, options.max_memory_bytes / memory_for_a_term);
    std::error_code error;
    const auto bytes = std::filesystem::file_size(path, error);
    return error ? 0 : static_cast<std::size_t>(std::min(bytes / bytes_of_a_line, most_terms));
}

std::uint32_t table_slots(std::size_t terms) {
    constexpr std::size_t least_slots = 1U << 10U;
    return static_cast<std::uint32_t>(std::bit_ceil(std::max(terms * 3 / 2, least_slots)));
}

} // namespace

ExportCheck::ExportCheck(const std::filesystem::path& path,
                         const CheckOptions& options,
                         Monitor& monitor)
    : options_(options), monitor_(monitor), known_(names_),
      arena_(0, table_slots(expected_terms(path, options)), expected_terms(path, options)),
      store_(arena_),
      loader_(store_, names_, expected_terms(path, options), [this](Declaration& d) { take(d); }) {
    if (options.max_memory_bytes == 0)
        return;
    arena_.set_max_bytes(options.max_memory_bytes);
    names_.set_max_bytes(options.max_memory_bytes);
    loader_.set_meter([this] { require_memory(); });
}

ExportReport ExportCheck::run(const std::filesystem::path& path) {
    const auto began = std::chrono::steady_clock::now();
    report_.verdict = acceptance(); // until a declaration is not
    try {
        work_through(path);
    } catch (const Ended&) {
        // The verdict says why.
    } catch (const Failure& failure) {
        const ErrorCode code = failure.error().code();
        if (code != ErrorCode::deep_recursion && code != ErrorCode::unsupported &&
            code != ErrorCode::resource_exhausted)
            throw;
        report_.verdict = refusal(VerdictKind::declined, std::string(failure.error().id()),
                                  failure.error().message(), "reading");
    }
    finish();
    report_.unlisted_axioms = unlisted_axioms_.all();
    if (report_.verdict.kind == VerdictKind::accepted && !unlisted_axioms_.empty()) {
        report_.declaration = unlisted_axioms_.all().front().declarations.front();
        report_.verdict = unlisted_axioms_.verdict();
    }
    report_.lean_version = loader_.export_meta().lean_version;
    report_.format_version = loader_.export_meta().format_version;
    report_.reading_bytes = read_bytes();
    report_.peak_bytes = std::max(report_.peak_bytes, report_.reading_bytes + scratch_at_end());
    report_.wall_time = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - began);
    report_.persistent_bytes = arena_.bytes() + names_.bytes();
    report_.index_bytes = loader_.bytes() + environment_.bytes() + axiom_use_.bytes();
    return std::move(report_);
}

void ExportCheck::look_at_axioms(const Declaration& declaration) {
    const ConstantInfo& info = declaration.declared().front();
    const std::vector<NameId>& axioms = axiom_use_.axioms(axiom_use_.add(declaration));
    const std::string name = names_.text(info.name);
    std::vector<std::string> texts;
    for (const NameId axiom : axioms)
        texts.push_back(exact_text(axiom));
    if (options_.on_axioms)
        options_.on_axioms(name, texts);
    if (info.kind == ConstantKind::axiom) {
        if (options_.allowed_axioms)
            look_at_statement(info.name);
        return;
    }
    for (const std::string& axiom : texts)
        unlisted_axioms_.add(axiom, name);
}

// Of an axiom that was added just now.
void ExportCheck::look_at_statement(NameId axiom) {
    if (axiom != known_.propext && axiom != known_.quot_sound && axiom != known_.choice)
        return;
    TypeChecker types(environment_, names_, known_, arena_, {});
    types.begin_declaration(std::numeric_limits<Ordinal>::max(), no_levels, DefinitionSafety::safe);
    const std::vector<NameId> misstated = misstated_axioms(types);
    if (std::find(misstated.begin(), misstated.end(), axiom) != misstated.end())
        unlisted_axioms_.disallow(exact_text(axiom));
}

bool ExportCheck::is_closed(const Declaration& declaration) const {
    const auto closed_constant = [this](const ConstantInfo& info) {
        return is_closed(info.type) && is_closed(info.value);
    };
    const auto closed_rules = [this](const InductiveFacts& facts) {
        return std::all_of(facts.rules.begin(), facts.rules.end(),
                           [this](const RecursorRule& rule) { return is_closed(rule.rhs); });
    };
    return std::all_of(declaration.constants.begin(), declaration.constants.end(),
                       closed_constant) &&
           std::all_of(declaration.facts.begin(), declaration.facts.end(), closed_rules);
}

void ExportCheck::add(const Declaration& declaration, Ordinal ordinal) {
    if (!is_closed(declaration))
        return;
    for (ConstantInfo info : declaration.declared()) {
        if (environment_.find(info.name) != nullptr)
            continue;
        info.ordinal = ordinal;
        environment_.add(info, info.facts == ConstantInfo::none ? nullptr
                                                                : &declaration.facts[info.facts]);
    }
}

void ExportCheck::require_memory() {
    if (options_.max_memory_bytes != 0 && read_bytes() > options_.max_memory_bytes)
        fail(ErrorCode::resource_exhausted,
             fmt::format("what was read takes more than the {} bytes of memory allowed",
                         options_.max_memory_bytes));
}

Verdict
ExportCheck::check(Checker& checker, const Declaration& declaration, Ordinal ordinal) const {
    Verdict verdict = checker.check(declaration, ordinal);
    if (verdict.kind == VerdictKind::accepted && !is_closed(declaration))
        return refusal(VerdictKind::rejected, reject_reason_id(RejectReason::loose_bound_variable),
                       "a bound variable that nothing binds");
    return verdict;
}

void ExportCheck::read(const std::filesystem::path& path) {
    report_.read_bytes = module::lean4export::read_export(path, loader_, monitor_).bytes;
    loader_.finish();
}

} // namespace leanhost::kernel
