#include "host/capability_table.hpp"

#include "base/failure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>

namespace leanhost::host {
namespace {

constexpr std::size_t max_text_bytes = 255;
constexpr std::size_t max_functions = 4096;

bool is_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
}

bool is_printable(char c) {
    return c >= ' ' && c <= '~';
}

template <class T>
bool is_aligned(const T* pointer) {
    return reinterpret_cast<std::uintptr_t>(pointer) % alignof(T) == 0;
}

class TableReader {
public:
    TableReader(const leanhost_capability_table* table, const std::string& library)
        : table_(table), library_(library) {}

    CapabilityTable read() {
        require_known_version();
        CapabilityTable result{text("the library's name", table_->name, is_name_character),
                               text("the library's version", table_->version, is_printable),
                               {}};
        require_functions();
        for (std::size_t i = 0; i < table_->num_functions; ++i) {
            add(result.functions, i, table_->functions[i]);
        }
        return result;
    }

private:
    void require_known_version() const {
        if (table_ == nullptr || !is_aligned(table_))
            refuse("the entry gave no table");
        if (table_->abi_version != LEANHOST_CAPABILITY_ABI_VERSION)
            fail_version();
        if (table_->struct_size < sizeof(leanhost_capability_table)) {
            refuse(fmt::format("the table's struct_size is {}, expected at least {}",
                               table_->struct_size, sizeof(leanhost_capability_table)));
        }
    }

    void require_functions() const {
        if (table_->num_functions > max_functions) {
            refuse(fmt::format("the table has {} functions, expected at most {}",
                               table_->num_functions, max_functions));
        }
        const bool is_there = table_->functions != nullptr && is_aligned(table_->functions);
        if (table_->num_functions > 0 && !is_there)
            refuse("the table's functions are not there");
    }

    void add(std::vector<CapabilityFunction>& functions,
             std::size_t i,
             const leanhost_capability_function& function) const {
        std::string name =
            text(fmt::format("the name of function {}", i), function.name, is_name_character);
        if (function.kind != LEANHOST_CAPABILITY_GIVES_BYTES &&
            function.kind != LEANHOST_CAPABILITY_GIVES_ROWS) {
            refuse(fmt::format("function '{}' has kind {}, expected {} (bytes) or {} (rows)", name,
                               function.kind, int{LEANHOST_CAPABILITY_GIVES_BYTES},
                               int{LEANHOST_CAPABILITY_GIVES_ROWS}));
        }
        if (function.call == nullptr)
            refuse(fmt::format("function '{}' has no code", name));
        if (std::any_of(functions.begin(), functions.end(),
                        [&](const auto& known) { return known.name == name; })) {
            refuse(fmt::format("two functions are named '{}'", name));
        }
        functions.push_back(
            {std::move(name), function.kind == LEANHOST_CAPABILITY_GIVES_ROWS, function.call});
    }

    // Looks no further than the longest text that is allowed.
    std::string text(std::string_view what, const char* text, bool (*is_allowed)(char)) const {
        if (text == nullptr)
            refuse(fmt::format("{} is null", what));
        const std::size_t bytes = ::strnlen(text, max_text_bytes + 1);
        if (bytes == 0 || bytes > max_text_bytes) {
            refuse(fmt::format("{} is {}, expected 1 to {} characters", what,
                               bytes == 0 ? "empty" : "longer", max_text_bytes));
        }
        std::string copy(text, bytes);
        if (!std::all_of(copy.begin(), copy.end(), is_allowed)) {
            refuse(fmt::format("{}, '{}', has characters that are not allowed", what, copy));
        }
        return copy;
    }

    [[noreturn]] void refuse(std::string_view why) const {
        fail(ErrorCode::invalid_input,
             fmt::format("{}: capability table: {} (see leanhost/capability_abi.h)", library_, why),
             {{"library", library_}});
    }

    [[noreturn]] void fail_version() const {
        fail(ErrorCode::unsupported_version,
             fmt::format("{}: capability table of version {}; this host knows version {}", library_,
                         table_->abi_version, LEANHOST_CAPABILITY_ABI_VERSION),
             {{"library", library_},
              {"found", std::uint64_t{table_->abi_version}},
              {"known", std::uint64_t{LEANHOST_CAPABILITY_ABI_VERSION}}});
    }

    const leanhost_capability_table* table_;
    const std::string& library_;
};

} // namespace

CapabilityTable read_capability_table(const leanhost_capability_table* table,
                                      const std::string& library) {
    return TableReader(table, library).read();
}

} // namespace leanhost::host
