// Any bytes as an export: whatever is not refused must be safe to count and to convert, and the two
// ways to take a line must agree on it.

#include "base/failure.hpp"
#include "base/unique_fd.hpp"
#include "module/lean4export/export_module.hpp"
#include "module/lean4export/export_reader.hpp"
#include "module/lean4export/export_stats.hpp"
#include "module/lean4export/fast_line.hpp"
#include "module/lean4export/json_line.hpp"
#include "module/lean4export/line_reader.hpp"
#include "module/olean_versions.hpp"
#include "module/part_validator.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace {

using namespace leanhost;
using namespace leanhost::module;
using namespace leanhost::module::lean4export;

// The whole way needs a file, for zstd and its frames; this one is in memory and used again and
// again.
const std::string& input_path() {
    static const UniqueFd file(::memfd_create("fuzz_lean4export", MFD_CLOEXEC));
    static const std::string path = "/proc/self/fd/" + std::to_string(file.get());
    return path;
}

void write_input(const std::uint8_t* data, std::size_t size) {
    const UniqueFd fd(::open(input_path().c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
    for (std::size_t done = 0; done < size;) {
        const ssize_t n = ::write(fd.get(), data + done, size - done);
        if (n <= 0)
            std::abort();
        done += static_cast<std::size_t>(n);
    }
}

[[noreturn]] void disagree(const char* what) {
    std::fprintf(stderr, "%s\n", what);
    std::abort();
}

// A hash of all that a sink is told.
class Digest final : public ExportSink {
public:
    std::uint64_t calls = 0;
    std::uint64_t value = 0;

    void meta(const ExportMeta& m) override {
        text(1, m.lean_version);
        text(1, m.lean_githash);
    }
    void name_str(Id id, Id prefix, std::string_view component) override {
        numbers(2, {id, prefix});
        text(2, component);
    }
    void name_num(Id id, Id prefix, std::uint64_t c) override { numbers(3, {id, prefix, c}); }
    void level_succ(Id id, Id of) override { numbers(4, {id, of}); }
    void level_max(Id id, Id lhs, Id rhs) override { numbers(5, {id, lhs, rhs}); }
    void level_imax(Id id, Id lhs, Id rhs) override { numbers(6, {id, lhs, rhs}); }
    void level_param(Id id, Id name) override { numbers(7, {id, name}); }
    void bvar(Id id, std::uint64_t index) override { numbers(8, {id, index}); }
    void sort(Id id, Id level) override { numbers(9, {id, level}); }
    void constant_term(Id id, Id name, const std::vector<Id>& levels) override {
        numbers(10, {id, name, levels.size()});
        for (const Id level : levels)
            numbers(10, {level});
    }
    void app(Id id, Id function, Id argument) override { numbers(11, {id, function, argument}); }
    void lam(Id id, object::BinderInfo info, Id name, Id type, Id body) override {
        numbers(12, {id, static_cast<Id>(info), name, type, body});
    }
    void forall_e(Id id, object::BinderInfo info, Id name, Id type, Id body) override {
        numbers(13, {id, static_cast<Id>(info), name, type, body});
    }
    void let_e(Id id, Id name, Id type, Id bound, Id body, bool non_dep) override {
        numbers(14, {id, name, type, bound, body, non_dep ? 1U : 0U});
    }
    void proj(Id id, Id type_name, std::uint64_t index, Id structure) override {
        numbers(15, {id, type_name, index, structure});
    }
    void nat_literal(Id id, std::string_view digits) override {
        numbers(16, {id});
        text(16, digits);
    }
    void string_literal(Id id, std::string_view string) override {
        numbers(17, {id});
        text(17, string);
    }
    void mdata(Id id, Id term) override { numbers(18, {id, term}); }
    void declaration(const ExportDeclaration& declaration) override {
        numbers(19, {declaration.constants.size()});
    }

private:
    void add(std::uint64_t number) { value = (value ^ number) * 0x100000001b3U + 1; }
    void numbers(unsigned kind, std::initializer_list<std::uint64_t> list) {
        ++calls;
        add(kind);
        for (const std::uint64_t number : list)
            add(number);
    }
    void text(unsigned kind, std::string_view string) {
        numbers(kind, {string.size()});
        for (const char c : string)
            add(static_cast<unsigned char>(c));
    }
};

// One line both ways, in a block that ends with the padding: reads beyond it are seen. Then into
// the table, if it fits there.
void take_both_ways(std::string_view line, ExportTable& table) {
    std::vector<char> block(line.size() + LineReader::padding_bytes);
    std::copy(line.begin(), line.end(), block.begin());
    // Behind a line stands what was there before, and that often ends objects.
    std::fill(block.end() - LineReader::padding_bytes, block.end(), '}');
    const std::string_view whole(block.data(), line.size());

    Digest fast;
    std::vector<Id> levels;
    const bool is_fast = take_fast_line(whole, fast, levels);
    if (!is_fast && fast.calls != 0)
        disagree("the fast path told of a line that it declined");
    Digest json;
    bool is_json = false;
    static JsonLineParser parser; // making one costs more than most lines
    try {
        parser.take(whole, json);
        is_json = true;
    } catch (const BadLine&) {
        if (json.calls != 0)
            disagree("the JSON path told of a line that it refused");
    }
    if (is_fast && (!is_json || fast.value != json.value))
        disagree("the two paths do not agree");
    try {
        if (is_json)
            parser.take(whole, table);
    } catch (const BadLine&) {
        // A reference that leads nowhere, say: later lines are still worth taking.
    }
}

// All declarations as one module in memory, which must be one that validates.
void convert(const ExportTable& table) {
    constexpr std::size_t most_terms = 4096;
    constexpr std::size_t most_memory = std::size_t{8} << 20;
    if (table.terms().size() > most_terms || table.memory_bytes() > most_memory)
        return;
    ExportScratch scratch(table);
    BuiltPart part{};
    try {
        const Name imports[] = {Name("Init")};
        part = mk_export_module(table, table.declarations(), Name("Fuzz"), imports, scratch);
    } catch (const Failure& failure) {
        if (failure.error().code() != ErrorCode::invalid_input)
            disagree(failure.what());
        return;
    }
    std::vector<std::uint64_t> words(part.bytes.size() / 8 + 1);
    std::memcpy(words.data(), part.bytes.data(), part.bytes.size());
    const std::span<std::byte> bytes(reinterpret_cast<std::byte*>(words.data()), part.bytes.size());
    const auto header = read_olean_header(bytes);
    if (!header)
        disagree("the module's header cannot be read");
    try {
        static_cast<void>(validate_part({bytes, &*header}, {}));
    } catch (const BadPart&) {
        disagree("the module does not validate");
    }
}

// The whole way, by a file: for packed input, and for some of the rest, because it costs more than
// all the above.
bool is_for_file(std::string_view input) {
    constexpr std::string_view zstd_magic = "\x28\xb5\x2f\xfd";
    constexpr std::size_t one_in = 16;
    return input.substr(0, zstd_magic.size()) == zstd_magic || input.size() % one_in == 0;
}

void read_file(const std::uint8_t* data, std::size_t size) {
    write_input(data, size);
    ExportTable table;
    Monitor monitor;
    try {
        const ReadFacts facts = read_export(input_path(), table, monitor);
        static_cast<void>(export_stats_of(table, facts));
        convert(table);
    } catch (const Failure& failure) {
        const ErrorCode code = failure.error().code();
        if (code != ErrorCode::invalid_input && code != ErrorCode::unsupported_version)
            disagree(failure.what());
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    ExportTable table;
    for (std::size_t begin = 0; begin < input.size();) {
        const std::size_t end = std::min(input.find('\n', begin), input.size());
        take_both_ways(input.substr(begin, end - begin), table);
        begin = end + 1;
    }
    static_cast<void>(export_stats_of(table, {}));
    convert(table);
    if (is_for_file(input))
        read_file(data, size);
    return 0;
}
