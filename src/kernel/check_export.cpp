#include "kernel/check_export.hpp"

#include "kernel/export_check.hpp"
#include "kernel/parallel_check.hpp"

#include <algorithm>

namespace leanhost::kernel {
namespace {

/// Each declaration is checked when it has been read.
class SerialCheck final : public ExportCheck {
public:
    SerialCheck(const std::filesystem::path& path,
                const CheckOptions& options,
                Monitor& monitor,
                std::uintptr_t stack_limit)
        : ExportCheck(path, options, monitor),
          checker_(environment_, names_, known_, arena_, limits_of(options)) {
        checker_.types().set_stack_limit(stack_limit);
        checker_.types().set_token(monitor.token());
    }

private:
    void take(Declaration& declaration) override {
        const Ordinal ordinal = ++num_read_;
        require_memory();
        TypeChecker& types = checker_.types();
        if (options_.max_memory_bytes != 0)
            types.set_max_scratch_bytes(bytes_left());
        Verdict verdict = check(checker_, declaration, ordinal);
        report_.peak_scratch_bytes = types.peak_scratch_bytes();
        report_.peak_bytes = std::max(report_.peak_bytes, read_bytes() + types.scratch_bytes());
        if (verdict.kind != VerdictKind::accepted) {
            end_at(declaration, std::move(verdict));
            throw Ended{};
        }
        add(declaration, ordinal);
        settle(declaration);
        for (const ConstantInfo& info : declaration.declared())
            checker_.types().learn_builtin(*environment_.find(info.name), ordinal + 1);
    }
    void finish() override { report_.heartbeats = checker_.types().total_heartbeats(); }

    Checker checker_;
    Ordinal num_read_ = 0;
};

} // namespace

ExportReport
check_export(const std::filesystem::path& path, const CheckOptions& options, Monitor& monitor) {
    return run_on_check_stack(
        [&](std::uintptr_t stack_limit) {
            if (options.jobs <= 1)
                return SerialCheck(path, options, monitor, stack_limit).run(path);
            return check_in_parallel(path, options, monitor, stack_limit);
        },
        options.stack_bytes);
}

} // namespace leanhost::kernel
