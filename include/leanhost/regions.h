#ifndef LEANHOST_REGIONS_H
#define LEANHOST_REGIONS_H

/// What libleanhost_regions counts. For a program that links the library or runs under it; another
/// process reads the same numbers from a report page (LeanhostRegionsPage).
///
/// The library answers `mmap` of a Lean module at its base address with the mapping of the same
/// file that already lies there, and counts its users. Why that is sound, and how to use it:
/// docs/region-sharing.md.

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Why a mapping that asked for a module's base address was not shared, in the order of
/// `LeanhostRegionsStats::refused`.
enum LeanhostRegionsRefusal {
    LEANHOST_REGIONS_NOT_A_MODULE = 0, ///< no olean header, or another base address in it
    LEANHOST_REGIONS_ADDRESS_TAKEN,    ///< something that is no region of ours lies there
    LEANHOST_REGIONS_OTHER_FILE,       ///< another file's region lies there, or a rebuilt file's
    LEANHOST_REGIONS_OTHER_LENGTH,     ///< the same file, mapped to another length
    LEANHOST_REGIONS_ALTERED,          ///< partly unmapped, mapped over, or made writable
    LEANHOST_REGIONS_UNVERIFIED,       ///< the kernel does not say that the file still lies there
    LEANHOST_REGIONS_NO_MEMORY,        ///< the table could not grow
    LEANHOST_REGIONS_NOT_MOVED,        ///< mremap of a region with several users: failed (ENOMEM)
    LEANHOST_REGIONS_WRITABLE, ///< a module asked for with PROT_WRITE or a fixed address (newer
                               ///< Lean)
    LEANHOST_REGIONS_REFUSALS
};

/// Modes, by the environment variable LEANHOST_REGIONS.
enum LeanhostRegionsMode {
    LEANHOST_REGIONS_OFF = 0, ///< "off": every call goes to the kernel as it is
    LEANHOST_REGIONS_ON,      ///< "on", and the default
    LEANHOST_REGIONS_LOG,     ///< "log": on, and a line on standard error for each event
    LEANHOST_REGIONS_PRIVATE  ///< "private": one anonymous copy for each file, shared as in "on"
};

/// Counters since the program began, all monotone but the `live_` ones. A forked child begins with
/// its parent's live ones and zeros.
typedef struct LeanhostRegionsStats {
    uint64_t maps;              ///< modules mapped at their base address and remembered
    uint64_t mapped_bytes;      ///< bytes of those
    uint64_t shares;            ///< mappings answered with one that was there
    uint64_t shared_bytes;      ///< bytes of those: what Lean would have read into private memory
    uint64_t releases;          ///< unmappings that left the region to its other users
    uint64_t unmaps;            ///< regions given back to the kernel, or lost to another mapping
    uint64_t live_regions;      ///< in the table now
    uint64_t live_bytes;        ///< of those, each counted once
    uint64_t live_shared_bytes; ///< bytes that their users beyond the first would hold privately
    uint64_t table_bytes;       ///< the table's own memory
    uint64_t refused[LEANHOST_REGIONS_REFUSALS];
} LeanhostRegionsStats;

/// The first page of a report file. The library makes one file `<pid>-<time>` for each process in
/// the folder that LEANHOST_REGIONS_REPORT names and keeps it up to date; nobody needs to ask.
/// Values are written one by one: a reader may see an event half counted.
typedef struct LeanhostRegionsPage {
    uint64_t magic;   ///< LEANHOST_REGIONS_MAGIC
    uint32_t version; ///< LEANHOST_REGIONS_VERSION
    uint32_t mode;    ///< LeanhostRegionsMode
    int64_t pid;      ///< in the process's own pid namespace
    int64_t parent_pid;
    uint64_t pid_namespace; ///< the number in /proc/self/ns/pid; 0: unknown
    int64_t started_ns;     ///< CLOCK_MONOTONIC
    char program[200];      ///< as the process was called, cut, zero-terminated
    LeanhostRegionsStats stats;
} LeanhostRegionsPage;

#define LEANHOST_REGIONS_MAGIC UINT64_C(0x736e6f696765726c) /* "lregions" */
#define LEANHOST_REGIONS_VERSION 1

/// The counters of this process. Thread-safe, async-signal-safe, no cost to speak of.
/// Weak, so that a program can ask whether it runs under the library:
/// `if (leanhost_regions_stats) …`.
LeanhostRegionsStats leanhost_regions_stats(void) __attribute__((weak));

#ifdef __cplusplus
}
#endif

#endif
