#include "module/lean4export/json_line.hpp"

#include "module/lean4export/json_declaration.hpp"
#include "module/lean4export/json_item.hpp"
#include "module/lean4export/line_reader.hpp"

namespace leanhost::module::lean4export {
namespace {

std::string text_under(json::Value object, std::string_view group, std::string_view key) {
    const auto inner = object.find(group);
    return inner && json::has(*inner, key) ? std::string(json::text(*inner, key)) : std::string();
}

ExportMeta meta(json::Value object) {
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
    void take(std::string_view key, json::Value value) {
        const auto space = id_space(key);
        if (space || key == "i") {
            if (has_id_)
                json::bad("two ids");
            has_id_ = true;
            id_ = value.natural();
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
    json::Document document;
};

JsonLineParser::JsonLineParser() : state_(std::make_unique<State>()) {}
JsonLineParser::~JsonLineParser() = default;

bool JsonLineParser::take(std::string_view line, ExportSink& sink) {
    std::size_t column = 0;
    try {
        Line parsed;
        state_->document.parse(line).for_each_field([&](std::string_view key, json::Value value) {
            column = value.column();
            parsed.take(key, value);
        });
        parsed.tell(sink);
        return parsed.has_plain_id();
    } catch (const json::JsonError& error) {
        throw BadLine{std::string("not the JSON of an export line: ") + error.what, error.column,
                      std::nullopt};
    } catch (BadLine& line_error) {
        if (!line_error.column && !line_error.culprit)
            line_error.column = column;
        throw;
    }
}

} // namespace leanhost::module::lean4export
