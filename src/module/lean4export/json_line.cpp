#include "module/lean4export/json_line.hpp"

#include "module/lean4export/json_declaration.hpp"
#include "module/lean4export/json_item.hpp"
#include "module/lean4export/line_reader.hpp"

namespace leanhost::module::lean4export {
namespace {

namespace ondemand = simdjson::ondemand;

std::string text_under(ondemand::object& object, std::string_view group, std::string_view key) {
    if (!json::has(object, group))
        return {};
    ondemand::object inner = json::field(object, group).get_object();
    return json::has(inner, key) ? std::string(json::text(inner, key)) : std::string();
}

ExportMeta meta(ondemand::value value) {
    ondemand::object object = value.get_object();
    ExportMeta result;
    result.exporter_version = text_under(object, "exporter", "version");
    result.format_version = text_under(object, "format", "version");
    result.lean_version = text_under(object, "lean", "version");
    result.lean_githash = text_under(object, "lean", "githash");
    return result;
}

// The keys of an item's id: "i" stood for all three before 3.0.
std::optional<json::Space> id_space(std::string_view key) {
    if (key == "in")
        return json::Space::name;
    if (key == "il")
        return json::Space::level;
    if (key == "ie")
        return json::Space::term;
    return std::nullopt;
}

// All that one line says.
class Line {
public:
    void take(std::string_view key, ondemand::value value) {
        const auto space = id_space(key);
        if (space || key == "i") {
            if (has_id_)
                json::bad("two ids");
            has_id_ = true;
            id_ = json::number(value);
            id_space_ = space;
            return;
        }
        if (item_ || declaration_ || meta_)
            json::bad("a second \"" + std::string(key) + "\" in one line");
        if (key == "meta") {
            meta_ = meta(value);
            return;
        }
        declaration_ = json::read_declaration(key, value);
        if (declaration_)
            return;
        item_ = json::read_item(key, value);
        if (!item_)
            json::bad("no line of an export has the key \"" + std::string(key) + "\"");
    }

    void tell(ExportSink& sink) const {
        if (item_) {
            if (!has_id_ || (id_space_ && *id_space_ != item_->space))
                json::bad("no id of its kind (\"in\", \"il\", \"ie\")");
            item_->tell(id_, sink);
        } else if (has_id_) {
            json::bad("an id of nothing");
        } else if (declaration_) {
            sink.declaration(*declaration_);
        } else if (meta_) {
            sink.meta(*meta_);
        } else {
            json::bad("an empty line");
        }
    }

    bool has_plain_id() const { return has_id_ && !id_space_; }

private:
    bool has_id_ = false;
    Id id_ = 0;
    std::optional<json::Space> id_space_;
    std::optional<json::Item> item_;
    std::optional<ExportDeclaration> declaration_;
    std::optional<ExportMeta> meta_;
};

} // namespace

struct JsonLineParser::State {
    // The on-demand parser reads only what it is asked for: it passes over broken parts, and some
    // lead it behind the line's end. So a line is checked as a whole first.
    simdjson::dom::parser checker;
    ondemand::parser parser;
};

JsonLineParser::JsonLineParser() : state_(std::make_unique<State>()) {}
JsonLineParser::~JsonLineParser() = default;

bool JsonLineParser::take(std::string_view line, ExportSink& sink) {
    static_assert(LineReader::padding_bytes >= simdjson::SIMDJSON_PADDING);
    ondemand::document document;
    bool is_started = false; // without a start (no UTF-8, say) a document cannot be asked
    const auto column = [&]() -> std::optional<std::size_t> {
        const char* at = nullptr;
        if (!is_started || document.current_location().get(at) != simdjson::SUCCESS ||
            at < line.data() || at > line.data() + line.size())
            return std::nullopt;
        return static_cast<std::size_t>(at - line.data());
    };
    try {
        constexpr bool copy_for_padding = false;
        if (const auto error =
                state_->checker.parse(line.data(), line.size(), copy_for_padding).error())
            throw simdjson::simdjson_error(error);
        document = state_->parser.iterate(line.data(), line.size(),
                                          line.size() + LineReader::padding_bytes);
        is_started = true;
        Line parsed;
        for (ondemand::field entry : document.get_object()) {
            const std::string_view key = entry.unescaped_key();
            parsed.take(key, entry.value());
        }
        const char* behind = nullptr;
        if (document.current_location().get(behind) == simdjson::SUCCESS)
            throw BadLine{"more than one JSON object", column(), std::nullopt};
        parsed.tell(sink);
        return parsed.has_plain_id();
    } catch (const simdjson::simdjson_error& error) {
        throw BadLine{std::string("not the JSON of an export line: ") +
                          simdjson::error_message(error.error()),
                      column(), std::nullopt};
    } catch (BadLine& line_error) {
        if (!line_error.column && !line_error.culprit)
            line_error.column = column();
        throw;
    }
}

} // namespace leanhost::module::lean4export
