#include <leanhost/error.hpp>

#include <algorithm>
#include <array>

namespace leanhost {
namespace {

struct CodeRow {
    std::string_view id;
    int cli_exit_code;
    bool still_usable;
};

constexpr std::array code_rows = {
#define LEANHOST_ERROR_CODE(name, id, cli_exit_code, still_usable)                                 \
    CodeRow{id, cli_exit_code, still_usable},
#include <leanhost/error_codes.def>
#undef LEANHOST_ERROR_CODE
};

const CodeRow& row_of(ErrorCode code) noexcept {
    return code_rows[static_cast<std::size_t>(code)];
}

// Cuts at the start of a UTF-8 sequence, so that a bounded message is still text.
void cut_to_bound(std::string& message) {
    if (message.size() <= Error::max_message_bytes)
        return;
    constexpr std::string_view ellipsis = " …";
    std::size_t end = Error::max_message_bytes - ellipsis.size();
    while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xC0U) == 0x80U)
        --end;
    message.resize(end);
    message += ellipsis;
}

// A message is one line: names and paths in it come from files and may hold anything.
void flatten_control_characters(std::string& message) {
    std::replace_if(
        message.begin(), message.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, ' ');
}

} // namespace

std::string_view error_code_id(ErrorCode code) noexcept {
    return row_of(code).id;
}

int cli_exit_code(ErrorCode code) noexcept {
    return row_of(code).cli_exit_code;
}

Error::Error(ErrorCode code, std::string message, std::vector<ErrorFact> facts)
    : code_(code), message_(std::move(message)), facts_(std::move(facts)) {
    cut_to_bound(message_);
    flatten_control_characters(message_);
}

const ErrorFact::Value* Error::find_fact(std::string_view key) const noexcept {
    const auto it =
        std::find_if(facts_.begin(), facts_.end(), [&](const auto& f) { return f.key == key; });
    return it == facts_.end() ? nullptr : &it->value;
}

bool Error::still_usable() const noexcept {
    return row_of(code_).still_usable;
}

Error&& Error::with(std::string key, ErrorFact::Value value) && {
    facts_.push_back({std::move(key), std::move(value)});
    return std::move(*this);
}

} // namespace leanhost
