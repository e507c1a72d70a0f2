#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace leanhost {

/// Why an operation did not deliver. The table is `error_codes.def`; docs/errors.md has cause and
/// fix.
enum class ErrorCode : std::uint8_t {
#define LEANHOST_ERROR_CODE(name, id, cli_exit_code, still_usable) name,
#include <leanhost/error_codes.def>
#undef LEANHOST_ERROR_CODE
};

/// The stable text id of `code`, such as "leanhost.invalid_input". Valid for the process's life.
std::string_view error_code_id(ErrorCode code) noexcept;

/// The exit status with which a command ends that fails with `code`.
int cli_exit_code(ErrorCode code) noexcept;

/// One typed fact beside an error's message: a file, an offset, a budget. Keys are stable names.
struct ErrorFact {
    using Value = std::variant<std::uint64_t, bool, std::string>;
    std::string key;
    Value value;
};

/// What went wrong, where, and what would have been accepted. A value type; copying is cheap enough
/// for an error path. The message is one line of at most `max_message_bytes`, cut at a character.
class Error {
public:
    static constexpr std::size_t max_message_bytes = 4096;

    Error(ErrorCode code, std::string message, std::vector<ErrorFact> facts = {});

    ErrorCode code() const noexcept { return code_; }
    std::string_view id() const noexcept { return error_code_id(code_); }
    const std::string& message() const noexcept { return message_; }
    const std::vector<ErrorFact>& facts() const noexcept { return facts_; }

    /// The fact named `key`, or nullptr. Valid as long as this error is neither changed nor gone.
    const ErrorFact::Value* find_fact(std::string_view key) const noexcept;

    /// Whether the object that reported the error can go on being used.
    bool still_usable() const noexcept;

    /// Adds a fact; returns itself for chaining.
    Error&& with(std::string key, ErrorFact::Value value) &&;

private:
    ErrorCode code_;
    std::string message_;
    std::vector<ErrorFact> facts_;
};

} // namespace leanhost
