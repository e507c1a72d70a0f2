#include "cli/html_page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace leanhost::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(HtmlPage, CarriesItsChartLibraryAndLoadsNothing) {
    const std::string page = html_page("a & <b>", {{"x", 1}}, "run_page.js");
    EXPECT_THAT(page, HasSubstr("Chart.js v"));
    EXPECT_THAT(page, HasSubstr("<title>a &amp; &lt;b></title>"));
    for (const char* loading : {"src=\"", "<link", "@import", "url(", "fetch(", "XMLHttpRequest"})
        EXPECT_THAT(page, Not(HasSubstr(loading))) << loading;
}

TEST(HtmlPage, DataCannotEndItsScript) {
    const std::string page =
        html_page("t", {{"command", "</script><script>alert(1)</script>"}}, "run_page.js");
    EXPECT_THAT(page, Not(HasSubstr("<script>alert")));
    EXPECT_THAT(page, HasSubstr("\\u003c/script>\\u003cscript>alert(1)"));
}

TEST(HtmlPage, BytesThatAreNoTextAreReplaced) {
    EXPECT_THAT(html_page("t", {{"command", "a\xff"}}, "run_page.js"), HasSubstr("a\\ufffd"));
}

} // namespace
} // namespace leanhost::cli
