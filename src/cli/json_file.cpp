#include "cli/json_file.hpp"

#include "base/failure.hpp"
#include "module/pending_file.hpp"

#include <nlohmann/json.hpp>

#include <fstream>

namespace leanhost::cli {

namespace fs = std::filesystem;

void write_text_file(const fs::path& path, std::string_view text) {
    std::error_code absent;
    const fs::file_status status = fs::status(path, absent);
    // A pipe or /dev/stdout cannot be replaced by a file.
    if (fs::exists(status) && !fs::is_regular_file(status)) {
        std::ofstream out(path);
        out << text;
        if (!out.flush())
            fail(ErrorCode::io, "cannot write " + path.string(), {{"file", path.string()}});
        return;
    }
    module::PendingFile file(path);
    file.write(std::as_bytes(std::span(text)));
    file.sync();
    file.commit();
}

void write_json_file(const fs::path& path, const nlohmann::ordered_json& json) {
    using Handler = nlohmann::ordered_json::error_handler_t;
    write_text_file(path, json.dump(2, ' ', false, Handler::replace) + "\n");
}

} // namespace leanhost::cli
