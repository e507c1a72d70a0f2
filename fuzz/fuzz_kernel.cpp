// Exports, changed in what they say and not in their bytes: the kernel must not fail on any of
// them, and must accept nothing from which False follows. See fuzz/kernel/examine.hpp.

#include "fuzz/kernel/examine.hpp"
#include "fuzz/kernel/export_mutator.hpp"
#include "fuzz/kernel/kernel_run.hpp"
#include "fuzz/kernel/restate.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace leanhost;

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

std::string_view view(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

// 0: it does not fit.
std::size_t write(const fuzz::ExportModel& model, std::uint8_t* out, std::size_t max_size) {
    const std::string text = model.text();
    if (text.size() > max_size)
        return 0;
    std::memcpy(out, text.data(), text.size());
    return text.size();
}

} // namespace

extern "C" std::size_t
LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed) {
    auto model = fuzz::ExportModel::parse(view(data, size));
    if (!model)
        return LLVMFuzzerMutate(data, size, max_size);
    fuzz::ExportMutator mutator(seed);
    mutator.mutate(*model);
    if (seed % 2 == 0)
        fuzz::restate_refused_block(*model);
    const std::size_t written = write(*model, data, max_size);
    return written != 0 ? written : size;
}

extern "C" std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* data1,
                                                 std::size_t size1,
                                                 const std::uint8_t* data2,
                                                 std::size_t size2,
                                                 std::uint8_t* out,
                                                 std::size_t max_out_size,
                                                 unsigned seed) {
    auto model = fuzz::ExportModel::parse(view(data1, size1));
    const auto other = fuzz::ExportModel::parse(view(data2, size2));
    if (!model || !other)
        return 0;
    fuzz::ExportMutator(seed).cross(*model, *other);
    return write(*model, out, max_out_size);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto model = fuzz::ExportModel::parse(view(data, size));
    if (!model)
        return -1; // not for the corpus
    const std::string problem = fuzz::examine(*model, static_cast<unsigned>(size) + 1).problem;
    if (!problem.empty()) {
        std::fprintf(stderr, "%s\n", problem.c_str());
        std::abort();
    }
    return 0;
}
