#include "base/unique_fd.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <type_traits>

namespace leanhost {
namespace {

static_assert(std::is_nothrow_move_constructible_v<UniqueFd>);

bool is_open(int fd) {
    return ::fcntl(fd, F_GETFD) != -1;
}

UniqueFd open_null() {
    return UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

TEST(UniqueFd, DefaultOwnsNothing) {
    const UniqueFd none;
    EXPECT_FALSE(none);
    EXPECT_EQ(none.get(), -1);
}

TEST(UniqueFd, ClosesWhenItGoes) {
    int fd = -1;
    {
        const UniqueFd owner = open_null();
        fd = owner.get();
        EXPECT_TRUE(owner);
        EXPECT_TRUE(is_open(fd));
    }
    EXPECT_FALSE(is_open(fd));
}

TEST(UniqueFd, MovedFromOwnsNothing) {
    UniqueFd first = open_null();
    const int fd = first.get();
    const UniqueFd second = std::move(first);
    EXPECT_FALSE(
        first); // NOLINT(bugprone-use-after-move): the state after a move is what is tested
    EXPECT_EQ(second.get(), fd);
    EXPECT_TRUE(is_open(fd));
}

TEST(UniqueFd, MoveAssignmentClosesWhatWasOwned) {
    UniqueFd target = open_null();
    UniqueFd source = open_null();
    const int replaced = target.get();
    const int kept = source.get();
    target = std::move(source);
    EXPECT_FALSE(is_open(replaced));
    EXPECT_TRUE(is_open(kept));
    EXPECT_EQ(target.get(), kept);
}

TEST(UniqueFd, SelfMoveKeepsTheDescriptor) {
    UniqueFd owner = open_null();
    UniqueFd& alias = owner;
    owner = std::move(alias);
    EXPECT_TRUE(is_open(owner.get()));
}

TEST(UniqueFd, ResetClosesOnce) {
    UniqueFd owner = open_null();
    const int fd = owner.get();
    owner.reset();
    EXPECT_FALSE(owner);
    EXPECT_FALSE(is_open(fd));
    // The number may be in use again by now; a second reset must not close it.
    const UniqueFd reused = open_null();
    ASSERT_EQ(reused.get(), fd);
    owner.reset();
    EXPECT_TRUE(is_open(fd));
}

} // namespace
} // namespace leanhost
