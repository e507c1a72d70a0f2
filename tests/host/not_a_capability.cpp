// A library without the entry of a capability library.
extern "C" int leanhost_test_answer() {
    return 42;
}
