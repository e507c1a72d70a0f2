#include "regions/maps_text.hpp"

#include <sys/sysmacros.h>

namespace leanhost::regions {
namespace {

// Reads numbers and fields from the front of a line.
class Fields {
public:
    explicit Fields(std::string_view text) noexcept : rest_(text) {}

    bool number(std::uint64_t& value, unsigned base) noexcept {
        value = 0;
        std::size_t digits = 0;
        for (; digits < rest_.size() && digits <= 20; ++digits) {
            const unsigned digit = value_of(rest_[digits]);
            if (digit >= base)
                break;
            value = value * base + digit;
        }
        rest_.remove_prefix(digits);
        return digits > 0;
    }
    bool literal(char expected) noexcept {
        if (rest_.empty() || rest_.front() != expected)
            return false;
        rest_.remove_prefix(1);
        return true;
    }
    std::string_view word(std::size_t size) noexcept {
        const std::string_view result = rest_.substr(0, size);
        rest_.remove_prefix(result.size());
        return result;
    }
    std::string_view rest_after_spaces() noexcept {
        while (literal(' ')) {
        }
        return rest_;
    }

private:
    static unsigned value_of(char c) noexcept {
        if (c >= '0' && c <= '9')
            return static_cast<unsigned>(c - '0');
        if (c >= 'a' && c <= 'f')
            return static_cast<unsigned>(c - 'a') + 10;
        return 255;
    }
    std::string_view rest_;
};

} // namespace

std::uint64_t path_hash_of_name(std::string_view name) noexcept {
    if (name.empty() || name.ends_with(" (deleted)"))
        return 0;
    std::uint64_t hash = 14695981039346656037U;
    for (const char c : name)
        hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
    return hash == 0 ? 1 : hash;
}

bool parse_maps_line(std::string_view line, Mapping& mapping) noexcept {
    Fields fields(line);
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::uint64_t major = 0;
    std::uint64_t minor = 0;
    mapping = Mapping{};
    if (!fields.number(begin, 16) || !fields.literal('-') || !fields.number(end, 16) ||
        !fields.literal(' '))
        return false;
    const std::string_view permissions = fields.word(4);
    if (permissions.size() != 4 || !fields.literal(' ') || !fields.number(mapping.offset, 16) ||
        !fields.literal(' ') || !fields.number(major, 16) || !fields.literal(':') ||
        !fields.number(minor, 16) || !fields.literal(' ') || !fields.number(mapping.inode, 10))
        return false;
    mapping.begin = begin;
    mapping.end = end;
    mapping.device = ::makedev(static_cast<unsigned>(major), static_cast<unsigned>(minor));
    mapping.is_read_only = permissions.substr(0, 3) == "r--";
    mapping.is_shared = permissions[3] == 's';
    mapping.path_hash = path_hash_of_name(fields.rest_after_spaces());
    return true;
}

} // namespace leanhost::regions
