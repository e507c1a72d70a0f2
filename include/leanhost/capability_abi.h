#ifndef LEANHOST_CAPABILITY_ABI_H
#define LEANHOST_CAPABILITY_ABI_H

/// The C interface between a host program and a user's capability library, version 1.
///
/// A capability library is a shared library that exports `leanhost_capability_table_v1`. This
/// header is all that it needs: it links nothing of leanhost, and works with every engine. In C++,
/// leanhost/capability_guard.hpp turns exceptions into failures.
///
/// Ownership: each side keeps what it made. The table, its texts and its functions belong to the
/// library and stay valid and unchanged until it is unloaded. Input and sink belong to the host and
/// are valid until the function returns; what must stay is copied. What is given to the sink
/// belongs to the library, which may reuse it as soon as the sink's function has returned: the host
/// has copied it.
///
/// Threads: the host calls functions from any thread, several at once. A function uses its sink on
/// the thread that it was called on, and threads that the library started have ended before it is
/// unloaded, which happens when the host drops the last use of it.
///
/// Failures: nothing throws, jumps or exits across this interface, in either direction.

#include <stddef.h>
#include <stdint.h>

// Names as C has them. NOLINTBEGIN(readability-identifier-naming)
#ifdef __cplusplus
extern "C" {
#endif

#define LEANHOST_CAPABILITY_ABI_VERSION 1u

/// Bytes that belong to someone else, text or not, without a final NUL. `data` may be null when
/// `size` is 0.
typedef struct leanhost_bytes {
    const unsigned char* data;
    size_t size;
} leanhost_bytes;

/// Answers of a sink.
enum { LEANHOST_CAPABILITY_PROCEED = 0, LEANHOST_CAPABILITY_STOP = 1 };

/// Where a call's results and failures go.
typedef struct leanhost_capability_sink {
    /// The host's own; the first argument of each function below.
    void* context;
    /// Takes one row, or the next piece of the result when the function gives bytes. After
    /// LEANHOST_CAPABILITY_STOP the host wants no more: give back what you hold and return, with
    /// any status.
    int32_t (*emit)(void* context, leanhost_bytes bytes);
    /// Says why the function is about to return a failure, in UTF-8. The host keeps the last
    /// message's first 1,024 bytes.
    void (*report_failure)(void* context, leanhost_bytes message);
    /// Whether the host wants no more, for long work between two results. Answers as `emit` does.
    int32_t (*should_stop)(void* context);
} leanhost_capability_sink;

/// Status of a call that succeeded. Every other one is a failure; which, is up to the library.
enum { LEANHOST_CAPABILITY_OK = 0 };

typedef int32_t (*leanhost_capability_call)(leanhost_bytes input,
                                            const leanhost_capability_sink* sink);

/// What a function makes of its input.
enum {
    LEANHOST_CAPABILITY_GIVES_BYTES = 1, ///< bytes: all that is emitted, in one piece
    LEANHOST_CAPABILITY_GIVES_ROWS = 2   ///< rows: each `emit` is one
};

/// A name, here and in the table, is 1 to 255 ASCII letters, digits, '_', '.' and '-'.
typedef struct leanhost_capability_function {
    const char* name; ///< no two functions of a table have the same
    uint32_t kind;
    leanhost_capability_call call;
} leanhost_capability_function;

/// What a library offers. Later versions of this header may add members at its end (`struct_size`
/// tells); anything else changes the version and the entry's name.
typedef struct leanhost_capability_table {
    uint32_t abi_version; ///< LEANHOST_CAPABILITY_ABI_VERSION
    uint32_t struct_size; ///< sizeof(leanhost_capability_table)
    const char* name;     ///< of the library
    const char* version;  ///< of the library: 1 to 255 printable ASCII characters
    size_t num_functions; ///< at most 4,096
    const leanhost_capability_function* functions; ///< may be null when there are none
} leanhost_capability_table;

#if defined(__GNUC__)
#define LEANHOST_CAPABILITY_EXPORT __attribute__((visibility("default")))
#else
#define LEANHOST_CAPABILITY_EXPORT
#endif

/// The entry, which the library defines. Called once for each load, before anything else; the same
/// table each time.
LEANHOST_CAPABILITY_EXPORT const leanhost_capability_table* leanhost_capability_table_v1(void);

#ifdef __cplusplus
}
#endif
// NOLINTEND(readability-identifier-naming)

#endif
