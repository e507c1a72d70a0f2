// main() of every test program: GoogleTest, and a closing line on what was skipped for lack of test
// data.
#include "support/test_data.hpp"

#include <gmock/gmock.h>

#include <cstdio>
#include <memory>

namespace {

class DataSkipReport : public testing::EmptyTestEventListener {
    void OnTestPartResult(const testing::TestPartResult& result) override {
        if (result.skipped() && leanhost::test::is_skip_for_lack_of_data(result.message()))
            ++count_;
    }
    void OnTestProgramEnd(const testing::UnitTest& /*program*/) override {
        if (count_ == 0)
            return;
        std::printf("skipped for lack of LEANHOST_TEST_DATA: %d test%s\n", count_,
                    count_ == 1 ? "" : "s");
    }
    int count_ = 0;
};

} // namespace

int main(int argc, char** argv) {
    testing::InitGoogleMock(&argc, argv);
    // The list owns its listeners.
    testing::UnitTest::GetInstance()->listeners().Append(
        std::make_unique<DataSkipReport>().release());
    return RUN_ALL_TESTS();
}
