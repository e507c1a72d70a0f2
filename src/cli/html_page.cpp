#include "cli/html_page.hpp"

#include "base/require.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace leanhost::embedded { // cmake/LeanhostEmbed.cmake
std::string_view page_files(std::string_view name);
}

namespace leanhost::cli {
namespace {

std::string_view page_file(std::string_view name) {
    const std::string_view text = embedded::page_files(name);
    LEANHOST_REQUIRE(!text.empty());
    return text;
}

// JSON inside a script element: "</script>" in a command line must not end it.
std::string script_text(const nlohmann::ordered_json& data) {
    using Handler = nlohmann::ordered_json::error_handler_t;
    std::string text = data.dump(-1, ' ', true, Handler::replace);
    for (std::size_t at = 0; (at = text.find('<', at)) != std::string::npos; at += 6)
        text.replace(at, 1, "\\u003c");
    return text;
}

std::string html_text(std::string_view text) {
    std::string result;
    for (const char c : text) {
        if (c == '<')
            result += "&lt;";
        else if (c == '&')
            result += "&amp;";
        else
            result += c;
    }
    return result;
}

} // namespace

std::string
html_page(std::string_view title, const nlohmann::ordered_json& data, std::string_view script) {
    return fmt::format(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width\">\n"
        "<title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n"
        "<main id=\"page\"><noscript>This page draws with JavaScript.</noscript></main>\n"
        "<script>\n{}\n</script>\n<script>\nconst data = {};\n{}\n{}</script>\n"
        "</body>\n</html>\n",
        html_text(title), page_file("page.css"), page_file("chart.min.js"), script_text(data),
        page_file("report_page.js"), page_file(script));
}

} // namespace leanhost::cli
